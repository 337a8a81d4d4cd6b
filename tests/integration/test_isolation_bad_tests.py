"""Whatever a test does to its own process, pytest's own goes on, and each test is reported once."""

from __future__ import annotations

import re

import pytest

from inner import Inner, counts

REPLACED = """
import builtins, json, os, pickle, sys, threading, time
import pytest

NAMES = [(builtins, name) for name in ("len", "open", "isinstance", "print", "str", "type", "list", "getattr", "super",
         "next", "id", "Exception", "BaseException", "__import__", "__build_class__")]
NAMES += [(os, "write"), (os, "fork"), (os, "dup2"), (sys, "exit"), (sys, "modules"), (json, "dumps"),
          (pickle, "dumps"), (threading, "Thread"), (time, "monotonic")]
def refuse(*_, **__): raise RuntimeError("replaced")

@pytest.mark.parametrize("at", range(len(NAMES)), ids=[f"{one.__name__}.{name}" for one, name in NAMES])
def test_replaces(at):
    setattr(*NAMES[at], refuse if at % 2 else None)
def test_breaks_what_tells_pytest():
    import json.encoder
    json.encoder.JSONEncoder.iterencode = json.encoder.JSONEncoder.encode = None
def test_goes_on(): assert len("ab") == 2
"""
HARMLESS = """
import os, resource, signal, socket, sys, threading, time, json, logging
import pytest

def close(*numbers):
    for number in numbers:
        try: os.close(number)
        except OSError: pass
def test_stdin(): close(0)
def test_stdout(): close(1)
def test_stderr(): close(2)
def test_all_three(): close(0, 1, 2)
def test_stacks(): close(4)
def test_folder(tmp_path):
    os.chdir(tmp_path)
    tmp_path.rmdir()
def test_limits():
    resource.setrlimit(resource.RLIMIT_NOFILE, (5, 100))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
def test_signals():
    for number in range(1, 65):
        try: signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError): pass
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    os.umask(0o777)
def test_fork(): os.fork = lambda: 1 / 0
def test_streams(): sys.stdout, sys.stderr = None, 3
def test_logging():
    logging.shutdown()
    logging.getLogger().handlers.clear()
    logging.disable()
def test_time(): time.time = time.monotonic = time.perf_counter = lambda: 0
def test_modules():
    socket.socket = json.dumps = json.loads = json.JSONEncoder = json.JSONDecoder = None
    socket.setdefaulttimeout(0.0001)
def test_os():
    for name in ("_exit", "fork", "pipe", "waitpid", "write"): setattr(os, name, None)
def test_threads(): threading.Thread(target=time.sleep, args=(100000,)).start()
def test_sets_aside(monkeypatch): monkeypatch.setattr(sys, "modules", dict(sys.modules))
def test_properties(record_property):
    class Odd:
        def __repr__(self): raise ValueError
    record_property("odd", Odd())
    record_property("nan", float("nan"))

def test_forks():
    pid = os.fork()
    if pid: os.waitpid(pid, 0)
def test_forks_and_goes_on(): os.fork()
def test_fork_that_fails():
    pid = os.fork()
    assert pid
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
def test_fork_that_exits():
    pid = os.fork()
    if pid == 0: sys.exit(3)
    os.waitpid(pid, 0)
"""
FAILING = """
import json, os, sys, threading
import pytest

class Unpicklable(Exception):
    def __reduce__(self): raise TypeError("no")
class NoRepr(Exception):
    def __repr__(self): raise ValueError("none")
    __str__ = __repr__
@pytest.fixture
def exits(): os._exit(0)

def test_unpicklable(): raise Unpicklable(threading.Lock())
def test_no_repr(): raise NoRepr
def test_exit(): sys.exit(3)
def test_exit_in_a_fixture(exits): pass
def test_closes_channel(): os.close(3)
def test_closes_all(): os.closerange(0, 100)
def test_replaces_channel():
    os.close(3)
    assert os.open("/dev/null", os.O_RDWR) == 3
def test_garbage(): os.write(3, b"garbage that is long")

def tell(**message):
    data = json.dumps(message).encode()
    os.write(3, len(data).to_bytes(4, "big") + data)
def test_no_message(): tell()
def test_no_word(): tell(kind="hello")
def test_no_form(): tell(kind="report")
def test_of_nothing(): tell(kind="ran", shouldstop="", shouldfail="")
def test_no_report(): tell(kind="report", data={"nodeid": 3}, of=NUMBER())
def test_no_data(): tell(kind="report", data={"$": "nope"}, of=NUMBER())
def test_early_end(): tell(kind="ran", shouldstop="", shouldfail="", of=NUMBER())
def NUMBER():
    # How many tests were asked for before this one.
    me = os.environ["PYTEST_CURRENT_TEST"].partition("::")[2].split()[0]
    names = [name for name in globals() if name.startswith("test_")]
    return names.index(me) + 1
"""
TORN = "*SIGKILL: what it told pytest by descriptor 3 can't be read: "
WORDS = {
    "unpicklable": "E*Unpicklable: <unlocked _thread.lock*",
    "no_repr": "E*NoRepr: <exception str() failed>",
    "exit": "E*SystemExit: 3",
    "exit_in_a_fixture": "the process of the test died of exit code 0",
    "closes_channel": "*exit code 74: descriptor 3, by which it tells pytest of its tests, was closed there*",
    "closes_all": "*exit code 74: descriptor 3, by which it tells pytest of its tests, was closed there*",
    "replaces_channel": "*exit code 74: descriptor 3, by which it tells pytest of its tests, was closed there*",
    "garbage": f"{TORN}a frame is longer than *",
    "no_message": f"{TORN}a frame is not a message of ours",
    "no_word": f"{TORN}it says 'hello', which is no word of ours",
    "no_form": f"{TORN}it says 'report', and 'data' is not what that has",
    "of_nothing": f"{TORN}it tells of something else than the test that runs",
    "no_report": f"{TORN}a report of it can't be read: *",
    "early_end": "its process says that this test ran, and has told no report of that",
    "no_data": f"{TORN}a report of it can't be read: KeyError: 'nope'",
}


@pytest.mark.uncovered
def test_what_does_no_harm_elsewhere_is_a_test_that_passes(inner: Inner) -> None:
    inner.write("test_a.py", HARMLESS)
    run = inner.run("--tfkernel-isolate=test", "-v")
    assert counts(run) == {"passed": HARMLESS.count("def test_")}
    run.stdout.no_fnmatch_line("*INTERNALERROR*")


def test_what_fails_fails_alone_and_in_clear_words(inner: Inner) -> None:
    inner.write("test_a.py", FAILING)
    run = inner.run("--tfkernel-isolate=test", "-v")
    outcomes = counts(run)
    assert sum(outcomes.values()) == FAILING.count("def test_")
    assert outcomes.get("passed", 0) == 0
    run.stdout.no_fnmatch_line("*INTERNALERROR*")
    for test, words in WORDS.items():
        run.stdout.fnmatch_lines([f"*__ *test_{test} __*", words])


MUCH = """
def test_much():
    print("x" * (50 << 20))
    assert 0
def test_too_much():
    print("x" * (66 << 20) + "the end")
    assert 0
"""
LOOK = """
def pytest_terminal_summary(terminalreporter):
    for report in terminalreporter.getreports("failed"):
        terminalreporter.line(f"{report.head_line}: {len(report.capstdout)} {report.capstdout[-8:].strip()}")
        terminalreporter.line(report.capstdout[:50].splitlines()[0])
"""


def test_a_long_report_is_told_and_a_longer_one_is_cut(inner: Inner) -> None:
    inner.write("test_a.py", MUCH)
    inner.write("conftest.py", LOOK)
    run = inner.run("--tfkernel-isolate", "--show-capture=no")
    assert counts(run) == {"failed": 2}
    run.stdout.fnmatch_lines([f"test_much: {(50 << 20) + 1} xxxxxxx", "test_too_much: 10486* the end"])
    run.stdout.fnmatch_lines([f"({(65 << 20) + 8} characters before this were cut)"])


PLAIN = """
import os, sys
import pytest

def test_close(): os.close(3)
def test_after_it(): pass
def test_garbage(): os.write(3, b"garbage that is long")
def test_after_that(): pass
def test_forks(): os.fork()
def test_after_forks(): pass
"""


def test_tests_of_the_same_file_go_on_in_a_new_process(inner: Inner) -> None:
    inner.write("test_a.py", PLAIN)
    run = inner.run("--tfkernel-isolate", "-v")
    assert counts(run) == {"passed": 4, "failed": 2}


DIFFERENT = """
import itertools, os, threading, time
import pytest
threading.Thread(target=time.sleep, args=(100000,), daemon=True).start()

@pytest.mark.parametrize("pid", [os.getpid()])
def test_changes(pid): pass
def test_stays(): pass
"""
# Is collected once.
ONCE = """
import pathlib, pytest
been = pathlib.Path(__file__ + ".been")
if been.exists(): {}
been.touch()
def test_{}(): pass
"""
SWALLOWS = """
def pytest_runtest_protocol(item):
    if item.name == "test_stays": return True
"""


@pytest.mark.parametrize("mode", ["file", "test"])
def test_a_test_that_is_not_collected_again_is_named(inner: Inner, mode: str) -> None:
    inner.write("test_a.py", DIFFERENT)
    inner.write("test_b.py", ONCE.format("raise OSError('the port is taken')", "fails"))
    inner.write("test_c.py", ONCE.format("pytest.skip('once is enough', allow_module_level=True)", "skips"))
    run = inner.run(f"--tfkernel-isolate={mode}")
    assert counts(run) == {"passed": 1, "errors": 3}
    gone = "this test was collected with all others, and isn't there when its file is collected alone"
    run.stdout.fnmatch_lines(["*ERROR at setup of test_changes*", gone])
    run.stdout.fnmatch_lines(["*ERROR at setup of test_fails*", f"{gone}:", "*OSError: the port is taken"])
    run.stdout.fnmatch_lines(["*ERROR at setup of test_skips*", f"{gone}:", "skipped: *once is enough"])


def test_a_test_that_is_not_reported_is_named(inner: Inner) -> None:
    inner.write("test_a.py", "def test_goes(): pass\ndef test_stays(): pass\n")
    inner.write("conftest.py", SWALLOWS)
    run = inner.run("--tfkernel-isolate")
    assert counts(run) == {"passed": 1, "errors": 1}
    run.stdout.fnmatch_lines(["its process says that this test ran, and has told no report of that"])


SERVER = """
import os, threading, time
threading.Thread(target=time.sleep, args=(100000,), daemon=True, name="a-server").start()
"""


def test_a_conftest_that_starts_a_thread_is_read_in_each_process(inner: Inner) -> None:
    inner.write("conftest.py", SERVER)
    inner.write(
        "test_a.py",
        "import threading\ndef test_one(): assert 'a-server' in map(lambda one: one.name, threading.enumerate())\n",
    )
    run = inner.run("--tfkernel-isolate")
    assert counts(run) == {"passed": 1}


@pytest.mark.uncovered
def test_one_that_replaces_what_everything_is_made_of_is_told_in_a_line(inner: Inner) -> None:
    inner.write("test_a.py", REPLACED)
    inner.write("test_b.py", "def test_it(): pass\n")
    run = inner.run("--tfkernel-isolate", "-v")
    found = counts(run)
    # Which of them pytest gets by without is its own affair; without `len` it doesn't.
    assert found["passed"] + found["failed"] + found.get("errors", 0) >= 27
    text = run.stdout.str()
    for name in ("test_a.py::test_goes_on PASSED", "test_b.py::test_it PASSED"):
        assert name in text
    deaths = re.findall(r"^(?:died after passing: )?the process of the test died of .*$", text, re.MULTILINE)
    assert len(deaths) == found["failed"] + found.get("errors", 0)
    assert not [line for line in deaths if "of exit code 3" not in line]
    assert [line for line in deaths if line.endswith("; replaced in that process: builtins.len")]
    # Also where nothing can be told: its last words say it.
    assert "\npytest itself has failed there: TypeError: 'NoneType' object is not callable (" in text
    # Nothing of ours is shown as if somebody had to mend it.
    assert not re.search(r'File "[^"]*pytest_tfkernel', text + run.stderr.str())
