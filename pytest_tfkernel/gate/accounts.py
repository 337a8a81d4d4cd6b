"""Accounts: what a test, or a fixture wider than one test, has begun and not yet ended."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from pytest_tfkernel.gate.findings import Allowance
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Key, Kind, Resource


@dataclass(frozen=True)
class Owner:
    """Whose an account is: a test's, or a fixture's; with neither it is the session's own.

    `fixture` describes it, `name` is what tests ask for.
    """

    test: str = ""
    fixture: str = ""
    name: str = ""

    def __str__(self) -> str:
        return self.fixture or self.test or "outside of tests"


class Account:
    """What has appeared in the name of one owner.

    `paths` were made by pytest's own process, whichever thread it was; `threads` are its own, by `id`; `things` are
    held by it, or exist by themselves; `members` are processes that it has started, and all that these have; `strays`
    are things that appeared meanwhile, and whose maker is gone. `value` is that of the fixture; `interrupts` whose turn
    it was when its teardown began.
    """

    def __init__(self, owner: Owner, lease: int) -> None:
        self.owner = owner
        self.lease = lease
        self.paths: dict[str, Kind] = {}
        self.things: dict[Key, Resource] = {}
        self.strays: dict[Key, Resource] = {}
        self.threads: dict[int, threading.Thread] = {}
        self.members: set[ProcessId] = set()
        # Also of those that have ended since.
        self.pids: set[int] = set()
        self.allowances: set[Allowance] = set()
        self.value: object = None
        self.interrupts: Account | None = None

    def add(self, process: ProcessId) -> None:
        """Put a process on the account."""
        self.members.add(process)
        self.pids.add(process.pid)
