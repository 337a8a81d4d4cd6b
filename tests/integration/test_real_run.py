"""Real kernels under a real worker: each is killed once, and what went wrong is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from inner import Inner, counts
from pytest_tfkernel.report.store import load

pytest.importorskip("xdist")

SABOTEUR = Path(__file__).parents[1] / "saboteurs" / "keeps_its_graph.py"

# No cgroup can be made; the kernels of one trial misbehave; and every signal is noted.
HOSTILE = f"""
import dataclasses
import os
import pytest
from pathlib import Path
from pytest_tfkernel.processes.cgroups import CgroupUnavailableError
from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.processes.supervisor import Supervisor
from pytest_tfkernel.trials import plants, trial

patch = pytest.MonkeyPatch()

def find_parent(controller):
    raise CgroupUnavailableError("no cgroup for tests: ask the administrator")

patch.setattr("pytest_tfkernel.processes.cgroups.find_parent", find_parent)
patch.setattr("pytest_tfkernel.machine.capabilities.find_parent", find_parent)

# All signals are those of trials.
patch.setattr(plants, "harvest", lambda *_: plants.Harvest())

play = trial.play

def sabotaged(setting, stage, spec):
    if setting.example == "graph_add":
        spec = dataclasses.replace(spec, startup=Path({str(SABOTEUR)!r}).read_text())
    return play(setting, stage, spec)

patch.setattr(trial, "play", sabotaged)

send = Life.signal

def signal(life, number):
    with Path("signals.txt").open("a") as file:
        file.write(f"{{life.process}} {{int(number)}}\\n")
    return send(life, number)

patch.setattr(Life, "signal", signal)
"""
SETTINGS = (
    "forkserver-variable_assign-sigkill-idle",
    "forkserver-variable_assign-oom-kill-idle",
    "forkserver-graph_add-sigterm-idle",
)


@pytest.fixture(scope="module")
def real_inner(make_inner: Callable[[], Inner], tensorflow_python: str) -> Inner:
    inner = make_inner()
    inner.write("conftest.py", HOSTILE)
    return inner


@pytest.fixture(scope="module")
def real(real_inner: Inner) -> pytest.RunResult:
    chosen = " or ".join(SETTINGS)
    return real_inner.run("-p", "played", "--tfkernel", "-n", "1", "-k", chosen, "--tfkernel-report=run.json")


def test_what_holds_passes_and_what_does_not_fails(real: pytest.RunResult) -> None:
    assert real.ret == 1
    assert {name: number for name, number in counts(real).items() if name != "warnings"} == {
        "passed": 7 + 4 + 2,
        "failed": 2,
        "unknown": 5,
    }


def test_matrix_shows_it(real: pytest.RunResult) -> None:
    lines = real.outlines
    start = next(number for number, line in enumerate(lines) if line.startswith("forkserver "))
    assert [line.split() for line in lines[start : start + 4]] == [
        ["forkserver", "graph_add", "variable_assign"],
        ["sigkill", "PASS", "7"],
        ["sigterm", "FAIL", "2", "of", "6"],
        ["oom-kill", "UNKNOWN", "5", "of", "7"],
    ]


def test_each_trial_was_played_once(real: pytest.RunResult, real_inner: Inner) -> None:
    assert sorted(setting for _, setting in real_inner.played()) == sorted(SETTINGS)


def test_each_kernel_was_killed_once(real: pytest.RunResult, real_inner: Inner) -> None:
    signals = (real_inner.folder / "signals.txt").read_text().split()
    assert sorted(signals[1::2]) == ["15", "9"]
    assert len(set(signals[::2])) == 2


def test_what_the_machine_lacks_is_told_three_times(real: pytest.RunResult) -> None:
    reason = "no cgroup for tests: ask the administrator"
    assert f"tfkernel: can't check OOM kills, limits on processes: {reason}" in real.outlines
    start = real.outlines.index(f"  no OOM kill can be made here: {reason}")
    assert re.fullmatch(r"UNKNOWN \d+ times", real.outlines[start - 1])
    assert "  death-is-explained [forkserver-variable_assign-oom-kill-idle]" in real.outlines[start:]
    line = next(line for line in real.outlines[start:] if line.startswith("  such as "))
    assert re.fullmatch(r'  such as pytest "tfkernel::.*\[.*-oom-kill-idle\]"', line)


def test_failure_shows_the_post_mortem_of_the_kernel(real: pytest.RunResult) -> None:
    real.stdout.fnmatch_lines(
        [
            "FAIL: kernel * began with 1 operations in its graph",
            "kernel * died after * s of SIGTERM (cause: signal; killed by: us)",
            "--- last cell",
            "--- stdout",
            "last words before the fault",
            "--- stderr",
            "last words before the fault",
        ]
    )


def test_its_document_has_what_was_seen_in_a_trial(real: pytest.RunResult, real_inner: Inner) -> None:
    found = {str(one.setting): one for one in load(real_inner.folder / "run.json").trials}
    (trial,) = (one for setting, one in found.items() if "sigkill" in setting)
    assert trial.death is not None
    assert (trial.death.signal, trial.death.killer) == ("SIGKILL", "us")
    assert trial.result == ["FailedPreconditionError", 1.0, 2.0]
    assert "SIGKILL" in trial.death.report
    assert (trial.death.peak_memory or 0) > 1 << 20
    moments = {moment.name: moment for moment in trial.timeline}
    assert list(moments)[-1] == "rebuilt"
    assert moments["fault"].threads is not None
    assert trial.seconds > moments["death"].seconds > 0
