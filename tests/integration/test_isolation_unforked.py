"""Where not even a blank process may be forked, each process of tests is an interpreter of its own, and like any other."""

from __future__ import annotations

import pytest

from inner import Inner, counts

# What a debugger or an agent of a company does in each Python.
SITE = """
import threading
threading.Thread(target=threading.Event().wait, daemon=True, name="from-the-site").start()
"""
TESTS = """
import logging, os, resource, signal, subprocess, threading, time
import pytest

def test_threads(): assert "from-the-site" in [one.name for one in threading.enumerate()]
def test_dies():
    print("last words")
    logging.warning("logged words")
    os.kill(os.getpid(), signal.SIGSEGV)
@pytest.mark.tfkernel_isolated(timeout=1, env={"OF_THIS_TEST": "set"})
def test_hangs():
    assert os.environ["OF_THIS_TEST"] == "set"
    subprocess.Popen(["sleep", "1061"], start_new_session=True)
    time.sleep(1000)
@pytest.mark.tfkernel_isolated(memory="3GiB", by="rlimit")
def test_is_limited(): assert resource.getrlimit(resource.RLIMIT_DATA)[0] == 3 << 30
def test_is_not(): assert "OF_THIS_TEST" not in os.environ
"""


@pytest.mark.parametrize("words", [("=file",), ("=test", "-s")])
def test_tests_run_cold_and_are_told_as_any_others(inner: Inner, words: tuple[str, ...]) -> None:
    inner.write("site/sitecustomize.py", SITE)
    inner.write("test_a.py", TESTS)
    path = f"{inner.folder / 'site'}:{inner.environment['PYTHONPATH']}"
    run = inner.run(f"--tfkernel-isolate{words[0]}", *words[1:], PYTHONPATH=path)
    assert counts(run) == {"passed": 3, "failed": 2}
    run.stdout.fnmatch_lines(
        [
            "*__ test_dies __*",
            "*died of SIGSEGV*",
            "*in test_dies",
            "*logged words" if "-s" not in words else "*",
            "*__ test_hangs __*",
            "*died of SIGKILL: it ran longer than it may",
            "*in test_hangs",
            "*test_hangs left running (ended now): process * (sleep 1061)",
            "*0 forked, * cold*",
        ]
    )
    text = run.stdout.str()
    assert "last words" in text
    assert text.count("before anything was preloaded, and a fork would lose them: from-the-site") == 1
    assert "Traceback" not in text
