"""Processes, zombies, and threads that outlive the first one."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from accounts import CHILD, LEADERLESS, Account
from pytest_tfkernel._child import proc
from pytest_tfkernel.audit.probes.base import Look
from pytest_tfkernel.audit.probes.processes import Processes
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.model.resources import Kind, Leak

ORPHAN = "import subprocess; subprocess.Popen(['sleep', '61']).pid"


def pids(leaks: list[Leak]) -> list[int]:
    return [int(leak.resource.name) for leak in leaks]


def test_an_orphan_is_a_process(account: Account) -> None:
    pid = account.run(ORPHAN, "the first cell")
    (leak,) = account.die().leaks
    assert (leak.resource.kind, leak.resource.name) == (Kind.PROCESS, str(pid))
    assert leak.resource.detail.startswith("sleep 61, ")
    assert (leak.lease, leak.since) == (account.kernel.life.lease, "the first cell")


def test_a_kernel_that_lives_is_no_leak(account: Account) -> None:
    account.run("import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()")
    assert account.ledger.audit(0.0).leaks == ()


def test_each_kernel_is_blamed_for_its_own_orphan(account: Account, neighbour: Account) -> None:
    pid, other = account.run(ORPHAN), neighbour.run(ORPHAN)
    assert pids(account.leaks(Kind.PROCESS)) == [pid]
    assert pids(neighbour.leaks(Kind.PROCESS)) == [other]


@pytest.mark.parametrize("is_noted", [True, False])
def test_a_daemon_with_an_empty_environment_is_found(account: Account, escape: str, is_noted: bool) -> None:
    pid = account.run(escape) if is_noted else account.do(escape)
    (leak,) = account.leaks(Kind.PROCESS)
    assert pids([leak]) == [pid]
    assert leak.since == ("a cell" if is_noted else "")


SHED = "import resource; resource.setrlimit(10, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))"


def test_a_process_that_sheds_its_lease_is_known_by_its_session(account: Account) -> None:
    pid = account.do(f"{CHILD}\n{SHED}\nchild(exec, {SHED!r})")
    try:
        assert proc.lease_of(pid) is None
        assert pids(account.leaks(Kind.PROCESS)) == [pid]
    finally:
        os.kill(pid, 9)


def test_a_process_that_sheds_its_lease_and_session_is_known_by_its_parent(account: Account) -> None:
    pid = account.run(f"{CHILD}\nchild(exec, {SHED + '; os.setsid()'!r})")
    try:
        assert (proc.lease_of(pid), os.getsid(pid)) == (None, pid)
        assert pids(account.leaks(Kind.PROCESS)) == [pid]
    finally:
        os.kill(pid, 9)


def test_a_process_that_sheds_everything_is_known_by_its_cgroup(
    open_account: Callable[..., Account], needs_cgroup: Callable[[str], None]
) -> None:
    needs_cgroup("pids")
    account = open_account(spec={"process_limit": 50})
    twice = f"{SHED}; os.setsid(); os.fork() and os._exit(0); os.write(told, b'%d' % os.getpid())"
    cell = f"{CHILD}\nhear, told = os.pipe()\nif os.fork() == 0:\n    exec({twice!r})\n    wait()\nos.wait(); int(os.read(hear, 99))"
    pid = account.do(cell)
    try:
        assert proc.lease_of(pid) is None
        assert pids(account.leaks(Kind.PROCESS)) == [pid]
    finally:
        os.kill(pid, 9)


def test_a_zombie_names_the_parent_that_does_not_wait_for_it(account: Account) -> None:
    cell = f"""{CHILD}
def neglect():
    os.waitid(os.P_PID, os.fork() or os._exit(0), os.WEXITED | os.WNOWAIT)
child(neglect)
"""
    parent = account.run(cell)
    audit = account.die()
    (zombie,) = [leak.resource for leak in audit.leaks if leak.resource.kind is Kind.ZOMBIE]
    assert pids([leak for leak in audit.leaks if leak.resource.kind is Kind.PROCESS]) == [parent]
    assert zombie.detail.endswith(f", of {parent}")


def test_a_process_that_becomes_a_zombie_is_since_the_cell_that_made_it(
    account: Account, await_death: Callable[[int], None]
) -> None:
    parent = account.run(f"{CHILD}\nchild(lambda: child(lambda: None))", "the first cell")
    (pid,) = [one["pid"] for one in proc.descendants(parent)]
    os.kill(pid, 9)
    await_death(pid)
    (leak,) = account.leaks(Kind.ZOMBIE)
    assert (pids([leak]), leak.since) == ([pid], "the first cell")


def test_threads_that_outlive_the_first_one_are_found(account: Account) -> None:
    pid = account.run(f"{LEADERLESS}\nleaderless(lambda: None)")
    (leak,) = account.die().leaks
    assert (leak.resource.kind, leak.resource.name) == (Kind.THREAD, str(pid))
    assert leak.resource.detail.startswith("1 of ")


def test_an_owner_that_is_a_zombie_is_one() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    table = Table()
    entry = table.entry(pid)
    assert entry is not None
    (resource,) = Processes().held(Look(table, (entry,), frozenset([pid]), entry.process))
    os.waitpid(pid, 0)
    assert resource.kind is Kind.ZOMBIE


@pytest.mark.parametrize("name", [b") (", b") R 1 (x", b"a\nb) Z 1", b"\xff\xfe"])
def test_a_process_may_have_any_name(account: Account, name: bytes) -> None:
    rename = "import ctypes; ctypes.CDLL(None).prctl(15, {name!r}, 0, 0, 0)".replace("{name!r}", repr(name))
    pid = account.run(f"{CHILD}\nchild(exec, {rename!r})")
    (leak,) = account.die().leaks
    assert (leak.resource.kind, leak.resource.name) == (Kind.PROCESS, str(pid))
    assert "\n" not in str(leak)
    str(leak).encode()
