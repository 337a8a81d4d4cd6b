"""Nothing outlives an isolated test: not what it has started, not a hang, not a run that is interrupted."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inner import Inner, counts
from pytest_tfkernel._child import proc
from pytest_tfkernel.model.processes import Leftover, ProcessId
from pytest_tfkernel.plugin.isolation import leftovers
from pytest_tfkernel.processes.supervisor import CHILD_FOLDER

LEFT = """
import os, signal, subprocess, sys, time
import pytest

# By its folder a run is told from all others.
MARK = "left-by-" + os.getcwd()
SLEEP = [sys.executable, "-c", "import time; time.sleep(1000)", MARK]

def let_inherit():
    for number in range(3, 30):
        try: os.set_inheritable(number, True)
        except OSError: pass
def test_session(): subprocess.Popen([*SLEEP, "session"], start_new_session=True)
def test_twice_forked():
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(SLEEP[0], [*SLEEP, "daemon"])
        os._exit(0)
    os.wait()
def test_forked():
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(writer, b"x")
            time.sleep(1000)
        os._exit(0)
    os.read(reader, 1)
def test_holds_pipes():
    let_inherit()
    subprocess.Popen([*SLEEP, "holder"], close_fds=False, start_new_session=True, env={})
def test_dies():
    subprocess.Popen([*SLEEP, "orphan"], start_new_session=True)
    os.kill(os.getpid(), signal.SIGKILL)
def test_ends_its_own():
    one = subprocess.Popen([*SLEEP, "ended"])
    one.kill()
    one.wait()
@pytest.mark.tfkernel_isolated(timeout=1)
def test_hangs():
    let_inherit()
    subprocess.Popen([*SLEEP, "of-a-hang"], close_fds=False, start_new_session=True)
    while True:
        try: time.sleep(1000)
        except BaseException: pass
@pytest.mark.tfkernel_isolated(timeout=1)
def test_takes_no_signal():
    for number in range(1, 65):
        try: signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError): pass
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    time.sleep(1000)
@pytest.mark.tfkernel_isolated(timeout=1)
def test_is_stopped():
    print("stops here", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(1000)
@pytest.fixture
def hangs():
    yield
    time.sleep(1000)
@pytest.mark.tfkernel_isolated(timeout=1)
def test_teardown_hangs(hangs): pass
def test_last(): pass
"""


def nothing_is_left(inner: Inner) -> bool:
    return not [one for pid in proc.pids() if f"left-by-{inner.folder}" in (one := proc.command_line(pid))]


@pytest.mark.uncovered
def test_what_tests_leave_is_ended_and_named(inner: Inner) -> None:
    inner.write("test_a.py", LEFT)
    # Those of an interpreter that began with nothing else have its name.
    run = inner.run("--tfkernel-isolate=test", "-v", COLD="1")
    assert counts(run) == {"passed": 7, "failed": 4, "errors": 1}
    for test, name in [
        ("session", "session"),
        ("twice_forked", "daemon"),
        ("holds_pipes", "holder"),
        ("dies", "orphan"),
        ("hangs", "of-a-hang"),
    ]:
        words = f"test_a.py::test_{test} left running (ended now): process * (* left-by-* {name})"
        run.stdout.fnmatch_lines([words])
    run.stdout.fnmatch_lines(
        [f"test_a.py::test_forked left running (ended now): process * (*{CHILD_FOLDER} isolation)"]
    )
    assert run.stdout.str().count("left running (ended now)") == 6
    for test in ("hangs", "takes_no_signal", "is_stopped"):
        run.stdout.fnmatch_lines(
            [
                f"*__ test_{test} __*",
                "*died of SIGKILL: it ran longer than it may",
                f'  File "*test_a.py", line * in test_{test}',
            ]
        )
    run.stdout.fnmatch_lines(["*ERROR at teardown of test_teardown_hangs*", '  File "*test_a.py", line * in hangs'])
    assert nothing_is_left(inner)


INTERRUPTED = """
import os, pathlib, signal, subprocess, sys, time
import pytest

def note(word):
    with open("notes.txt", "a") as file: file.write(word + "\\n")
@pytest.fixture(scope="module")
def wide():
    yield
    note("module")
@pytest.fixture
def narrow():
    yield
    note("test")
def test_before(wide): pass
def test_runs(wide, narrow, tmp_path):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)", "left-by-" + os.getcwd()], start_new_session=True)
    if "IGNORE" in os.environ: signal.signal(signal.SIGINT, signal.SIG_IGN)
    note("runs")
    time.sleep(1000)
def test_after(): note("after")
"""


LINES = INTERRUPTED.splitlines()
LINE, BEGINS = LINES.index("    time.sleep(1000)") + 1, LINES.index("def test_runs(wide, narrow, tmp_path):") + 1


@contextlib.contextmanager
def running(inner: Inner, text: str = INTERRUPTED, **environment: str) -> Iterator[subprocess.Popen[str]]:
    inner.write("test_a.py", text)
    command = [sys.executable, "-m", "pytest", "--tfkernel-isolate", "-p", "no:asyncio", "-p", "no:rerunfailures"]
    process = subprocess.Popen(
        command, cwd=inner.folder, env=inner.environment | environment, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            while "runs" not in notes(inner):
                assert process.poll() is None
                time.sleep(0.02)
            yield process
        finally:
            process.kill()


def notes(inner: Inner) -> list[str]:
    path = inner.folder / "notes.txt"
    return path.read_text().split() if path.exists() else []


def test_one_interrupt_lets_fixtures_be_torn_down(inner: Inner) -> None:
    with running(inner) as process:
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert notes(inner) == ["runs", "test", "module"]
    # Where it was, as a plain run says it.
    assert f"{inner.folder}/test_a.py:{LINE}: KeyboardInterrupt" in out
    assert "1 passed" in out
    assert nothing_is_left(inner)


def test_an_interrupt_while_tests_are_collected_names_the_line(inner: Inner) -> None:
    text = "import time\nwith open('notes.txt', 'w') as file: file.write('runs ')\ntime.sleep(1000)\n"
    with running(inner, text) as process:
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    # Older ones of pytest have it as an error of the file.
    assert f"{inner.folder}/test_a.py:3: KeyboardInterrupt" in out or "ERROR test_a.py - KeyboardInterrupt" in out
    assert nothing_is_left(inner)


# Brings it as soon as the first one is heard.
AT_ONCE = """
import os, signal
from pytest_tfkernel.plugin.isolation.telling import Teller
ordinary = Teller.interrupt
def interrupt(teller):
    os.kill(os.getpid(), signal.SIGINT)
    ordinary(teller)
Teller.interrupt = interrupt
"""


@pytest.mark.parametrize("at_once", [False, True])
def test_a_second_interrupt_waits_for_nothing(inner: Inner, at_once: bool) -> None:
    inner.write("conftest.py", AT_ONCE if at_once else "")
    with running(inner, IGNORE="1") as process:
        process.send_signal(signal.SIGINT)
        interrupted(process)
        if not at_once:
            process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert notes(inner) == ["runs"]
    assert "error" not in out.casefold()
    # It has not said where it was: so the line where it begins.
    assert f"{inner.folder}/test_a.py:{BEGINS}: KeyboardInterrupt" in out
    assert nothing_is_left(inner)


def interrupted(process: subprocess.Popen[str]) -> None:
    """Until the first interrupt has arrived: a signal of the same number that is pending still would be one with it."""
    while True:
        pending = int(Path(f"/proc/{process.pid}/status").read_text().partition("ShdPnd:")[2].split()[0], 16)
        if not pending & 1 << signal.SIGINT >> 1:
            return
        os.sched_yield()


def test_helpers_that_kernels_of_a_test_had_are_nothing_that_it_left() -> None:
    report = pytest.TestReport("test_a.py::test", ("test_a.py", 0, "test"), {}, "passed", None, "teardown")
    commands = [f"{sys.executable} -u {CHILD_FOLDER} forkserver", f"cat {CHILD_FOLDER}", "sleep 61"]
    commands.append(f"{sys.executable} {CHILD_FOLDER} isolation")
    left = [Leftover(ProcessId(100 + nth, 1), 1, "S", command) for nth, command in enumerate(commands)]
    leftovers.tell(report, leftovers.of_tests(left[:1]))
    assert report.sections == []
    leftovers.tell(report, leftovers.of_tests(left))
    assert report.sections == [(leftovers.TITLE, f"{left[1]}\n{left[2]}\n{left[3]}")]


AT_ITS_END = """
import atexit, pathlib, signal
def ends():
    pathlib.Path("notes.txt").write_text("runs ")
    while True: signal.pause()
def test_passes(request): ENDS
"""


@pytest.mark.parametrize(
    ("ends", "again"),
    [("atexit.register(ends)", ""), ("request.config.add_cleanup(ends)", AT_ONCE)],
    ids=["exit", "session, twice"],
)
def test_an_interrupt_of_what_ends_is_no_error_of_a_test(inner: Inner, ends: str, again: str) -> None:
    inner.write("conftest.py", again)
    with running(inner, AT_ITS_END.replace("ENDS", ends)) as process:
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert f"{inner.folder}/test_a.py:6: KeyboardInterrupt" in out
    assert "= 1 passed in" in out
    assert nothing_is_left(inner)
