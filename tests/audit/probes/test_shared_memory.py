"""POSIX shared memory and named semaphores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accounts import LEADERLESS, Account, as_nobody
from pytest_tfkernel.audit.probes.processes import Processes
from pytest_tfkernel.audit.probes.shared_memory import SharedMemory
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.model.resources import Kind, Resource

OpenAccount = Callable[..., Account]

# For cells: an object that stays, mapped or only open.
MAKE = f"""{LEADERLESS}
import mmap
def opened(path):
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    os.ftruncate(descriptor, 4096)
    return descriptor
def mapped(path):
    descriptor = opened(path)
    global memory
    memory = mmap.mmap(descriptor, 4096)
    os.close(descriptor)
    # Python keeps a copy of it.
    copies = [name for name in range(100) if os.path.lexists("/proc/self/fd/%d" % name)]
    for copy in [name for name in copies if os.readlink(b"/proc/self/fd/%d" % name) == os.fsencode(path)]:
        os.close(copy)
"""


@pytest.fixture
def path() -> Iterator[str]:
    """Of an object that isn't there yet."""
    name = f"/dev/shm/tfkernel-test-{os.getpid()}"
    yield name
    Path(name).unlink(missing_ok=True)


@pytest.mark.parametrize("how", ["mapped", "opened"])
def test_an_object_that_keeps_its_name_is_found(account: Account, path: str, how: str) -> None:
    account.run(f"{MAKE}\nkept = {how}({path!r})", "the first cell")
    (leak,) = account.die().leaks
    assert (leak.resource.kind, leak.resource.name, leak.resource.detail) == (Kind.SHARED_MEMORY, path, "4096 bytes")
    assert (leak.resource.holders, leak.since) == ((), "the first cell")


def test_an_object_is_noted_with_its_holders_while_they_live(account: Account, path: str) -> None:
    pid = account.run(f"{MAKE}\nkept = opened({path!r})\nchild(mapped, {path!r})")
    (leak,) = account.leaks(Kind.SHARED_MEMORY)
    assert [holder.process.pid for holder in leak.resource.holders] == [pid]


@pytest.mark.parametrize("how", ["mapped", "opened"])
def test_threads_that_outlive_the_first_one_hold_objects(account: Account, path: str, how: str) -> None:
    pid = account.run(f"{MAKE}\nleaderless(lambda: {how}({path!r}))")
    (leak,) = account.leaks(Kind.SHARED_MEMORY)
    assert [holder.process.pid for holder in leak.resource.holders] == [pid]


@pytest.mark.parametrize(("mode", "is_blind"), [(0o600, False), (0o644, True)])
def test_processes_of_others_matter_only_where_they_may_use_it(path: str, mode: int, is_blind: bool) -> None:
    # Process 1 is another user's, who isn't shown what it uses.
    def look() -> list[bool]:
        os.close(os.open(path, os.O_CREAT, mode))
        probe, table = SharedMemory(), Table()
        resource = Resource(Kind.SHARED_MEMORY, path, str(Path(path).stat().st_ino))
        return [probe.persists(table, resource), bool(table.blind)]

    assert as_nobody(look) == [True, is_blind]


def test_an_object_without_a_name_goes_with_its_last_process(account: Account, path: str) -> None:
    account.run(f"{MAKE}\nchild(lambda: (mapped({path!r}), os.unlink({path!r})))")
    assert account.leaks(Kind.SHARED_MEMORY) == []


def test_an_object_that_existed_before_is_not_blamed(open_account: OpenAccount, path: str) -> None:
    Path(path).write_bytes(bytes(4096))
    account = open_account()
    account.run(f"{MAKE}\nmapped({path!r})")
    assert account.die().leaks == ()


@pytest.mark.parametrize("how", ["mapped", "opened"])
def test_an_object_that_another_process_uses_is_not_blamed(
    account: Account, neighbour: Account, path: str, how: str
) -> None:
    account.run(f"{MAKE}\nmapped({path!r})")
    neighbour.do(f"{MAKE}\nkept = {how}({path!r})")
    assert account.die().leaks == ()


def test_each_kernel_is_blamed_for_its_own_object(account: Account, neighbour: Account, path: str) -> None:
    account.run(f"{MAKE}\nmapped({path!r})")
    neighbour.run(f"{MAKE}\nmapped({path + '-other'!r})")
    try:
        assert [leak.resource.name for leak in account.die().leaks] == [path]
        assert [leak.resource.name for leak in neighbour.die().leaks] == [f"{path}-other"]
    finally:
        Path(f"{path}-other").unlink()


def test_a_new_object_of_an_old_name_is_another_one(account: Account, path: str) -> None:
    account.run(f"{MAKE}\nmapped({path!r})")
    Path(path).unlink()
    Path(path).touch()
    assert account.die().leaks == ()


def test_an_object_that_is_removed_in_time_is_no_leak(account: Account, path: str) -> None:
    # As multiprocessing's resource tracker does.
    cell = f"""{MAKE}
mapped({path!r})
def clean_up():
    import select, time
    gone = os.pidfd_open(os.getppid())
    os.write(told, b"x")
    select.select([gone], [], [])
    time.sleep(0.1)
    os.unlink({path!r})
    os._exit(0)
hear, told = os.pipe()
if os.fork() == 0:
    clean_up()
os.read(hear, 1)
"""
    account.run(cell)
    audit = account.die(10.0)
    assert (audit.leaks, audit.blind) == ((), ())
    assert 0 < audit.seconds < 10


def test_a_named_semaphore_is_found(account: Account) -> None:
    name = f"/tfkernel-{os.getpid()}"
    account.run(f"import _multiprocessing\nkept = _multiprocessing.SemLock(1, 1, 1, {name!r}, False)", "the first cell")
    try:
        (leak,) = account.die().leaks
    finally:
        Path(f"/dev/shm/sem.{name[1:]}").unlink()
    assert (leak.resource.kind, leak.resource.name) == (Kind.SEMAPHORE, f"/dev/shm/sem.{name[1:]}")
    assert leak.since == "the first cell"


def test_an_object_may_have_any_name(account: Account, path: str) -> None:
    name = os.fsencode(path) + b" \n\xff"
    account.run(f"{MAKE}\nmapped({name!r})")
    try:
        (leak,) = account.die().leaks
    finally:
        os.unlink(name)  # noqa: PTH108 - bytes of no encoding
    assert os.fsencode(leak.resource.name) == name
    assert "\n" not in str(leak)
    str(leak).encode()


def test_a_folder_that_is_missing_is_told(open_account: OpenAccount, tmp_path: Path) -> None:
    account = open_account(Processes(), SharedMemory(tmp_path / "missing"))
    account.run("1")
    audit = account.die()
    assert audit.leaks == ()
    assert [(blind.kind, blind.place) for blind in audit.blind] == [(Kind.SHARED_MEMORY, str(tmp_path / "missing"))]


def test_what_is_mapped_of_other_folders_is_no_object(account: Account, tmp_path: Path) -> None:
    account.run(f"{MAKE}\nmapped({str(tmp_path / 'file')!r})\nchild(int)")
    assert account.leaks(Kind.SHARED_MEMORY) == []
