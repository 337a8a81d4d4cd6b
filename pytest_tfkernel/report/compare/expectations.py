"""Known differences, each with its reason, from a file of JSON.

JSON and not TOML: Python 3.10 reads no TOML, and of comments the reasons leave no need.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from pytest_tfkernel.model.patterns import pattern_of
from pytest_tfkernel.report.compare.differences import About, Change, CompareError, Difference


class Expectation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One known difference: patterns, in which `*` stands for anything and `?` for one character.

    `guarantee`, `trial`, `test` and `figure` say of what, `kernel` on which one; what is left out is anything.
    `change` is a word of `Change`; `was` and `now` are what it was and is, in the words of the report.
    """

    reason: str
    change: str
    guarantee: str = ""
    trial: str = ""
    test: str = ""
    figure: str = ""
    kernel: str = "*"
    was: str = "*"
    now: str = "*"

    def __str__(self) -> str:
        named = ("guarantee", "trial", "test", "figure")
        return ", ".join(f"{name} {getattr(self, name)}" for name in named if getattr(self, name)) + f": {self.change}"


class Expectations:
    """All known differences, `known`."""

    def __init__(self, known: Sequence[Expectation] = ()) -> None:
        self.known = tuple(known)
        self._known = [(one, _Patterns(one)) for one in known]

    @classmethod
    def load(cls, path: Path) -> Expectations:
        """Read a file. Raises CompareError, which says what is wrong and where."""
        try:
            known = msgspec.json.decode(path.read_bytes(), type=list[Expectation])
        except OSError as error:
            raise CompareError(f"{path} can't be read: {error.strerror}") from None
        except ValueError as error:
            # One of a name that no file can have, of msgspec's, or of UTF-8.
            raise CompareError(f"{path} is not a list of known differences: {error}") from None
        for number, one in enumerate(known):
            _check(f"{path}, entry {number + 1}", one)
        return cls(known)

    def reasons(self, differences: Sequence[Difference]) -> tuple[list[str], list[Expectation]]:
        """For each difference the reason why it was expected, or nothing; and what was expected and isn't there."""
        used: set[int] = set()
        reasons = []
        for difference in differences:
            fitting = [number for number, (_, patterns) in enumerate(self._known) if patterns.fit(difference)]
            used.update(fitting)
            reasons.append(self._known[fitting[0]][0].reason if fitting else "")
        return reasons, [one for number, (one, _) in enumerate(self._known) if number not in used]


class _Patterns:
    def __init__(self, known: Expectation) -> None:
        self._change = None if known.change == "*" else Change(known.change)
        self._known = known
        self._compiled = {
            name: pattern_of(getattr(known, name))
            for name in ("guarantee", "trial", "test", "figure", "kernel", "was", "now")
        }

    def fit(self, one: Difference) -> bool:
        if self._change not in {None, one.change}:
            return False
        names = {
            About.GUARANTEE: {"guarantee": one.name, "trial": one.place},
            About.TRIAL: {"trial": one.place},
            About.TEST: {"test": one.name},
            About.FIGURE: {"figure": one.name},
        }[one.about]
        if any(getattr(self._known, name) and name not in names for name in ("guarantee", "trial", "test", "figure")):
            return False
        values = {name: value for name, value in names.items() if getattr(self._known, name)}
        values |= {"kernel": one.kernel or "", "was": one.before, "now": one.after}
        return all(self._compiled[name].fullmatch(value) for name, value in values.items())


def _check(where: str, known: Expectation) -> None:
    if not known.reason.strip():
        raise CompareError(f"{where} has no reason")
    if not (known.guarantee or known.trial or known.test or known.figure):
        raise CompareError(f"{where} doesn't say what it is about: guarantee, trial, test or figure")
    words = [change.value for change in Change]
    if known.change not in {*words, "*"}:
        raise CompareError(f"{where} has the change {known.change!r}: choose from {', '.join(words)}, or *")
