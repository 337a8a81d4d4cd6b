"""Which Python a path names, and whether kernels can run there."""

from __future__ import annotations

import contextlib
import json
import os
import posix
import shutil
from collections.abc import Sequence
from pathlib import Path

from pytest_tfkernel.model.errors import KernelStartError, NoRoomError, SpecError
from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.processes import room
from pytest_tfkernel.processes.orders import Order
from pytest_tfkernel.processes.pidfds import close, is_dead, open_pidfd
from pytest_tfkernel.processes.supervisor import CHILD_FOLDER, Supervisor
from pytest_tfkernel.processes.waits import monotonic, ready

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# Where `_child/describe.py` answers: what an interpreter prints may be anybody's.
_ANSWER = 3
_OLDEST = (3, 6)
_SECONDS = 60
# One that has answered may have threads of its own, and is ended then.
_FAREWELL_SECONDS = 1
# What is kept of each stream; far more than an answer has.
_KEPT = 64 * 1024
# Far more than an interpreter says, however talkative it is made: something else, such as `yes`.
_MOST = 64 * 1024 * 1024


def describe(python: str, supervisor: Supervisor, lease: int) -> Interpreter:
    """Ask an interpreter what it is. Raises SpecError with one line when it can't run kernels."""
    path = find(python)
    try:
        said, ended, words = _run(path, supervisor, lease)
    except NoRoomError:
        # The interpreter has no part in it.
        raise
    except KernelStartError as error:
        raise SpecError(f"python={python!r} can't be run ({error}): name a Python interpreter") from None
    finally:
        supervisor.end(lease)
    try:
        facts = json.loads(said)
        major, minor, micro = map(int, facts["version"])
        found = Interpreter(
            facts["executable"], (major, minor, micro), facts["tensorflow"], dict(facts["packages"]), facts["cuda"]
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        last = f" and said {words.splitlines()[-1][:200]!r}" if words else ""
        raise SpecError(
            f"python={python!r} is not a Python interpreter: asked for its version, it {ended}{last}"
        ) from None
    if found.version < _OLDEST:
        raise SpecError(f"python={python!r} is Python {major}.{minor}: kernels need {_OLDEST[0]}.{_OLDEST[1]} or newer")
    return found


def find(python: str) -> str:
    """The absolute path of an interpreter given as a path or a name on PATH. Raises SpecError."""
    path = shutil.which(python)
    if path is not None:
        # Not resolved: an environment is known by the link in its own folder.
        return str(Path(path).absolute())
    try:
        Path(python).stat()
    except FileNotFoundError:
        raise SpecError(
            f"python={python!r} doesn't exist: name a Python interpreter, as a path or as found on PATH"
        ) from None
    except (OSError, ValueError) as error:
        raise SpecError(f"python={python!r} can't be looked at ({error}): name a Python interpreter") from None
    if os.access(Path(python).absolute(), os.X_OK) and Path(python).is_file():
        raise SpecError(f"python={python!r} is not on PATH: write './{python}' for the one in this folder")
    raise SpecError(f"python={python!r} is not an executable file: name a Python interpreter")


def _run(path: str, supervisor: Supervisor, lease: int) -> tuple[str, str, str]:
    """Run the question to its end: the answer, how it ended, and what it has printed."""
    with contextlib.ExitStack() as stack:
        with room.Needed(f"{path} can't be asked what it is"):
            answer, stdout, stderr = (stack.enter_context(contextlib.closing(_Pipe())) for _ in range(3))
        process = supervisor.start(
            [path, str(CHILD_FOLDER / "describe.py")],
            os.environ,
            Order(lease, folder=None),
            {1: stdout.writer, 2: stderr.writer, _ANSWER: answer.writer},
        )
        unfinished = _await(process, answer, (stdout, stderr))
        said, words = answer.text, stderr.text or stdout.text
    if unfinished:
        return said, unfinished, words
    death = supervisor.death_of(process, _SECONDS)
    return said, f"ended with {death.status}" if death is not None else "ended", words


def _await(process: ProcessId, answer: _Pipe, prints: Sequence[_Pipe]) -> str:
    """Why it wasn't waited for any longer; empty where it has ended. All that it prints meanwhile is read."""
    pidfd = open_pidfd(process)
    if pidfd is None:
        for one in (answer, *prints):
            one.read()
        return ""
    deadline = monotonic() + _SECONDS
    try:
        while True:
            # Asked before, since the last words come before the end.
            dead, had_answered = is_dead(pidfd), answer.is_line
            for one in (answer, *prints):
                one.read()
            if dead:
                return ""
            if any(one.count > _MOST for one in prints):
                return f"printed more than {_MOST >> 20} MiB"
            if answer.is_line and not had_answered:
                deadline = min(deadline, monotonic() + _FAREWELL_SECONDS)
            remaining = deadline - monotonic()
            if remaining <= 0:
                return f"did not answer for {_SECONDS} s"
            ready(remaining, pidfd, answer.reader, *(one.reader for one in prints))
    finally:
        close(pidfd)


class _Pipe:
    """A pipe for one stream, of which the last words are kept."""

    def __init__(self) -> None:
        self.reader, self.writer = posix.pipe()
        posix.set_blocking(self.reader, False)
        self._data = b""
        self.count = 0

    def read(self) -> None:
        """Take what has come, a little at a time: somebody may print without end."""
        with contextlib.suppress(BlockingIOError):
            data = posix.read(self.reader, _KEPT)
            self.count += len(data)
            self._data = (self._data + data)[-_KEPT:]

    @property
    def is_line(self) -> bool:
        """Whether a whole line has come."""
        return self._data.endswith(b"\n")

    @property
    def text(self) -> str:
        """The last words."""
        return self._data.decode("utf-8", "backslashreplace").strip()

    def close(self) -> None:
        """Free both ends."""
        posix.close(self.reader)
        posix.close(self.writer)
