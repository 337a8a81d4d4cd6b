"""The lists of known defects: ours, in `tensorflow.toml`, and one of the user's, in JSON as that of `--expect`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

from pytest_tfkernel.model.defects import Defect
from pytest_tfkernel.model.patterns import pattern_of
from pytest_tfkernel.model.trials import Record, Setting, State, Verdict
from pytest_tfkernel.suite.defects.spans import Span, is_exact, version_of

_OURS = "tensorflow.toml"


class DefectsError(Exception):
    """A list of known defects can't be used; the text says which, where and why, in one line."""


class DefectEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One known defect, as it is written. `guarantee`, `trial`, `kernel` and `observed` are patterns.

    `trial` is a setting, `kernel` a label, `observed` what the judge says; what is left out is anything. `seen` says
    what a PASS means: that it is mended, or nothing; without it, a PASS has nothing to do with it.
    """

    guarantee: str
    reason: str
    id: str = ""
    trial: str = "*"
    kernel: str = "*"
    since: str = ""
    until: str = ""
    observed: str = "*"
    seen: Literal["always", "sometimes"] | None = None
    described: str = ""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    defect: list[DefectEntry]


@dataclass(frozen=True)
class ListedDefect:
    """One entry, checked. Whether it fits is a pure function."""

    entry: DefectEntry
    table: str
    span: Span
    _guarantee: re.Pattern[str]
    _trial: re.Pattern[str]
    _kernel: re.Pattern[str]
    _observed: re.Pattern[str]

    @classmethod
    def of(cls, entry: DefectEntry, table: str, where: str, guarantees: Collection[str]) -> ListedDefect:
        """Check it. Raises DefectsError."""
        if not entry.reason.strip():
            raise DefectsError(f"{where} has no reason")
        guarantee = pattern_of(entry.guarantee)
        if not any(map(guarantee.fullmatch, guarantees)):
            raise DefectsError(f"{where}: there is no guarantee {entry.guarantee!r}; docs/guarantees.md lists them")
        for name, text in (("since", entry.since), ("until", entry.until)):
            if text and (version_of(text) is None or not is_exact(text)):
                raise DefectsError(f"{where}: {name} {text!r} is no version of TensorFlow, such as 2.18")
        span = Span(version_of(entry.since), version_of(entry.until))
        if span.since is not None and span.until is not None and span.since >= span.until:
            raise DefectsError(f"{where} is of no TensorFlow: since {span.since}, until {span.until}")
        patterns = map(pattern_of, (entry.trial, entry.kernel, entry.observed))
        return cls(entry, table, span, guarantee, *patterns)

    @property
    def name(self) -> str:
        """What its entry is called."""
        return self.entry.id

    def is_of(self, guarantee: str, setting: Setting) -> bool:
        """Whether it is listed for this guarantee in this setting."""
        return bool(
            self._guarantee.fullmatch(guarantee)
            and self._trial.fullmatch(str(setting))
            and self._kernel.fullmatch(setting.kernel or "")
        )

    def is_observed(self, verdict: Verdict) -> bool:
        """Whether a judge that fails says what is listed."""
        return verdict.state is State.FAIL and self._observed.fullmatch(verdict.reason) is not None

    def as_seen_by(self, tensorflow: str | None) -> Defect | None:
        """It, for verdicts on this TensorFlow; None for one that it isn't listed for, or that isn't known."""
        version = version_of(tensorflow)
        if not self.span.is_all and (version is None or version not in self.span):
            return None
        always = self.entry.seen == "always" and (version is None or self.span.surely_has(version))
        return Defect(self.name, self.entry.reason, self.entry.described, self.table, always)

    def __str__(self) -> str:
        trial = "" if self.entry.trial == "*" else f", trial {self.entry.trial}"
        return f"{self.name}: guarantee {self.entry.guarantee}{trial} ({self.entry.reason})"


@dataclass(frozen=True)
class KnownDefects:
    """All that are listed; of several that fit the first counts, and so those of the user before ours."""

    ours: tuple[ListedDefect, ...]
    theirs: tuple[ListedDefect, ...] = ()

    def told(self, verdict: Verdict, guarantee: str, setting: Setting, tensorflow: str | None) -> Verdict:
        """What a verdict is with what is known: a FAIL that fits is KNOWN, and a PASS says what was listed for it."""
        here = [one for one in (*self.theirs, *self.ours) if one.is_of(guarantee, setting)]
        if verdict.state is State.FAIL:
            return _excused(verdict, [one for one in here if one.is_observed(verdict)], tensorflow)
        if verdict.state is State.PASS:
            listed = filter(None, (one.as_seen_by(tensorflow) for one in here if one.entry.seen))
            return dataclasses.replace(verdict, defect=next(listed, None))
        return verdict

    def unseen(self, records: Sequence[Record], tensorflow: Callable[[Setting], str | None]) -> list[ListedDefect]:
        """Those of the user that fit nothing in a run: nothing failed so, nor held where they say what that means."""
        return [one for one in self.theirs if not any(_is_good_for(one, record, tensorflow) for record in records)]


def _is_good_for(one: ListedDefect, record: Record, tensorflow: Callable[[Setting], str | None]) -> bool:
    if record.verdict.state is State.KNOWN:
        return (
            record.verdict.defect is not None
            and record.verdict.defect.id == one.name
            and record.verdict.defect.table == one.table
        )
    if record.verdict.state is not State.PASS or one.entry.seen is None:
        return False
    is_listed = one.is_of(record.guarantee, record.setting)
    return is_listed and one.as_seen_by(tensorflow(record.setting)) is not None


def _excused(verdict: Verdict, fitting: list[ListedDefect], tensorflow: str | None) -> Verdict:
    for one in fitting:
        defect = one.as_seen_by(tensorflow)
        if defect is not None:
            return dataclasses.replace(verdict, state=State.KNOWN, defect=defect)
    if fitting and version_of(tensorflow) is None:
        note = f"this is known of {fitting[0].span}, and which version this is isn't"
        return dataclasses.replace(verdict, given="; ".join(filter(None, (verdict.given, note))))
    return verdict


def load_ours(guarantees: Collection[str]) -> tuple[ListedDefect, ...]:
    """What this package lists, for guarantees that there are. Raises DefectsError."""
    text = (resources.files("pytest_tfkernel.suite.defects") / _OURS).read_bytes()
    try:
        entries = msgspec.toml.decode(text, type=_Table).defect
    except ValueError as error:
        raise DefectsError(f"{_OURS} is not a list of known defects: {error}") from None
    for number, entry in enumerate(entries, 1):
        for name in ("id", "since", "seen", "described"):
            if not getattr(entry, name):
                raise DefectsError(f"{_OURS}, defect {number} has no {name}")
    return _checked(entries, f"{_OURS} of pytest-tfkernel", guarantees)


def load_theirs(path: Path, guarantees: Collection[str]) -> tuple[ListedDefect, ...]:
    """What a file of the user's lists. Raises DefectsError."""
    try:
        entries = msgspec.json.decode(path.read_bytes(), type=list[DefectEntry])
    except OSError as error:
        raise DefectsError(f"{path} can't be read: {error.strerror}") from None
    except ValueError as error:
        # One of a name that no file can have, of msgspec's, or of UTF-8.
        raise DefectsError(f"{path} is not a list of known defects: {error}") from None
    named = [
        entry if entry.id else msgspec.structs.replace(entry, id=f"entry {number}")
        for number, entry in enumerate(entries, 1)
    ]
    return _checked(named, path.name, guarantees, str(path))


def _checked(
    entries: list[DefectEntry], table: str, guarantees: Collection[str], place: str = ""
) -> tuple[ListedDefect, ...]:
    found: dict[str, ListedDefect] = {}
    for entry in entries:
        if entry.id in found:
            raise DefectsError(f"{place or table} has two entries {entry.id!r}")
        found[entry.id] = ListedDefect.of(entry, table, f"{place or table}, {entry.id}", guarantees)
    return tuple(found.values())
