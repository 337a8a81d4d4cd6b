"""The lines to type that run one guarantee, or a trial of something."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.guarantees import Guarantee
from pytest_tfkernel.suite.settings import HARMFUL, settings
from pytest_tfkernel.suite.sizes import FULL, STANDARD

PREFIX = "tfkernel::"
Choice = Callable[[Setting], bool]


def of_guarantee(one: Guarantee) -> Iterator[tuple[str, str]]:
    """All of its trials, and a single one."""
    size, played = _first(one.applies)
    if not played:
        return
    yield "run it", f"pytest {PREFIX}{one.id}{_sized(size)}"
    yield "in one trial", f'pytest "{PREFIX}{one.id}[{_simplest(played)}]"{_allowed(_simplest(played))}'


def of_trials(fits: Choice, allow: str = "") -> Iterator[tuple[str, str]]:
    """One trial of those that fit, with all its guarantees; of a fault that harms, with leave to play it."""
    size, played = _first(fits, allow)
    if played:
        # With the bracket, since names of other trials may end in the same words.
        yield "run it", f'pytest --tfkernel{_sized(size)}{_allowed(_simplest(played))} -k "[{_simplest(played)}]"'


def _first(fits: Choice, allow: str = "") -> tuple[str, list[Setting]]:
    """The smaller of the sizes that have any, and those."""
    # The smaller one is part of what runs by default.
    for size in (STANDARD, FULL):
        found = [one for one in settings(size, allow=(allow,) if allow else HARMFUL) if fits(one)]
        if found:
            return size, found
    return STANDARD, []


def _simplest(played: list[Setting]) -> Setting:
    """An idle kernel of ours that is killed, where there is one: it takes the least time to look at."""
    return min(played, key=lambda one: (one.provisioner != "forkserver", one.phase != "idle", one.fault != "sigkill"))


def _sized(size: str) -> str:
    return "" if size == STANDARD else f" --tfkernel-size={size}"


def _allowed(one: Setting) -> str:
    return f" --tfkernel-allow={one.fault}" if one.fault in HARMFUL else ""
