"""File locks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from accounts import LEADERLESS, Account
from pytest_tfkernel.model.resources import Kind

# For cells. 37 is F_OFD_SETLK, a lock of the open file itself, which is in no module before Python 3.9.
LOCKS = f"""{LEADERLESS}
import fcntl, struct
def opened(path):
    global file
    file = open(path, "wb")
    return file
def flock(path):
    fcntl.flock(opened(path), fcntl.LOCK_EX)
def lockf(path):
    fcntl.lockf(opened(path), fcntl.LOCK_EX)
def ofd(path):
    fcntl.fcntl(opened(path), 37, struct.pack("hhlli", fcntl.F_WRLCK, 0, 0, 0, 0))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.lock"


def test_a_lock_that_a_child_has_inherited_is_found(account: Account, path: Path) -> None:
    pid = account.run(f"{LOCKS}\nflock({str(path)!r})\nchild(int)", "the first cell")
    (leak,) = account.leaks(Kind.LOCK)
    assert (leak.resource.name, leak.since) == (str(path), "the first cell")
    assert [holder.process.pid for holder in leak.resource.holders] == [pid]
    assert leak.resource.detail == f"FLOCK, taken by process {account.kernel.pid}"


@pytest.mark.parametrize(
    ("how", "detail"),
    [("flock", "FLOCK, taken by process {pid}"), ("lockf", "POSIX, taken by process {pid}"), ("ofd", "OFDLCK")],
)
def test_a_lock_that_a_child_has_taken_is_found(account: Account, path: Path, how: str, detail: str) -> None:
    pid = account.run(f"{LOCKS}\nchild({how}, {str(path)!r})")
    (leak,) = account.leaks(Kind.LOCK)
    assert (leak.resource.name, leak.resource.detail) == (str(path), detail.format(pid=pid))


def test_a_lock_names_all_that_hold_it(account: Account, path: Path) -> None:
    pids = account.run(f"{LOCKS}\nflock({str(path)!r})\n[child(int), child(int)]")
    (leak,) = account.leaks(Kind.LOCK)
    assert sorted(holder.process.pid for holder in leak.resource.holders) == sorted(pids)


@pytest.mark.parametrize("how", ["flock", "lockf", "ofd"])
def test_a_lock_goes_with_its_last_process(account: Account, path: Path, how: str) -> None:
    account.run(f"{LOCKS}\n{how}({str(path)!r})")
    assert account.die().leaks == ()


def test_a_lock_of_the_process_is_not_inherited(account: Account, path: Path) -> None:
    account.run(f"{LOCKS}\nlockf({str(path)!r})\nchild(int)")
    assert account.leaks(Kind.LOCK) == []


def test_threads_that_outlive_the_first_one_hold_locks(account: Account, path: Path) -> None:
    pid = account.run(f"{LOCKS}\nleaderless(lambda: flock({str(path)!r}))")
    (leak,) = account.leaks(Kind.LOCK)
    assert [holder.process.pid for holder in leak.resource.holders] == [pid]


def test_a_lock_of_a_neighbour_on_the_same_file_is_not_blamed(account: Account, neighbour: Account, path: Path) -> None:
    neighbour.run(f"{LOCKS}\nflock({str(path)!r})\nchild(int)")
    account.run(f"{LOCKS}\nopened({str(path)!r})\nchild(int)")
    assert account.leaks(Kind.LOCK) == []
    assert [leak.resource.name for leak in neighbour.leaks(Kind.LOCK)] == [str(path)]


def test_a_lock_that_is_waited_for_is_nobody_s_yet(account: Account, neighbour: Account, path: Path) -> None:
    neighbour.run(f"{LOCKS}\nflock({str(path)!r})")
    account.do(f"{LOCKS}\nchild(lambda: os.fork() or flock({str(path)!r}))")
    assert account.leaks(Kind.LOCK) == []


def test_a_locked_file_may_have_any_name(account: Account, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/a \nb\xff"
    account.run(f"{LOCKS}\nflock({name!r})\nchild(int)")
    (leak,) = account.leaks(Kind.LOCK)
    assert os.fsencode(leak.resource.name) == name
    assert "\n" not in str(leak)
    str(leak).encode()


# A child inherits a lock whose taker ends; its own process is the look's only member.
CONTAINER = """
import fcntl, os, signal, sys
from pytest_tfkernel.audit.probes.base import Look
from pytest_tfkernel.audit.probes.locks import Locks
from pytest_tfkernel.audit.table import Table

reader, writer = os.pipe()
taker = os.fork()
if taker == 0:
    file = open(sys.argv[1], "wb")
    fcntl.flock(file, fcntl.LOCK_EX)
    heir = os.fork()
    if heir == 0:
        signal.pause()
    os.write(writer, str(heir).encode())
    os._exit(0)
os.waitpid(taker, 0)
heir = int(os.read(reader, 99))
table = Table()
entry = table.entry(heir)
for lock in Locks().held(Look(table, (entry,), frozenset([heir]), entry.process)):
    print(lock.name, lock.detail)
os.kill(heir, 9)
"""


def test_in_a_container_the_lock_of_a_dead_process_is_found(path: Path) -> None:
    unshare = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no pid namespace can be made here")
    command = [*unshare, sys.executable, "-c", CONTAINER, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert done.stdout == f"{path} FLOCK\n"
