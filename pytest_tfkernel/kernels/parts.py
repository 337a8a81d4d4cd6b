"""What is made for one generation of a kernel before its process is, and outlives it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel.kernels.captures import Capture
from pytest_tfkernel.kernels.cgroups import Cgroup
from pytest_tfkernel.kernels.wire import Channel

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True


@dataclass(frozen=True)
class Parts:
    """What is made before a process is, and outlives it."""

    channel: Channel
    stdout: Capture
    stderr: Capture
    stacks: Capture
    lease: int
    cgroup: Cgroup | None
    temporary: Path

    def close(self) -> None:
        """Free all but the cgroup and the temporary folder, which go when the last process has."""
        self.channel.close()
        for capture in (self.stdout, self.stderr, self.stacks):
            capture.close()

    def discard(self) -> None:
        """Free everything: there is no process."""
        self.close()
        self.remove_temporary()
        if self.cgroup is not None:
            self.cgroup.remove()

    def remove_temporary(self) -> None:
        """Remove the temporary folder with all that is in it; what can't be removed goes with the session's."""
        shutil.rmtree(self.temporary, ignore_errors=True)
