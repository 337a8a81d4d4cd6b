"""A post-mortem, for tests of what is told of one."""

from __future__ import annotations

from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer, PostMortem, ProcessId, ResourceUsage

MORTAL = PostMortem(
    process=ProcessId(123, 5),
    generation=1,
    exit_status=ExitStatus(signal=11),
    cause=Cause.SIGNAL,
    killer=Killer.SELF,
    usage=ResourceUsage(1.0, 0.5, 64 << 20),
    uptime=2.0,
    last_cell=None,
    stack="",
    stdout="",
    stderr="",
)
