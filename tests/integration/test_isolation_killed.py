"""Processes of ours that somebody ends, and machines without room: clear errors, and all that can go on does."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable

import pytest

from inner import Inner, counts
from pytest_tfkernel.processes.cgroups import PIDS

KILLS = """
import os, signal, time
import pytest

def others():
    "Whatever the supervisor has started beside this process."
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file: parent = int(file.read().rpartition(")")[2].split()[1])
        except OSError: continue
        if parent == os.getppid() and int(name) != os.getpid(): found.append(int(name))
    return sorted(found)
@pytest.mark.parametrize("nth", range(3))
def test_kills(nth):
    found = others()
    os.kill(found[min(nth, len(found) - 1)], signal.SIGKILL)
def test_between(): pass
def test_kills_all():
    for one in others(): os.kill(one, signal.SIGKILL)
def test_last(): pass
"""
KILLS_SUPERVISOR = """
import os, time
def test_before(): pass
def test_kills():
    os.kill(os.getppid(), 9)
    time.sleep(1000)
def test_after(): pass
def test_last(): pass
"""
GONE = "the process that starts those of tests, their parent, is gone, and they with it: *"


@pytest.mark.parametrize("mode", ["file", "test"])
def test_what_tests_are_forked_from_is_made_anew(inner: Inner, mode: str) -> None:
    inner.write("test_a.py", KILLS)
    inner.write("test_b.py", "def test_one(): pass\n")
    run = inner.run(f"--tfkernel-isolate={mode}", "-v")
    assert counts(run) == {"passed": 7}


@pytest.mark.parametrize("mode", ["file", "test"])
def test_without_a_supervisor_each_test_is_an_error_in_a_line(inner: Inner, mode: str) -> None:
    inner.write("test_a.py", KILLS_SUPERVISOR)
    run = inner.run(f"--tfkernel-isolate={mode}", "-v")
    assert counts(run) == {"passed": 1, "failed": 1, "errors": 2}
    run.stdout.fnmatch_lines(["*ERROR at setup of test_after*", GONE, "*ERROR at setup of test_last*", GONE])
    run.stdout.no_fnmatch_line("*INTERNALERROR*")


COLLECTS = """
import os
def pytest_collection_modifyitems(config):
    if hasattr(config, "workerinput"): {}
"""


@pytest.mark.parametrize(
    ("does", "words"),
    [
        ("os._exit(6)", "ERROR: the process that collects tests died of exit code 6"),
        ("os.kill(os.getppid(), 9); import time; time.sleep(1000)", "ERROR: the supervisor *is gone*"),
        (
            "1 / 0",
            "ERROR: pytest failed in the process that collects: ZeroDivisionError: division by zero (*conftest.py:4)",
        ),
        (
            "os.write(3, b'garbage')",
            "ERROR: the process that collects tests died of SIGKILL: what it told pytest by descriptor 3*",
        ),
    ],
)
def test_what_ends_the_collection_is_told(inner: Inner, does: str, words: str) -> None:
    inner.write("conftest.py", COLLECTS.format(does))
    inner.write("test_a.py", "def test_one(): pass\n")
    run = inner.run("--tfkernel-isolate")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    (run.stderr if run.stderr.lines else run.stdout).fnmatch_lines([words])
    assert "Traceback" not in run.stdout.str() + run.stderr.str()


LIMITED = """
def test_one(): pass
def test_two(): assert 0
"""


def outcome(inner: Inner, descriptors: int) -> tuple[int, str]:
    def lower() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    command = [sys.executable, "-m", "pytest", "--tfkernel-isolate=test", "-p", "no:asyncio", "-p", "no:rerunfailures"]
    done = subprocess.run(
        command, cwd=inner.folder, env=inner.environment, preexec_fn=lower, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_without_descriptors_a_line_says_so(inner: Inner) -> None:
    inner.write("test_a.py", LIMITED)
    seen = set()
    # The last one is enough.
    for descriptors in (20, 38, 100):
        status, text = outcome(inner, descriptors)
        assert "INTERNALERROR" not in text
        assert "Traceback" not in text
        has_room = "1 failed, 1 passed" in text
        seen.add(has_room)
        assert has_room or "raise `ulimit -n`" in text, text
        assert status == (pytest.ExitCode.USAGE_ERROR if "no tests ran" in text else pytest.ExitCode.TESTS_FAILED)
    assert seen == {True, False}


def test_a_limit_on_processes_holds_for_its_own_test_alone(inner: Inner, needs_cgroup: Callable[[str], None]) -> None:
    needs_cgroup(PIDS)
    inner.write(
        "test_a.py",
        "import os, pytest\n"
        "@pytest.mark.tfkernel_isolated(processes=1)\n"
        "def test_one():\n"
        "    with pytest.raises(BlockingIOError): os.fork()\n"
        "def test_two(): pass\n",
    )
    assert counts(inner.run("--tfkernel-isolate")) == {"passed": 2}
