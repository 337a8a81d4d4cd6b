"""System V shared memory."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator

import pytest

from accounts import CHILD, Account
from pytest_tfkernel.model.resources import Kind

OpenAccount = Callable[..., Account]

# For cells: shmget, shmat and shmctl(IPC_RMID).
SEGMENTS = f"""{CHILD}
import ctypes
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
libc.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
def make():
    return libc.shmget(0, 8192, 0o1600)
def attach(segment):
    assert libc.shmat(segment, None, 0) not in (None, ctypes.c_void_p(-1).value)
def remove(segment):
    assert libc.shmctl(segment, 0, None) == 0
"""


@pytest.fixture
def removed() -> Iterator[Callable[[int], None]]:
    """Remove a segment after the test."""
    segments: list[int] = []
    yield segments.append
    for segment in segments:
        ctypes.CDLL(None).shmctl(segment, 0, None)


@pytest.mark.parametrize("is_attached", [True, False])
def test_a_segment_is_found_by_its_maker(account: Account, removed: Callable[[int], None], is_attached: bool) -> None:
    segment = account.run(f"{SEGMENTS}\nsegment = make()\n{'attach(segment)' if is_attached else ''}\nsegment", "first")
    removed(segment)
    (leak,) = account.die().leaks
    assert (leak.resource.kind, leak.resource.name, leak.since) == (Kind.SEGMENT, f"shmid {segment}", "first")
    assert leak.resource.detail == f"8192 bytes, made by process {account.kernel.pid}, 0 attached"


def test_a_segment_that_a_surviving_child_uses_is_found(account: Account, removed: Callable[[int], None]) -> None:
    segment = account.run(f"{SEGMENTS}\nsegment = make()\nattach(segment)\nchild(int)\nsegment")
    removed(segment)
    (leak,) = account.leaks(Kind.SEGMENT)
    assert leak.resource.name == f"shmid {segment}"
    assert leak.resource.detail.endswith("1 attached")


def test_a_segment_that_was_removed_is_no_leak_while_it_is_used(account: Account) -> None:
    account.run(f"{SEGMENTS}\nsegment = make()\nattach(segment)\nchild(int)\nremove(segment)")
    assert account.leaks(Kind.SEGMENT) == []


def test_a_segment_that_another_process_uses_is_not_blamed(
    account: Account, neighbour: Account, removed: Callable[[int], None]
) -> None:
    segment = account.run(f"{SEGMENTS}\nsegment = make()\nattach(segment)\nsegment")
    removed(segment)
    neighbour.run(f"{SEGMENTS}\nattach({segment})")
    assert account.die().leaks == ()
    assert neighbour.die().leaks == ()


def test_each_kernel_is_blamed_for_its_own_segment(
    account: Account, neighbour: Account, removed: Callable[[int], None]
) -> None:
    made = [one.run(f"{SEGMENTS}\nsegment = make()\nsegment") for one in (account, neighbour)]
    for one, segment in zip((account, neighbour), made, strict=True):
        removed(segment)
        assert [leak.resource.name for leak in one.die().leaks] == [f"shmid {segment}"]


def test_a_segment_that_existed_before_is_not_blamed(
    open_account: OpenAccount, neighbour: Account, removed: Callable[[int], None]
) -> None:
    segment = neighbour.do(f"{SEGMENTS}\nsegment = make()\nsegment")
    removed(segment)
    account = open_account()
    account.run(f"{SEGMENTS}\nattach({segment})\nchild(int)")
    assert account.leaks(Kind.SEGMENT) == []
