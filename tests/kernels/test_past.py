"""What a kernel has been through is kept, and not for ever."""

from __future__ import annotations

import dataclasses

from pytest_tfkernel.kernels.past import Past
from pytest_tfkernel.model.cells import CellError
from pytest_tfkernel.model.kernels import Reply
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer, PostMortem, ProcessId

REPLY = Reply(ok=True, value=None, stdout="out", stderr="err", error=None, seconds=0.1)
DEAD = PostMortem(ProcessId(7, 1), 1, ExitStatus(signal=9), Cause.SIGNAL, Killer.US, None, 1.5, None, "", "", "")


def test_the_last_cells_are_kept_with_what_came_of_them() -> None:
    past = Past()
    for number in range(7):
        past.replied(2, f"x = {number}", REPLY)
    past.replied(3, "y", dataclasses.replace(REPLY, ok=False, error=CellError("NameError", "y", "Traceback: y")))
    assert [(one.number, one.cell) for one in past.cells[:2]] == [(4, "x = 3"), (5, "x = 4")]
    assert len(past.cells) == 5
    last = past.cells[-1]
    assert (last.number, last.generation, last.stdout, last.stderr) == (8, 3, "out", "err")
    assert last.error == "Traceback: y"


def test_of_long_texts_the_end_is_kept_and_of_a_long_cell_the_beginning() -> None:
    past = Past()
    past.replied(1, "begin" + "x" * 10_000, dataclasses.replace(REPLY, stdout="x" * 10_000 + "end"))
    (one,) = past.cells
    assert one.cell.startswith("begin")
    assert one.stdout.endswith("end")
    assert max(len(one.cell), len(one.stdout)) < 5_000


def test_a_death_is_kept_once_and_a_hundred_are() -> None:
    past = Past()
    past.died(DEAD)
    past.died(DEAD)
    assert past.deaths == (DEAD,)
    for pid in range(150):
        past.died(dataclasses.replace(DEAD, process=ProcessId(pid, 1)))
    assert [one.process.pid for one in past.deaths] == list(range(50, 150))
