"""Which Python a path names, and whether kernels can run there."""

from __future__ import annotations

import json
import os
import resource
import shutil
from pathlib import Path

from pytest_tfkernel.kernels.captures import Capture
from pytest_tfkernel.kernels.errors import KernelStartError, SpecError
from pytest_tfkernel.kernels.pidfds import is_dead, open_pidfd
from pytest_tfkernel.kernels.supervisor import CHILD_FOLDER, Supervisor
from pytest_tfkernel.model.kernels import Interpreter

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_OLDEST = (3, 6)
_SECONDS = 60
# Far more than an interpreter says, so that something else (`yes`, say) is stopped early.
_MAX_ANSWER = 1024 * 1024


def describe(python: str, supervisor: Supervisor, lease: int) -> Interpreter:
    """Ask an interpreter what it is. Raises SpecError with one line when it can't run kernels."""
    path = find(python)
    stdout, stderr = Capture("describe-stdout"), Capture("describe-stderr")
    try:
        status = _run(path, supervisor, lease, stdout, stderr)
        answer, words = stdout.read(0, _MAX_ANSWER)[0], stderr.read(0, _MAX_ANSWER)[0]
    except KernelStartError as error:
        raise SpecError(f"python={python!r} can't be run ({error}): name a Python interpreter") from None
    finally:
        supervisor.end(lease)
        stdout.close()
        stderr.close()
    try:
        facts = json.loads(answer)
        major, minor, micro = map(int, facts["version"])
        found = Interpreter(
            facts["executable"], (major, minor, micro), facts["tensorflow"], dict(facts["packages"]), facts["cuda"]
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        said = (words or answer).strip()
        last = f" and said {said.splitlines()[-1][:200]!r}" if said else ""
        raise SpecError(
            f"python={python!r} is no Python interpreter: asked for its version, it {status}{last}"
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


def _run(path: str, supervisor: Supervisor, lease: int, stdout: Capture, stderr: Capture) -> str:
    """Run the question to its end; says in words how it ended."""
    process = supervisor.start(
        [path, str(CHILD_FOLDER / "describe.py")],
        os.environ,
        {"lease": lease, "cgroups": [], "limits": [[resource.RLIMIT_FSIZE, _MAX_ANSWER]], "folder": None},
        {1: stdout.descriptor, 2: stderr.descriptor},
    )
    pidfd = open_pidfd(process)
    if pidfd is not None:
        ended = is_dead(pidfd, _SECONDS)
        os.close(pidfd)
        if not ended:
            return f"did not answer for {_SECONDS} s"
    death = supervisor.death_of(process, _SECONDS)
    return f"ended with {death.status}" if death is not None else "ended"
