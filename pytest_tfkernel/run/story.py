"""What is known of one run when it is over: plain data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pytest_tfkernel._child import deaths
from pytest_tfkernel.model.processes import Cause, Killer, Leftover, PostMortem
from pytest_tfkernel.model.resources import Audit
from pytest_tfkernel.run.memory import MemoryLine
from pytest_tfkernel.run.oom import OomRecord
from pytest_tfkernel.run.threads import Task

_FRAME = re.compile(r'^  File "(?P<file>.*)", line (?P<line>\d+) in (?P<name>.*)$')
# Where what isn't the script's own lies.
_LIBRARY = re.compile(r"/lib(64)?/python\d")


@dataclass(frozen=True)
class Story:
    """One run. `code` is the exit code that a shell has for it; `left` was running still, and has been ended.

    `interrupts` counts the signals that were passed on. `threads` are those of a process that was ended, as they were
    before. `fault` says in words what was to strike, and whether it did. A kernel that runs cells is `asked` to end
    when it has run all that it is to run.
    """

    name: str
    code: int
    post_mortem: PostMortem
    memory: MemoryLine
    audit: Audit = field(default_factory=Audit)
    left: tuple[Leftover, ...] = ()
    interrupts: int = 0
    oom: OomRecord = field(default_factory=OomRecord)
    threads: tuple[Task, ...] = ()
    fault: str = ""
    kernel: str = ""
    cell: int | None = None
    asked: bool = False

    @property
    def has_died(self) -> bool:
        """Whether something ended it beside itself and the person before it."""
        found = self.post_mortem
        if self.asked and found.killer is Killer.US:
            # It took too long, as one of Jupyter's does that waits for what it has started.
            return False
        if found.cause is Cause.EXIT:
            # Whatever the code is, the cells that remain were not run.
            return self.cell is not None and not self.asked
        return not (self.interrupts and found.cause is Cause.SIGNAL and found.killer is Killer.US)

    @property
    def stack(self) -> str:
        """The stacks of its threads, without the frames that are ours."""
        return deaths.without_ours(self.post_mortem.stack)

    @property
    def place(self) -> str:
        """Where it was, as `FILE:LINE in NAME`, and what of the script's own had called that; "" without a stack."""
        lines = self.stack.splitlines()
        current = next((at for at, line in enumerate(lines) if line.startswith("Current thread")), 0)
        frames = []
        for line in lines[current + 1 :]:
            frame = _FRAME.match(line)
            if frame is None:
                break
            frames.append(frame)
        if not frames:
            return ""
        own = next((one for one in frames if _LIBRARY.search(one["file"]) is None), frames[0])
        called = "" if own is frames[0] else f", called by {_name(own)}"
        return f"{_name(frames[0])}{called}"

    @property
    def left_behind(self) -> list[str]:
        """What it left, each in words."""
        known = {leak.resource.name for leak in self.audit.leaks}
        return [
            *(str(leak.resource) for leak in self.audit.leaks),
            *(str(one) for one in self.left if str(one.process.pid) not in known),
        ]


def _name(frame: re.Match[str]) -> str:
    return f"{frame['file']}:{frame['line']} in {frame['name']}"
