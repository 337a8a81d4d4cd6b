"""Runs that are over, written by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer, PostMortem, ProcessId, ResourceUsage
from pytest_tfkernel.run.memory import Limit, MemoryLine, Sample
from pytest_tfkernel.run.story import Story

MEMORY = MemoryLine((Sample(0.0, 1 << 20), Sample(1.0, 60 << 20)), 64 << 20, Limit(64 << 20, "a cgroup of its own"))
STACK = """\
Fatal Python error: Segmentation fault

Thread 0x1 (most recent call first):
  File "/lib/threading.py", line 1 in wait

Current thread 0x2 (most recent call first):
  File "/home/train.py", line 7 in step
  File "/site/pytest_tfkernel/_child/script.py", line 39 in run
  File "<frozen runpy>", line 88 in _run_code
"""


def dead(
    cause: Cause, killer: Killer, *, code: int | None = None, signal: int | None = None, **more: Any
) -> PostMortem:
    """A post-mortem."""
    found = PostMortem(
        process=ProcessId(4242, 1),
        generation=1,
        exit_status=ExitStatus(code, signal),
        cause=cause,
        killer=killer,
        usage=ResourceUsage(1.0, 0.5, 64 << 20),
        uptime=2.0,
        last_cell="python train.py",
        stack="",
        stdout="step 1\n",
        stderr="",
    )
    return dataclasses.replace(found, **more)


def story(found: PostMortem, **more: Any) -> Story:
    """A run that ended so."""
    status = found.exit_status
    code = 1 if status is None else status.code if status.code is not None else 128 + (status.signal or 0)
    return dataclasses.replace(Story("train.py", code, found, MEMORY), **more)
