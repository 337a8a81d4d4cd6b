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
def kill(pid):
    try: os.kill(pid, signal.SIGKILL)
    except ProcessLookupError: pass  # it died with one before it
@pytest.mark.parametrize("nth", range(3))
def test_kills(nth):
    found = others()
    kill(found[min(nth, len(found) - 1)])
def test_between(): pass
def test_kills_all():
    for one in others(): kill(one)
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
# What pytest's own process does when it has told of the second test.
BETWEEN = """
import os
def pytest_configure(config):
    global is_own
    is_own = not hasattr(config, "workerinput")
def stat(pid):
    try:
        with open(f"/proc/{pid}/stat") as file: return file.read().rpartition(")")[2].split()[:2]
    except OSError: return ["X", "0"]
def below(pid): return [int(name) for name in os.listdir("/proc") if name.isdigit() and stat(name)[1] == str(pid)]
def pytest_runtest_logfinish(nodeid):
    if not nodeid.endswith("test_second") or not is_own: return
    supervisor, = below(os.getpid())
    with open("pid") as file: test = int(file.read())
    idle = [pid for pid in below(supervisor) if pid != test]
    gone = {"supervisor": [supervisor], "test": [test], "idle": idle}[os.environ["ENDS"]]
    for pid in gone: os.kill(pid, 9)
    # Those that the supervisor has started die with it.
    for pid in gone + (idle + [test]) * (gone == [supervisor]):
        while stat(pid)[0] not in "ZX": os.sched_yield()
"""
FOUR = """
import os
def test_first(): pass
def test_second():
    with open("pid", "w") as file: file.write(str(os.getpid()))
def test_third(): pass
def test_fourth(): pass
"""
GONE = "the process that starts those of tests, their parent, is gone, and this one with it: *"


@pytest.mark.parametrize("mode", ["file", "test"])
def test_what_tests_are_forked_from_is_made_anew(inner: Inner, mode: str) -> None:
    inner.write("test_a.py", KILLS)
    inner.write("test_b.py", "def test_one(): pass\n")
    run = inner.run(f"--tfkernel-isolate={mode}", "-v")
    assert counts(run) == {"passed": 7}


@pytest.mark.parametrize("mode", ["file", "test"])
def test_without_a_supervisor_one_test_fails_and_those_after_it_have_another(inner: Inner, mode: str) -> None:
    inner.write("test_a.py", KILLS_SUPERVISOR)
    inner.write("test_b.py", KILLS_SUPERVISOR)
    run = inner.run(f"--tfkernel-isolate={mode}", "-v")
    assert counts(run) == {"passed": 6, "failed": 2}
    run.stdout.fnmatch_lines(["*_ test_kills _*", GONE, "*_ test_kills _*", GONE])
    run.stdout.no_fnmatch_line("*INTERNALERROR*")


LATE = "died after passing: the process of the test died of SIGKILL"
UNKNOWN = "how its process has ended isn't known: the process that starts those of tests, their parent, is gone*"


@pytest.mark.parametrize(
    ("ends", "mode", "words"),
    [
        ("supervisor", "file", UNKNOWN),
        ("supervisor", "test", ""),
        ("test", "file", LATE),
        ("idle", "file", ""),
        ("idle", "test", ""),
    ],
)
def test_what_is_ended_between_two_tests_is_no_failure_of_the_second(
    inner: Inner, ends: str, mode: str, words: str
) -> None:
    inner.write("conftest.py", BETWEEN)
    inner.write("test_a.py", FOUR)
    inner.write("test_b.py", "def test_other(): pass\n")
    run = inner.run(f"--tfkernel-isolate={mode}", ENDS=ends)
    assert counts(run) == ({"passed": 5, "errors": 1} if words else {"passed": 5})
    if words:
        run.stdout.fnmatch_lines(["*ERROR at teardown of test_second*", words])


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


def test_what_ends_the_collection_is_told_of_workers_too(inner: Inner) -> None:
    inner.write("conftest.py", COLLECTS.format("os._exit(6)"))
    inner.write("test_a.py", "def test_one(): pass\n")
    run = inner.run("--tfkernel-isolate", "-n", "2")
    assert counts(run) == {"errors": 1}
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.stdout.fnmatch_lines(["the process that collects tests died of exit code 6"])


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
