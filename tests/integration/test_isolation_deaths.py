"""A test whose process dies is one failed test, with all that is known of it; all others run."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from inner import Inner, counts
from pytest_tfkernel.processes.cgroups import MEMORY

DEATHS = """
import ctypes, logging, os, signal, threading, time
import pytest

def test_kill():
    print("printed", flush=True)
    os.write(1, b"raw out")
    os.write(2, b"raw err")
    logging.getLogger("a").warning("logged")
    own = logging.getLogger("own")
    own.propagate = False
    os.kill(os.getpid(), signal.SIGKILL)
def test_after_kill(): pass
def test_segv():
    print("before segv")
    ctypes.string_at(0)
def test_abrt():
    logging.warning("before abrt")
    os.abort()
def test_exit0():
    print("before exit0", flush=True)
    os._exit(0)
def test_exit3(): os._exit(3)
def test_stack_overflow():
    import sys
    sys.setrecursionlimit(10**9)
    class Endless:
        def __repr__(self): return repr(self)
    repr(Endless())
@pytest.mark.tfkernel_isolated(timeout=1)
def test_deadline():
    threading.Thread(target=in_thread).start()
    time.sleep(1000)
def in_thread(): time.sleep(1000)

@pytest.fixture
def dies_in_setup():
    print("in set-up", flush=True)
    os._exit(4)
@pytest.fixture
def dies_in_teardown():
    yield
    print("in teardown", flush=True)
    os._exit(5)
@pytest.fixture(scope="module")
def dies_in_module_teardown():
    yield
    os._exit(6)
def test_setup(dies_in_setup): pass
def test_teardown(dies_in_teardown): print("in call")
def test_module(dies_in_module_teardown): pass
"""
SESSION = """
import atexit, os, pytest
@pytest.fixture(scope="session")
def dies_in_session_teardown():
    yield
    os._exit(7)
def test_before(): pass
def test_session(dies_in_session_teardown): pass
"""
ATEXIT = """
import atexit, os
def end():
    print("at exit", flush=True)
    os.abort()
def test_before(): pass
def test_atexit(): atexit.register(end)
"""
COLLECTION = """
import os
print("collecting", flush=True)
os.kill(os.getpid(), 11)
def test_never(): pass
"""
AFTER = "def test_last(): pass\n"
FAILED = {
    "test_kill": "died of SIGKILL",
    "test_segv": "died of SIGSEGV",
    "test_abrt": "died of SIGABRT",
    "test_exit0": "died of exit code 0",
    "test_exit3": "died of exit code 3",
    "test_stack_overflow": "died of SIGSEGV",
    "test_deadline": "died of SIGKILL: it ran longer than it may",
}
ERRORS = {
    "test_setup": "died of exit code 4",
    "test_teardown": "died of exit code 5",
    "test_module": "died of exit code 6",
    "test_session": "died of exit code 7",
    "test_atexit": "died after passing: the process of the test died of SIGABRT",
}


@dataclass(frozen=True)
class Seen:
    run: pytest.RunResult
    told: dict[str, ET.Element]

    def text(self, test: str) -> str:
        return "".join(part.text or "" for part in self.told[test])


@pytest.fixture(scope="module")
def seen(make_inner: Callable[[], Inner], tmp_path_factory: pytest.TempPathFactory) -> Seen:
    inner = make_inner()
    for name, text in [
        ("test_a.py", DEATHS),
        ("test_b.py", SESSION),
        ("test_c.py", ATEXIT),
        ("test_d.py", COLLECTION),
        ("test_e.py", AFTER),
    ]:
        inner.write(name, text)
    xml = tmp_path_factory.mktemp("xml") / "junit.xml"
    # The stacks of an interpreter that began with nothing else.
    run = inner.run("--tfkernel-isolate", "-v", "--continue-on-collection-errors", f"--junitxml={xml}", COLD="1")
    return Seen(run, {one.get("name", ""): one for one in ET.parse(xml).iter("testcase")})


def test_all_others_run(seen: Seen) -> None:
    assert counts(seen.run) == {"failed": len(FAILED), "errors": len(ERRORS) + 1, "passed": 8}
    seen.run.stdout.fnmatch_lines(["test_a.py::test_after_kill PASSED*", "test_e.py::test_last PASSED*"])
    seen.run.stdout.no_fnmatch_line("*INTERNALERROR*")


@pytest.mark.parametrize("test", [*FAILED, *ERRORS])
def test_what_ended_it_is_told_in_its_own_report(seen: Seen, test: str) -> None:
    (part,) = seen.told[test]
    assert part.tag == ("failure" if test in FAILED else "error")
    assert (FAILED | ERRORS)[test] in seen.text(test)
    assert "of CPU time" in seen.text(test)
    assert "killed by: " in seen.text(test)


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("test_kill", ["--- captured stdout\nprinted\nraw out", "--- captured stderr\nraw err", "test_a.py:9 logged"]),
        ("test_segv", ["before segv", "Fatal Python error: Segmentation fault", "in test_segv"]),
        ("test_abrt", ["before abrt", "Fatal Python error: Aborted", "in test_abrt"]),
        ("test_exit0", ["--- captured stdout\nbefore exit0"]),
        ("test_stack_overflow", ["in __repr__\n  the same "]),
        ("test_deadline", ["in test_deadline", "in in_thread", "killed by: pytest"]),
        ("test_setup", ["in set-up"]),
        ("test_teardown", ["in teardown"]),
        ("test_atexit", ["at exit", "Fatal Python error: Aborted"]),
    ],
)
def test_its_last_words_are_told(seen: Seen, test: str, words: list[str]) -> None:
    text = seen.text(test)
    assert [word for word in words if word not in text] == []
    assert "/_pytest/" not in text


def test_a_death_in_collection_names_the_file(seen: Seen) -> None:
    seen.run.stdout.fnmatch_lines(
        [
            "*ERROR collecting test_d.py*",
            "the process that collects tests died of SIGSEGV",
            '  File "*test_d.py", line 4 in <module>',
            "--- captured stdout",
            "collecting",
        ]
    )


EXPECTED = """
import os, signal, time
import pytest

@pytest.mark.tfkernel_dies("sigsegv")
def test_as_said(): os.kill(os.getpid(), 11)
@pytest.mark.tfkernel_dies(signal.SIGTERM)
def test_by_signal(): os.kill(os.getpid(), 15)
@pytest.mark.tfkernel_dies("sigabrt", 3)
def test_by_code(): os._exit(3)
@pytest.mark.tfkernel_isolated(timeout=1)
@pytest.mark.tfkernel_dies("deadline")
def test_by_cause(): time.sleep(1000)

@pytest.mark.tfkernel_dies(11)
def test_otherwise(): os.kill(os.getpid(), 11)
@pytest.mark.tfkernel_dies(3)
def test_lives(): pass
@pytest.mark.tfkernel_dies(3)
def test_fails(): assert 0
@pytest.fixture
def dies(): os._exit(3)
@pytest.mark.tfkernel_dies(3)
def test_in_setup(dies): pass
@pytest.mark.tfkernel_dies("nonsense")
def test_nonsense(): pass
@pytest.mark.tfkernel_isolated(timout=3)
def test_other_nonsense(): pass
@pytest.mark.tfkernel_dies(3)
@pytest.mark.skip
def test_skipped(): pass
"""


def test_a_death_can_be_expected(inner: Inner) -> None:
    inner.write("test_a.py", EXPECTED)
    run = inner.run("--tfkernel-isolate", "-v", "--strict-markers")
    assert counts(run) == {"passed": 4, "failed": 3, "errors": 3, "skipped": 1}
    for words in [
        "the test was to die of exit code 11: the process of the test died of SIGSEGV",
        "the test was to die of exit code 3, and ran to its end",
        "the test was to die of exit code 3 in its call, and not in its setup: the process of the test died of exit code 3",
        "the marker tfkernel_dies: 'nonsense' must be a signal such as 'sigsegv', an exit code such as 3, or one of *",
        "the marker tfkernel_isolated takes no 'timout': give some of *",
    ]:
        run.stdout.fnmatch_lines([words])


ENDS = """
import os
def pytest_sessionfinish(session):
    # In pytest's own process it would end pytest.
    if "SESSION" in os.environ and hasattr(session.config, "workerinput"): os.abort()
def pytest_unconfigure(config):
    if "CONFIG" in os.environ and hasattr(config, "workerinput"): raise KeyError("nothing")
"""


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("SESSION", "died after passing: the process of the test died of SIGABRT"),
        (
            "CONFIG",
            "died after passing: the process of the test died of exit code 3: pytest itself has failed there: KeyError*",
        ),
    ],
)
def test_a_death_when_the_session_ends_is_an_error_of_the_last_test(inner: Inner, variable: str, words: str) -> None:
    inner.write("conftest.py", ENDS)
    inner.write("test_a.py", "def test_one(): pass\ndef test_two(): pass\n")
    run = inner.run("--tfkernel-isolate", **{variable: "1"})
    assert counts(run) == {"passed": 2, "errors": 1}
    run.stdout.fnmatch_lines(["*ERROR at teardown of test_two*", words])


def test_workers_tell_of_deaths_as_one_process_does(inner: Inner) -> None:
    inner.write(
        "test_a.py", "import os\n" + "".join(f"def test_{n}(): os._exit({n}) if {n} % 2 else None\n" for n in range(6))
    )
    inner.write("test_b.py", COLLECTION)
    run = inner.run("--tfkernel-isolate", "-n2", "--continue-on-collection-errors")
    assert counts(run) == {"passed": 3, "failed": 3, "errors": 1}


def test_the_oom_killer_is_named(inner: Inner, needs_cgroup: Callable[[str], None]) -> None:
    needs_cgroup(MEMORY)
    inner.write(
        "test_a.py",
        "import pytest\n"
        "@pytest.mark.tfkernel_isolated(memory='100MiB')\n"
        "def test_one():\n"
        "    print('before', flush=True)\n"
        "    bytes(bytearray(300 << 20))\n"
        "def test_two(): pass\n",
    )
    run = inner.run("--tfkernel-isolate")
    assert counts(run) == {"passed": 1, "failed": 1}
    run.stdout.fnmatch_lines(
        [
            "the process of the test died of SIGKILL: out of memory",
            "cause: out of memory; killed by: the OOM killer; *",
            "before",
        ]
    )


@pytest.mark.parametrize("capture", ["no", "sys", "tee-sys"])
def test_deaths_are_told_however_pytest_captures(inner: Inner, capture: str, tmp_path: Path) -> None:
    inner.write("test_a.py", "import logging, os\ndef test_one():\n    logging.warning('logged')\n    os._exit(3)\n")
    run = inner.run("--tfkernel-isolate", f"--capture={capture}")
    assert counts(run) == {"failed": 1}
    run.stdout.fnmatch_lines(["the process of the test died of exit code 3", "*logged"])
