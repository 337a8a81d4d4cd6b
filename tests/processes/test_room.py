"""Limits of the system, told with what a person raises."""

from __future__ import annotations

import errno

import pytest

from pytest_tfkernel.model.errors import KernelStartError, NoRoomError
from pytest_tfkernel.processes import room

LIMITS = {
    errno.EAGAIN: "raise `ulimit -u`",
    errno.EMFILE: "raise `ulimit -n`",
    errno.ENFILE: "the machine has no descriptor left",
    errno.ENOMEM: "there is no memory left",
}


@pytest.mark.parametrize(("number", "advice"), LIMITS.items())
def test_a_limit_is_told_with_advice(number: int, advice: str) -> None:
    found = room.error_for("it failed", number)
    assert isinstance(found, NoRoomError)
    assert str(found).startswith("it failed: ")
    assert advice in str(found)


@pytest.mark.parametrize("number", [None, errno.EPERM])
def test_another_error_is_none_of_room(number: int | None) -> None:
    found = room.error_for("it failed", number)
    assert (type(found), str(found)) == (KernelStartError, "it failed")


@pytest.mark.parametrize("number", LIMITS)
def test_within_what_needs_room_a_limit_says_what_it_prevents(number: int) -> None:
    with pytest.raises(NoRoomError, match=r"^no kernel: \[Errno \d+\] no more: ") as caught, room.Needed("no kernel"):
        raise OSError(number, "no more")
    # pytest shows neither where it came from nor a frame of ours.
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("error", [OSError(errno.EPERM, "no"), ValueError("no")])
def test_within_it_other_errors_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, room.Needed("no kernel"):
        raise error
    assert caught.value is error


def test_without_an_error_it_does_nothing() -> None:
    with room.Needed("no kernel"):
        pass
