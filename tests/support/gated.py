"""Tests of a user that leave things behind, run under `--tfkernel-gate`, and what the gate says of them."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from inner import Inner
from pytest_tfkernel._child import proc

# What the tests of a user leave. `daemon` does all it can to get away; `note` tells us what to clean up.
HELPERS = """
import atexit, ctypes, fcntl, gc, multiprocessing, os, socket, subprocess, sys, tempfile, time
from multiprocessing import shared_memory
from pathlib import Path
import pytest

kept = []

def note(pid):
    with open(Path(__file__).with_name("pids.txt"), "a") as file:
        file.write(f"{pid}\\n")

def sleeper(seconds="300", **options):
    process = subprocess.Popen(["sleep", seconds], **options)
    kept.append(process)
    note(process.pid)
    return process

def daemon():
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            os.write(writer, str(os.getpid()).encode())
            os.closerange(3, 100)
            os.execve("/bin/sleep", ["sleep", "300"], {})
        os._exit(0)
    os.wait()
    note(int(os.read(reader, 20)))
    os.close(reader), os.close(writer)

def forked():
    pid = os.fork()
    if pid == 0:
        os.closerange(0, 100)
        time.sleep(300)
        os._exit(0)
    note(pid)

def end(process):
    process.kill()
    process.wait()

def shared():
    memory = shared_memory.SharedMemory(create=True, size=100)
    memory.close()
    atexit.register(memory.unlink)

def segment():
    libc = ctypes.CDLL(None)
    number = libc.shmget(0, 4096, 0o1600)
    assert number >= 0
    atexit.register(libc.shmctl, number, 0, None)

def by_a_child(code):
    subprocess.run([sys.executable, "-c", code], check=True)
"""

STRAYS = "left by processes that have ended, and no test is known to have started them:"
Run = Callable[..., pytest.RunResult]


WIDE = """
@pytest.fixture(scope="{scope}", autouse={autouse})
def server():
    process = sleeper()
    folder = tempfile.mkdtemp()
    listening = socket.create_server(("127.0.0.1", 0))
    yield process
    {teardown}

class TestOne:
    def test_one(self, server): pass
    def test_two(self, server): pass

class TestTwo:
    def test_three(self, server): pass
"""
ENDS = "end(process), os.rmdir(folder), listening.close(), kept.clear()"


def end(pid: int) -> None:
    """Kill a process, and wait for it where it has become our child."""
    os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


@contextlib.contextmanager
def leaking(inner: Inner) -> Iterator[Inner]:
    """A folder whose tests can leak as they like: it is all cleaned up."""
    inner.write("helpers.py", HELPERS)
    inner.write("conftest.py", "import sys, pathlib; sys.path.insert(0, str(pathlib.Path(__file__).parent))")
    # The path of a Unix socket is at most 107 bytes.
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="gate-"))
    (inner.folder.parent / "tmp").symlink_to(folder)
    (inner.folder.parent / "here").mkdir()
    yield inner
    shutil.rmtree(folder)
    told = inner.folder / "pids.txt"
    # Orphans come to us. What they are called isn't asked: one that an exec has just begun in has no command line yet.
    ours = {one["pid"] for one in proc.descendants(os.getpid())}
    for pid in map(int, told.read_text().split() if told.exists() else ()):
        if pid in ours:
            # It may have ended with one before it.
            with contextlib.suppress(ProcessLookupError):
                end(pid)


def runner(gated: Inner) -> Run:
    """Writes a test file, or one for each code that has a name, and runs it under the gate.

    With `before`, what a plugin of the test puts over the system is there before we are imported.
    """

    def run(
        code: str | dict[str, str],
        *arguments: str,
        option: str = "--tfkernel-gate",
        before: bool = False,
        **environment: str,
    ) -> pytest.RunResult:
        for name, text in (code if isinstance(code, dict) else {"mine": code}).items():
            gated.write(f"test_{name}.py", f"from helpers import *\n{text}")
        places = {"TMPDIR": str((gated.folder.parent / "tmp").resolve()), "HERE": str(gated.folder.parent / "here")}
        # A fork beside other threads is warned of from Python 3.12 on.
        quiet = ("-W", "ignore::DeprecationWarning")
        inner = replace(gated, warm=None) if before else gated
        return inner.run(*([option] if option else []), *quiet, *arguments, **places, **environment)

    return run


def blamed(result: pytest.RunResult) -> list[str]:
    """The tests that failed in their teardown."""
    return re.findall(r"^_+ ERROR at teardown of (\S+) _+$", result.stdout.str(), re.MULTILINE)


def section(result: pytest.RunResult) -> list[str]:
    """The lines of our section at the end, but for what other programs have made meanwhile, and who uses that."""
    _, _, rest = result.stdout.str().partition("= tfkernel gate =")
    lines = rest.splitlines()[1:]
    lines = lines[: next((number for number, line in enumerate(lines) if line[:1] in {"=", "!"}), len(lines))]
    theirs = re.compile(rf"|{STRAYS}|.*; running at the time: .*|not looked at, .*: /proc/\*/(maps|task/.*)")
    return [line for line in lines if not theirs.fullmatch(line.partition(": Permission denied")[0])]


def told(result: pytest.RunResult) -> dict[str, list[str]]:
    """What our section says of each, by what it is called there."""
    owners: dict[str, list[str]] = {}
    owner = ""
    for line in section(result):
        if line.startswith("  "):
            owners[owner].append(line.strip())
        elif not line.startswith(("helpers", "not looked")):
            owner = line
            owners[owner] = []
    return owners
