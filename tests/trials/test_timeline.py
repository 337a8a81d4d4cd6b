"""When what happened in a trial, and what the kernel held then."""

from __future__ import annotations

import os

from pytest_tfkernel._child import proc
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.trials import Moment, Setting
from pytest_tfkernel.suite.observing import observe
from pytest_tfkernel.trials.stage import Stage
from pytest_tfkernel.trials.timeline import Timeline

HERE = ProcessId(os.getpid(), proc.start_time(os.getpid()) or 0)


def test_moments_count_from_the_beginning_and_come_in_order() -> None:
    times = iter([100.0, 103.0])
    timeline = Timeline(clock=lambda: next(times))
    timeline.reached("noticed")
    timeline.reached("death", at=102.5)
    assert timeline.moments == (Moment("death", 2.5), Moment("noticed", 3.0))


def test_living_process_shows_what_it_holds_and_a_dead_one_does_not() -> None:
    timeline = Timeline(lambda: 7)
    timeline.reached("started", HERE)
    timeline.reached("cell", ProcessId(2**22 + 1, 1))
    (alive, dead) = timeline.moments
    assert (alive.memory or 0) > 1 << 20
    assert (alive.threads or 0) >= 1
    assert (alive.handles or 0) >= 3
    assert alive.gpu_memory == 7
    assert (dead.memory, dead.threads, dead.handles) == (None, None, None)


def test_last_look_before_a_fault_is_the_fault() -> None:
    timeline = Timeline()
    for name in ("cell", "fault", "cell", "death"):
        timeline.reached(name)
    assert [moment.name for moment in timeline.moments] == ["cell", "fault", "death"]


def test_a_line_does_not_grow_for_ever() -> None:
    timeline = Timeline()
    for _ in range(1000):
        timeline.reached("cell")
    assert len(timeline.moments) == 200


def test_a_trial_has_each_moment_in_its_order(stage: Stage, tensorflow_python: str) -> None:
    seen = observe(Setting("forkserver", "graph_add", "sigkill"), stage)
    moments = getattr(seen, "timeline", ())
    names = list(dict.fromkeys(moment.name for moment in moments))
    assert names == ["started", "cell", "fault", "death", "noticed", "settled", "restarted", "rebuilt"]
    held = {moment.name: moment.memory for moment in moments}
    assert held["fault"] is not None
    assert held["death"] is None
    assert held["rebuilt"] is not None
