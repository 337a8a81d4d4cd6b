"""Stacks are written where pytest reads them, also by a process that takes no signal; a fork of it writes none."""

from __future__ import annotations

import subprocess
import sys
import tempfile

CODE = """
import faulthandler, os, signal, sys, time
from pytest_tfkernel.plugin.isolation.inside.stacks import Stacks

def threads(): return len(os.listdir("/proc/self/task"))
stacks = Stacks(int(sys.argv[1]))
"""


def written(code: str) -> tuple[str, str]:
    """What stands in the file, and what was printed."""
    with tempfile.TemporaryFile() as file:
        command = [sys.executable, "-W", "error", "-c", CODE + code, str(file.fileno())]
        done = subprocess.run(command, pass_fds=[file.fileno()], capture_output=True, text=True, check=False)
        file.seek(0)
        return file.read().decode(), done.stdout + done.stderr


def test_a_crash_is_told_there_whatever_was_done_before() -> None:
    text, _ = written("faulthandler.disable(); stacks.aim(); os.kill(os.getpid(), signal.SIGSEGV)")
    assert "Fatal Python error: Segmentation fault" in text


def test_who_blocks_all_signals_is_told_of() -> None:
    text, printed = written(
        "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\n"
        "print(stacks.arm(0.01))\n"
        "def here():\n"
        "    while b'in here' not in os.pread(int(sys.argv[1]), 10000, 0): time.sleep(0.01)\n"
        "    os._exit(0)\n"
        "sys.stdout.flush()\n"
        "here()\n"
    )
    assert printed == "True\n"
    assert "in here" in text


def test_it_can_be_taken_back() -> None:
    text, printed = written("stacks.arm(100); print(threads()); stacks.arm(None); print(threads())")
    assert printed.split() == ["2", "1"]
    assert text == ""


def test_a_fork_sees_no_thread_of_ours_and_writes_nothing() -> None:
    text, printed = written(
        "os.register_at_fork(before=lambda: print('before'))\n"
        "stacks.arm(100)\n"
        "os.register_at_fork(after_in_child=lambda: print(threads(), flush=True))\n"
        "if os.fork() == 0:\n"
        "    if os.fork() == 0: os._exit(0)\n"
        "    os.wait(); print(threads(), flush=True); os._exit(0)\n"
        "os.wait(); print('parent', threads())\n"
    )
    assert "Warning" not in printed
    assert printed.split()[-2:] == ["parent", "2"]
    assert set(printed.split()) == {"before", "1", "parent", "2"}
    assert text == ""


def test_a_file_that_is_another_by_now_is_let_alone() -> None:
    text, printed = written(
        "import tempfile\n"
        "other = tempfile.TemporaryFile()\n"
        "os.dup2(other.fileno(), int(sys.argv[1]))\n"
        "print(stacks.arm(0.01)); stacks.aim(); print(faulthandler.is_enabled()); other.close()\n"
    )
    assert printed.split() == ["False", "False"]
    assert text == ""
