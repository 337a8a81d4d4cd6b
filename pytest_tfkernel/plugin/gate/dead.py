"""Isolated tests whose process has died: the gate in it can say no more, and that of pytest's own process does."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import pytest

from pytest_tfkernel.gate.aftermath import Dead, DeadProcesses
from pytest_tfkernel.gate.findings import Allowance, Finding, Stray, Tally
from pytest_tfkernel.gate.known import Known
from pytest_tfkernel.model.resources import Blind, Kind
from pytest_tfkernel.plugin.gate import markers


class DeadTests:
    """Those of one session. Nothing that goes wrong in here reaches it: it is counted as not looked at."""

    def __init__(self, worker: str, known: Sequence[Known], *, alone: bool) -> None:
        # Beside those of a worker's own numbers.
        self._worker = f"{worker} (deaths)" if worker else "deaths"
        self._numbers = itertools.count()
        self._aftermath = DeadProcesses(known, alone=alone)
        self._strays: list[Stray] = []
        # The test before, and what has come in the turns of those whose process lives: it tells of that itself.
        self._running: pytest.Item | None = None
        self._candidates: list[Stray] = []
        self._used: set[Allowance] = set()
        self._blind: list[Blind] = []

    def begin(self, item: pytest.Item) -> None:
        """A test is about to begin in its own process."""
        before, self._running = self._running, item
        try:
            found = self._aftermath.before()
        except Exception as error:  # noqa: BLE001 - a session that we can't serve goes on
            self._fail(f"the start of {item.nodeid}", error)
            return
        if before is not None:
            allowed = {allowance.kind for allowance in markers.allowances(before)}
            self._candidates += (Stray(one, (before.nodeid,)) for one in found if one.kind.value not in allowed)

    def ended(self) -> None:
        """The process of a test has told what there is to tell."""
        self._candidates.clear()

    def judge(self, item: pytest.Item, dead: Dead) -> list[Finding]:
        """What the process of a test has left, if that isn't allowed."""
        try:
            remains = self._aftermath.after(dead)
        except Exception as error:  # noqa: BLE001 - a session that we can't serve goes on
            self._fail(f"what {item.nodeid} left", error)
            return []
        self._strays += (*self._candidates, *(Stray(one, (item.nodeid,)) for one in remains.strays))
        self._candidates.clear()
        allowed = markers.allowances(item)
        left = []
        for one in remains.proven:
            allowing = {allowance for allowance in allowed if allowance.kind == one.kind.value}
            self._used |= allowing
            if not allowing:
                left.append(one)
        return [Finding(self._worker, next(self._numbers), item.nodeid, "", tuple(left))] if left else []

    def tally(self) -> Tally:
        """What there is to tell, but for the findings, which reports have told."""
        blind = Counter(f"{one.place}: {one.reason}" for one in (*self._blind, *self._aftermath.blind))
        strays = tuple(one for one in self._strays if self._aftermath.is_left(one.thing))
        return Tally(strays=strays, used=frozenset(self._used), blind=blind)

    def _fail(self, what: str, error: Exception) -> None:
        self._blind.append(Blind(Kind.PROCESS, what, f"{type(error).__name__}: {error}"))
