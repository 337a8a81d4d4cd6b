"""The marker `tfkernel_dies` reads causes, signals and exit codes, and nothing else."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import Any, cast

import pytest

from mortal import MORTAL
from pytest_tfkernel.model.processes import Cause, ExitStatus
from pytest_tfkernel.plugin.isolation import expected


class Marked:
    def __init__(self, *args: object, **kwargs: object) -> None:
        self._mark = (
            pytest.mark.tfkernel_dies(*args, **kwargs).mark if args or kwargs else pytest.mark.tfkernel_dies.mark
        )

    def get_closest_marker(self, name: str) -> pytest.Mark:
        assert name == "tfkernel_dies"
        return self._mark


def of(*args: object, **kwargs: object) -> expected.Expected | None:
    return expected.of(cast("Any", Marked(*args, **kwargs)))


@pytest.mark.parametrize(
    ("word", "status", "cause"),
    [
        ("sigsegv", ExitStatus(signal=11), Cause.SIGNAL),
        ("SIGKILL", ExitStatus(signal=9), Cause.SIGNAL),
        (signal.SIGTERM, ExitStatus(signal=15), Cause.SIGNAL),
        (0, ExitStatus(code=0), Cause.EXIT),
        (11, ExitStatus(code=11), Cause.EXIT),
        ("exit", ExitStatus(code=7), Cause.EXIT),
        ("signal", ExitStatus(signal=1), Cause.SIGNAL),
        ("oom-kill", ExitStatus(signal=9), Cause.OOM_KILL),
        ("OOM_KILL", ExitStatus(signal=9), Cause.OOM_KILL),
        ("deadline", ExitStatus(signal=9), Cause.DEADLINE),
    ],
)
def test_a_death_is_told_from_others(word: object, status: ExitStatus, cause: Cause) -> None:
    found = of(word)
    assert found is not None
    assert found.is_met_by(replace(MORTAL, exit_status=status, cause=cause))
    assert not found.is_met_by(replace(MORTAL, exit_status=ExitStatus(signal=13), cause=Cause.UNKNOWN))


def test_any_of_several_will_do() -> None:
    found = of("sigabrt", 3)
    assert str(found) == "SIGABRT or exit code 3"
    assert found is not None
    assert found.is_met_by(replace(MORTAL, exit_status=ExitStatus(code=3), cause=Cause.EXIT))


@pytest.mark.parametrize("word", ["", "abrt", "unknown", "signal 40x", -1, 256, True, None, 1.5, ("sigsegv",), [3]])
def test_nonsense_is_a_line_that_says_what_can_be_given(word: object) -> None:
    with pytest.raises(ValueError, match="must be a signal such as 'sigsegv', an exit code such as 3") as caught:
        of(word)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((), {"signal": 3}), ((3,), {"x": 1})])
def test_something_must_be_given_and_not_by_name(args: tuple[object, ...], kwargs: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="the marker tfkernel_dies takes what a test dies of"):
        of(*args, **kwargs)
