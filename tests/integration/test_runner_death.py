"""SIGKILL of pytest at any moment: no process of ours is left after 2 s."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import subreaper
from inner import Inner
from pytest_tfkernel.processes.cgroups import MEMORY, CgroupUnavailableError, find_parent

SECONDS = 2.0
# Those of execnet notice the end of their controller by themselves, after up to 6 s.
WORKERS = "exec(eval(sys.stdin.readline()))"
WORKER_SECONDS = 15.0
# Twice what the test machine has: most of the time a pytest waits.
_AT_ONCE = 4

# Kernels of every kind, each with a daemon that wants to get away: made, killed, restarted, ended.
VICTIM = """
import pytest
from pytest_tfkernel import ForkServer, KernelSpec

DAEMON = '''
import os, signal, sys
reader, writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        os.write(writer, b"1")
        os.execve(sys.executable, [sys.executable, "-S", "-c", "import signal; signal.pause()"], {{}})
    os._exit(0)
os.read(reader, 1)
os.wait()
'''

@pytest.mark.parametrize("number", range(50))
def test_round(tfkernel_factory, number):
    warm = tfkernel_factory(KernelSpec(provisioner=ForkServer(preload=()), memory_limit={limit}))
    cold = tfkernel_factory(KernelSpec(provisioner="subprocess"))
    for kernel in (warm, cold):
        kernel.execute(DAEMON)
    cold.inject("sigkill")
    cold.restart()
    warm.restart()
    warm.execute(DAEMON)
"""
TENSORFLOW = "def test_imports(tfkernel): tfkernel.execute('import signal; signal.pause()')\n"
# A supervisor that can do nothing any more.
STOPPED = (
    VICTIM.format(limit=None)
    + """
@pytest.fixture(autouse=True)
def stopped(tfkernel_factory):
    import os, signal
    kernel = tfkernel_factory(KernelSpec(provisioner=ForkServer(preload=())))
    kernel.execute(DAEMON)
    os.kill(kernel.execute("os.getppid()").value, signal.SIGSTOP)
    os.write(5, b"ready")
    signal.pause()
"""
)
# Says when the first test begins.
READY = """
import os

def pytest_runtest_logstart():
    if "PYTEST_XDIST_WORKER" not in os.environ and not os.environ.pop("SAID", None):
        os.write(5, b"ready")
"""


def _kill(inner: Inner, after: float, *arguments: str, ready: bool, spare: str = "") -> dict[str, Any]:
    options = {"after": after, "ready": ready, "deadline": SECONDS, "spare": spare, "patience": WORKER_SECONDS}
    plugins = ["-p", "pytest_tfkernel.plugin.hooks", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *plugins, *arguments]
    done = subprocess.run(
        [sys.executable, subreaper.__file__, json.dumps(options), *command],
        cwd=inner.folder,
        env=inner.environment | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer | {"after": after}


def _cgroups(pid: int) -> list[Path]:
    try:
        return list(find_parent(MEMORY).folder.glob(f"tfkernel-{pid}-*"))
    except CgroupUnavailableError:
        return []


def _folders(pid: int) -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"tfk-{pid}-*"))


@pytest.fixture
def victim(inner: Inner) -> Inner:
    try:
        find_parent(MEMORY)
        limit = 256 << 20
    except CgroupUnavailableError:
        limit = None
    inner.write("conftest.py", READY)
    inner.write("test_victim.py", VICTIM.format(limit=limit))
    return inner


def _seeded() -> random.Random:
    seed = random.randrange(10**6)
    print(f"seed: {seed}")
    return random.Random(seed)


def _check(found: list[dict[str, Any]]) -> None:
    print(*found, sep="\n")
    assert [one for one in found if one["left"]] == []
    assert [one["after"] for one in found if one["ended"]] == []
    assert [_cgroups(one["pid"]) for one in found if _cgroups(one["pid"])] == []
    assert [_folders(one["pid"]) for one in found if _folders(one["pid"])] == []
    # Not all of them were killed before they had anything.
    assert max(len(one["below"]) for one in found) >= 3


@pytest.mark.parametrize(("starting", "working"), [(2, 6), pytest.param(8, 40, marks=pytest.mark.soak)])
def test_pytest_killed_at_any_moment_leaves_nothing(victim: Inner, starting: int, working: int) -> None:
    moments = _seeded()
    at_start = [(moments.uniform(0, 1.0), False) for _ in range(starting)]
    at_work = [(moments.uniform(0, 1.5), True) for _ in range(working)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        _check(list(pool.map(lambda moment: _kill(victim, moment[0], ready=moment[1]), at_start + at_work)))


@pytest.mark.parametrize("kills", [1, pytest.param(4, marks=pytest.mark.soak)])
def test_pytest_killed_while_tensorflow_is_imported_leaves_nothing(
    inner: Inner, tensorflow_python: str, kills: int
) -> None:
    moments = _seeded()
    inner.write("conftest.py", READY)
    inner.write("test_victim.py", TENSORFLOW)
    found = [_kill(inner, moments.uniform(0.2, 3), ready=True) for _ in range(kills)]
    assert [(one["left"], one["ended"]) for one in found] == [([], False)] * kills


def test_what_is_left_would_be_seen(inner: Inner) -> None:
    inner.write("test_victim.py", STOPPED)
    found = _kill(inner, 0, ready=True)
    assert [line for line in found["left"] if "supervisor" in line], found
    assert [line for line in found["left"] if "signal.pause" in line], found
    # What another session would remove after a minute.
    (folder,) = _folders(found["pid"])
    shutil.rmtree(folder)


@pytest.mark.parametrize("kills", [1, pytest.param(6, marks=pytest.mark.soak)])
def test_controller_of_workers_killed_leaves_workers_only_and_those_not_for_long(victim: Inner, kills: int) -> None:
    pytest.importorskip("xdist")
    moments = _seeded()
    with ThreadPoolExecutor(2) as pool:
        found = list(
            pool.map(
                lambda after: _kill(victim, after, "-p", "xdist", "-n", "2", ready=True, spare=WORKERS),
                [1.5, *(moments.uniform(0, 1.5) for _ in range(kills - 1))],
            )
        )
    _check(found)
    # A supervisor that has ended is a zombie until its worker, its parent, has ended too.
    assert [line for one in found for line in one["unreaped"] if " supervisor " not in line] == []
    assert [one["late"] for one in found] == [[]] * kills
