"""A blow comes once: when its time has come, or when the script says that it is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from pytest_tfkernel._child import moments, proc
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.run.blows import BlowAtScript

OURSELVES = ProcessId(os.getpid(), proc.start_time(os.getpid()) or 0)
NEVER = float("inf")


@dataclass
class Bystander:
    """Stands for a life; its process is this one."""

    process: ProcessId = OURSELVES
    signals: list[int] = field(default_factory=list)

    def signal(self, number: int) -> bool:
        self.signals.append(number)
        return True


@dataclass
class Fist:
    """Stands for a blow; counts."""

    moment: dict[str, Any] | None
    seconds: float | None
    count: int = 0

    def strike(self, _: object) -> None:
        self.count += 1


@dataclass
class Ring:
    """A blow, what it hits, and the script's end of its socket."""

    blow: BlowAtScript
    fist: Fist
    life: Bystander
    theirs: int


@pytest.fixture
def knocked() -> Iterator[Ring]:
    fist, life = Fist({"knock": True}, 5.0), Bystander()
    ring = Ring(BlowAtScript(fist, cast("Any", life)), fist, life, -1)
    ring.theirs = ring.blow.pair()
    ring.blow.begin(100.0)
    yield ring
    ring.blow.close()
    os.close(ring.theirs)


def test_one_from_outside_comes_when_it_is_time() -> None:
    fist = Fist(None, 5.0)
    blow = BlowAtScript(fist, cast("Any", Bystander()))
    assert blow.deadline == NEVER
    blow.begin(100.0)
    blow.mind_the_time(104.9)
    assert (blow.deadline, blow.struck) == (105.0, False)
    for _ in range(2):
        blow.mind_the_time(105.0)
    assert (fist.count, blow.struck, blow.deadline) == (1, True, NEVER)
    # It has no end of a socket.
    blow.hear()


@pytest.mark.parametrize("closed", [False, True])
def test_a_signal_waits_until_the_script_has_begun_or_has_become_another_program(closed: bool) -> None:
    fist = Fist({"knock": False}, 5.0)
    blow = BlowAtScript(fist, cast("Any", Bystander()))
    theirs = blow.pair()
    blow.begin(100.0)
    blow.mind_the_time(200.0)
    assert (blow.deadline, fist.count) == (NEVER, 0)
    if not closed:
        os.write(theirs, moments.READY)
    os.close(theirs)
    blow.hear()
    blow.mind_the_time(200.0)
    assert (fist.count, blow.struck) == (1, True)
    blow.close()


def test_a_script_is_knocked_at_when_it_can_hear_it_and_says_itself_when_it_strikes(
    knocked: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proc, "catches", lambda *_: True)
    knocked.blow.mind_the_time(200.0)
    assert (knocked.blow.deadline, knocked.life.signals) == (NEVER, [])
    os.write(knocked.theirs, moments.READY)
    knocked.blow.hear()
    assert knocked.blow.deadline == 105.0
    for _ in range(2):
        knocked.blow.mind_the_time(200.0)
    assert (knocked.life.signals, knocked.blow.struck) == ([moments.KNOCK_SIGNAL], False)
    os.write(knocked.theirs, moments.THERE)
    knocked.blow.hear()
    assert (knocked.fist.count, knocked.blow.struck, os.read(knocked.theirs, 1)) == (1, True, moments.GO)
    assert knocked.blow.ours is None


def test_one_that_has_become_another_program_is_not_knocked_at(knocked: Ring) -> None:
    os.write(knocked.theirs, moments.READY)
    knocked.blow.hear()
    # This process has no handler, as little as a new program.
    knocked.blow.mind_the_time(200.0)
    assert (knocked.life.signals, knocked.blow.struck) == ([], False)


def test_one_that_has_closed_its_end_is_not_either(knocked: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proc, "catches", lambda *_: True)
    os.write(knocked.theirs, moments.READY)
    knocked.blow.hear()
    os.dup2(null := os.open(os.devnull, os.O_RDWR), knocked.theirs)
    os.close(null)
    knocked.blow.hear()
    knocked.blow.mind_the_time(200.0)
    assert (knocked.life.signals, knocked.blow.ours, knocked.blow.struck) == ([], None, False)
