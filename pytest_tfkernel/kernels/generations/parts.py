"""What is made for one generation of a kernel before its process is, and outlives it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel._child import removal
from pytest_tfkernel._child.kin import TOKEN
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.processes.cgroups import Cgroup
from pytest_tfkernel.processes.output.captures import Capture
from pytest_tfkernel.processes.wire import Channel

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# pytest changes this one for every test: it says nothing about a kernel that outlives the test.
_NOT_INHERITED = ("PYTEST_CURRENT_TEST",)


@dataclass(frozen=True)
class Parts:
    """What is made before a process is, and outlives it.

    A kernel with a `host` is kept by that process, which also interrupts it; its cgroup is that of all
    generations. A process of a test has no `temporary` folder of its own. `elegy` says of a dead one that a process had
    ended on which it depends, if so.
    """

    channel: Channel
    stdout: Capture
    stderr: Capture
    stacks: Capture
    lease: int
    cgroup: Cgroup | None
    temporary: Path | None
    elegy: Callable[[ProcessId], str]
    host: ProcessId | None = None

    def close(self) -> None:
        """Free all but the cgroup and the temporary folder, which go when the last process has."""
        self.channel.close()
        for capture in (self.stdout, self.stderr, self.stacks):
            capture.close()

    def discard(self) -> None:
        """Free everything: there is no process."""
        self.close()
        self.remove_temporary()
        if self.cgroup is not None and self.host is None:
            self.cgroup.remove()

    def remove_temporary(self) -> None:
        """Remove the temporary folder with all that is in it; what can't be removed goes with the session's."""
        if self.temporary is not None:
            removal.remove(str(self.temporary))


def environment(spec: KernelSpec, lease: int, temporary: Path) -> dict[str, str]:
    """Pytest's own, with the changes of the spec."""
    found = {name: text for name, text in os.environ.items() if name not in _NOT_INHERITED}
    # Unbuffered, C stdio included: last words reach their file. The token is one sign of whose a process is.
    found |= {"PYTHONUNBUFFERED": "1", TOKEN: str(lease), "TMPDIR": str(temporary)}
    for name, text in spec.environment.items():
        if text is None:
            found.pop(name, None)
        else:
            found[name] = text
    return found
