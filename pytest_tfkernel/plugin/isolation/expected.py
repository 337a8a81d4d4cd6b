"""The marker `tfkernel_dies`: of what a test's process is to die."""

from __future__ import annotations

import signal
from dataclasses import dataclass

import pytest

from pytest_tfkernel.model.processes import Cause, ExitStatus, PostMortem, signal_name
from pytest_tfkernel.plugin.isolation.wishes import in_one_line

MARKER = "tfkernel_dies"

_CAUSES = {one.value: one for one in Cause if one is not Cause.UNKNOWN}
_HIGHEST_CODE = 255


@dataclass(frozen=True)
class Expected:
    """Any of these will do: causes, and exit statuses."""

    causes: frozenset[Cause]
    statuses: frozenset[ExitStatus]

    def is_met_by(self, post_mortem: PostMortem) -> bool:
        """Whether this death is the one."""
        return post_mortem.cause in self.causes or post_mortem.exit_status in self.statuses

    def __str__(self) -> str:
        return " or ".join(sorted([*(one.value for one in self.causes), *map(str, self.statuses)]))


def of(item: pytest.Item) -> Expected | None:
    """That of a test, by its nearest marker; None where it isn't to die.

    Raises ValueError, with a line that says what is wrong with the marker.
    """
    marker = item.get_closest_marker(MARKER)
    if marker is None:
        return None
    if marker.kwargs or not marker.args:
        raise ValueError(f"the marker {MARKER} takes what a test dies of: {_EXAMPLES}")
    found = [_read(one) for one in marker.args]
    return Expected(
        frozenset(one for one in found if isinstance(one, Cause)),
        frozenset(one for one in found if isinstance(one, ExitStatus)),
    )


_EXAMPLES = f"a signal such as 'sigsegv', an exit code such as 3, or one of {', '.join(map(repr, _CAUSES))}"


def _read(word: object) -> Cause | ExitStatus:
    if isinstance(word, signal.Signals):
        return ExitStatus(signal=int(word))
    if isinstance(word, int) and not isinstance(word, bool) and 0 <= word <= _HIGHEST_CODE:
        return ExitStatus(code=word)
    if isinstance(word, str):
        cause = _CAUSES.get(word.lower().replace("_", "-"))
        if cause is not None:
            return cause
        for number in range(1, signal.NSIG):
            if signal_name(number) == word.upper():
                return ExitStatus(signal=number)
    raise ValueError(f"the marker {MARKER}: {in_one_line(word)} must be {_EXAMPLES}")
