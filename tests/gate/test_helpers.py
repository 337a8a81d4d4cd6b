"""Helpers that live as long as pytest, as they are met."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel.gate.accounts import Account, Owner
from pytest_tfkernel.gate.helpers import Helpers
from pytest_tfkernel.gate.known import Known
from pytest_tfkernel.gate.leases import Leases
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Kind

Start = Callable[..., ProcessId]
HELPER = "sh -c : helper*"


@pytest.fixture
def leases() -> Iterator[Leases]:
    leases = Leases()
    yield leases
    leases.restore()


@pytest.fixture
def helpers(leases: Leases) -> Helpers:
    return Helpers([Known(Kind.PROCESS, HELPER, "a helper"), Known(Kind.FILE, "/tmp/known-*", "a folder")], leases)


@pytest.fixture
def account(leases: Leases) -> Account:
    return Account(Owner("test_one"), leases.new())


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> ProcessId:
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE))
        return ProcessId(started[-1].pid, proc.start_time(started[-1].pid) or 0)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def names(helpers: Helpers) -> list[str]:
    return [known.what for known in helpers.met.values()]


def test_one_is_found_by_its_kind_and_what_it_is_called(helpers: Helpers) -> None:
    found = helpers.find(Kind.FILE, "/tmp/known-1")
    assert found is not None
    assert found.what == "a folder"
    assert helpers.find(Kind.PROCESS, "/tmp/known-1") is None
    assert names(helpers) == []


def test_one_that_is_on_no_account_is_not_looked_at(helpers: Helpers, account: Account, start: Start) -> None:
    helpers.meet([(account, start("sh", "-c", ": helper; read line"))])
    assert names(helpers) == []


def test_one_that_is_met_is_taken_off_the_account_and_follows(
    helpers: Helpers, leases: Leases, account: Account, start: Start
) -> None:
    helper, other = start("sh", "-c", ": helper; read line"), start("sh", "-c", "read line")
    for process in (helper, other):
        account.add(process)
    helpers.meet([(account, helper), (account, other)])
    assert account.members == {other}
    # That it was there is remembered: it may have made something.
    assert account.pids == {helper.pid, other.pid}
    assert names(helpers) == ["a helper"]
    assert (leases.follows(helper.pid), leases.follows(other.pid)) == (True, False)


def test_what_a_helper_forks_has_its_command_line_and_is_none(
    helpers: Helpers, leases: Leases, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Until it is known, the parent of this one is any process; then it is one that follows us.
    fork = start("sh", "-c", ": helper; read line")
    monkeypatch.setattr(proc, "command_line", lambda _: "sh -c : helper")
    leases.follow(ProcessId(os.getpid(), 1))
    assert not helpers.is_one(fork)
    assert names(helpers) == []


def test_one_that_has_ended_is_none(helpers: Helpers, monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["sh", "-c", ": helper; true"]) as process:
        gone = ProcessId(process.pid, proc.start_time(process.pid) or 0)
    # Its command line was read before.
    monkeypatch.setattr(proc, "command_line", lambda _: "sh -c : helper")
    assert not helpers.is_one(gone)
    assert names(helpers) == []


def test_one_is_known_when_it_executes_its_program(
    helpers: Helpers, leases: Leases, account: Account, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Until then it has the command line of its parent.
    one = start("sh", "-c", "read line")
    account.add(one)
    helpers.meet([(account, one)])
    assert account.members == {one}
    monkeypatch.setattr(proc, "command_line", lambda _: "sh -c : helper")
    helpers.meet([])
    assert account.members == set()
    assert names(helpers) == ["a helper"]
    assert leases.follows(one.pid)
    # A third time nobody looks.
    account.add(one)
    helpers.meet([])
    helpers.meet([])
    assert account.members == {one}
