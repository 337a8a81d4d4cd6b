"""Whole sessions of pytest, each a process of its own whose cost is measured."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True)
class SessionCost:
    """Seconds of one session with all of its processes, and what it printed; it may have been ended."""

    wall: float
    cpu: float
    text: str
    ended: bool = False


def run(
    python: str,
    folder: Path,
    *words: str,
    most: float = 600.0,
    fails: bool = False,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> SessionCost:
    """One session, ended with its processes after `most` seconds. Raises RuntimeError unless it passes or `fails`."""
    argv = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    began, log = time.monotonic(), folder / "log.txt"
    with log.open("wb") as output:
        actions = [(os.POSIX_SPAWN_DUP2, output.fileno(), target) for target in (1, 2)]
        given = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")} | dict(environment)
        # So that one without an end can be ended with what it has started.
        pid = os.posix_spawn(python, argv, given, file_actions=actions, setpgroup=0)
        ended = not _wait(pid, most)
        if ended:
            os.killpg(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
    cost = SessionCost(
        time.monotonic() - began, usage.ru_utime + usage.ru_stime, log.read_text(errors="replace"), ended
    )
    if status and not ended and not fails:
        raise RuntimeError(f"{' '.join(argv)}: {cost.text[-2000:]}")
    return cost


def _wait(pid: int, seconds: float) -> bool:
    """Whether it ends in that time; whoever asks still has to wait for it."""
    handle = os.pidfd_open(pid)
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def best(costs: list[SessionCost], clock: str = "wall") -> float:
    """The least of several: what others do on the machine only adds to it."""
    return min(cost.wall if clock == "wall" else cost.cpu for cost in costs)


def notes(folder: Path) -> tuple[dict[str, str], Path]:
    """Have sessions note what `read` reads: the environment that does it, and the file."""
    (folder / "noting.py").write_text(_PLUGIN, encoding="utf-8")
    path = folder / "notes.txt"
    path.unlink(missing_ok=True)
    return {"PYTHONPATH": str(folder), "PYTEST_PLUGINS": "noting", "NOTES": str(path)}, path


def read(path: Path) -> Mapping[str, list[float]]:
    """When tests began and ended, in seconds, and the most memory of pytest's own process, in bytes."""
    found: dict[str, list[float]] = {"began": [], "ended": [], "peak": []}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, number = line.split()
        found[word].append(float(number))
    return found


_PLUGIN = """
import os, time

class Notes:
    def note(self, word, number):
        with open(os.environ["NOTES"], "a") as file: file.write(f"{word} {number}\\n")
    def pytest_runtest_logstart(self): self.note("began", time.monotonic())
    def pytest_runtest_logfinish(self): self.note("ended", time.monotonic())
    def pytest_unconfigure(self):
        with open("/proc/self/status") as file: peak = file.read().partition("VmHWM:")[2].split()[0]
        self.note("peak", int(peak) * 1024)
# In pytest's own process, and in none of those of tests.
def pytest_configure(config):
    if not hasattr(config, "workerinput"): config.pluginmanager.register(Notes())
"""
