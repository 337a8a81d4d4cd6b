"""Forks of a process that has imported much: what makes one unsafe, and whose child the new one is."""

from __future__ import annotations

import subprocess
import sys

import pytest

# In a process of its own: threads and descriptors of pytest are none of the matter.
FORKS = """
import os, sys, threading
from pytest_tfkernel._child import forking
{before}
safety = forking.Safety({check!r}, {trusted!r}, "conftest.py")
with safety.watch():
    {code}
print(safety.unsafe(), "|", safety.advice)
os._exit(0)
"""


def said(code: str = "pass", *, before: str = "", check: str = "reason = None", trusted: tuple[str, ...] = ()) -> str:
    script = FORKS.format(before=before, check=check, trusted=trusted, code=code)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()


THREAD = "threading.Thread(target=threading.Event().wait, name='theirs', daemon=True).start()"


def test_what_has_begun_nothing_is_safe() -> None:
    assert said() == "None | preload less"


RAW = (
    "import _thread; has_begun = threading.Event();"
    " _thread.start_new_thread(lambda: (has_begun.set(), threading.Event().wait()), ())"
)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (THREAD, "conftest.py started 1 Python thread(s) that a fork would lose: theirs"),
        (
            f"{RAW}; has_begun.wait()",
            "conftest.py started 1 Python thread(s) that a fork would lose: unnamed",
        ),
    ],
)
def test_a_thread_would_be_lost(code: str, words: str) -> None:
    assert said(code) == f"{words} | preload less"


def test_a_thread_that_was_there_before_is_somebody_elses() -> None:
    words, _, advice = said(before=THREAD).partition(" | ")
    assert words.startswith("a sitecustomize, a .pth file or a debugger had started 1 Python thread(s)")
    assert advice == ""


def test_the_check_has_the_first_word() -> None:
    assert said(THREAD, check="reason = 'TensorFlow is initialised'") == "TensorFlow is initialised | preload less"


TWICE = """
import os
from pytest_tfkernel._child import forking
reader, writer = os.pipe()
meant = os.open(os.devnull, os.O_RDONLY)

def become():
    os.write(writer, b"%d %d" % (os.getpid(), os.getppid()))
    os._exit(0)

answer = forking.fork_twice([meant], become)
os.close(writer)
pid, parent = map(int, os.fdopen(reader).read().split())
print(answer["kind"], answer["pid"] == pid, parent == os.getpid(), os.path.exists("/proc/self/fd/%d" % meant))
"""


def test_the_new_process_is_no_child_of_whoever_forks_it() -> None:
    found = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, check=True).stdout.split()
    assert found == ["forked", "True", "False", "False"]
