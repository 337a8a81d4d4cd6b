"""Commands of others, such as pip and pytest, below our supervisor, which ends them should we be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.processes import ExitStatus
from pytest_tfkernel.processes.orders import Order
from pytest_tfkernel.upgrade.errors import UpgradeError

# In which pytest ends its kernels and writes down what it has seen.
_GRACE_SECONDS = 20.0
_END_SECONDS = 10.0
# Others who ask the supervisor wait for so long.
_TICK_SECONDS = 0.1
# Of the pytest or the environment around us; what is started has its own.
_FOREIGN = ("PYTEST_CURRENT_TEST", "PYTEST_VERSION", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
_FOREIGN_BEGIN = ("PYTEST_XDIST_", "GITHUB_")


@dataclass(frozen=True)
class CommandLine:
    """What to run: its words, what of the environment differs from ours (None: left out), and its working folder."""

    words: tuple[str, ...]
    environment: Mapping[str, str | None] = field(default_factory=dict)
    folder: Path = Path("/")


class Runs(Protocol):
    """What runs a command (`Commands`)."""

    def run(self, command: CommandLine, log: Path, tick: Callable[[], object] = ...) -> ExitStatus:
        """See `Commands`."""


class Commands:
    """Runs commands, with a file for what each prints; in several threads, if need be."""

    def __init__(self, launcher: Launcher, grace: float = _GRACE_SECONDS) -> None:
        self._launcher = launcher
        self._supervisor = launcher.supervisor
        self._grace = grace
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Have all that run now interrupted, and no other begin; each raises UpgradeError."""
        self._stopping.set()

    def run(self, command: CommandLine, log: Path, tick: Callable[[], object] = lambda: None) -> ExitStatus:
        """Run a command until its end; `tick` is called now and then meanwhile.

        Raises UpgradeError where the log can't be written, TFKernelError where the command can't begin. Ctrl-C
        interrupts the command too, which may end in order, and is raised again.
        """
        self._check()
        lease = self._launcher.new_lease()
        with _opened(log) as output:
            order = Order(lease, str(command.folder))
            process = self._supervisor.start(
                command.words, environment(command.environment), order, {1: output, 2: output}
            )
            try:
                while (death := self._supervisor.death_of(process, _TICK_SECONDS)) is None:
                    tick()
                    self._check()
            except (KeyboardInterrupt, _StoppedError):
                self._supervisor.signal(process, signal.SIGINT)
                # A second one ends the wait.
                self._supervisor.death_of(process, self._grace)
                raise
            finally:
                # Also what it has left.
                self._supervisor.end(lease, _END_SECONDS)
        return death.status

    def _check(self) -> None:
        if self._stopping.is_set():
            raise _StoppedError("stopped")


class _StoppedError(UpgradeError):
    """Another thread wants it to end."""


def environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    """Ours, without what is of this process only, and with these changes."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if name not in _FOREIGN and not name.startswith(_FOREIGN_BEGIN) and name not in changes
    }
    return kept | {name: text for name, text in changes.items() if text is not None}


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise UpgradeError(f"{path} can't be written: {error.strerror}; make room or name another folder") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)
