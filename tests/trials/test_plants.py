"""What is planted for the audit to find: it is found, and goes with us however we end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.trials import plants

# Strikes itself at one of two moments: when all is planted and nobody has been told of it, or when it is looked for.
PLANTER = """
import json, os, signal, sys
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.trials import plants

moment, number = sys.argv[1], int(sys.argv[2])
plant, look = plants.value, plants.KernelWatch.audit

def planting(kernel, cell):
    found = plant(kernel, cell)
    print(json.dumps([launcher.supervisor.pid, *found]), flush=True)
    if moment == "planting":
        os.kill(os.getpid(), number)
    return found

def looking(watch, life, seconds):
    if moment == "looking":
        os.kill(os.getpid(), number)
    return look(watch, life, seconds)

plants.value, plants.KernelWatch.audit = planting, looking
with Launcher() as launcher:
    plants.harvest(launcher, KernelSpec())
"""


def segments() -> set[str]:
    lines = Path("/proc/sysvipc/shm").read_text(encoding="utf-8").splitlines()
    return {f"shmid {line.split()[1]}" for line in lines[1:]}


def test_all_kinds_are_planted_and_found(launcher: Launcher) -> None:
    found = plants.harvest(launcher, KernelSpec())
    assert (found.error, found.missed, found.blind) == ("", (), ())
    assert {*found.found, *(kind for kind, _ in found.refused)} == set(plants.CLAIMED)


@pytest.mark.parametrize("moment", ["planting", "looking"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, None])
def test_nothing_of_it_stays(moment: str, number: signal.Signals | None, await_death: Callable[[int], None]) -> None:
    words = [sys.executable, "-c", PLANTER, moment if number else "", str(int(number or 0))]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
    supervisor, planted, refused = json.loads(done.stdout)
    assert done.returncode == (-number if number else 0)
    await_death(supervisor)
    made = {kind for kind in ("shared-memory", "semaphore", "system-v-segment") if kind in planted}
    assert made | refused.keys() == {"shared-memory", "semaphore", "system-v-segment"}
    left = [name for name in planted.values() if name.startswith("/") and os.path.lexists(name)]
    assert (left, planted.get("system-v-segment") in segments()) == ([], False)
