"""A run in words for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tfkernel._child import deaths
from pytest_tfkernel.model.resources import printable
from pytest_tfkernel.run import advice
from pytest_tfkernel.run.story import Story
from pytest_tfkernel.run.wishes import shown

_STACK_LINES = 40
_LAST_LINES = 10
_US = "pytest-tfkernel"

TitledText = tuple[str, str]


def story(found: Story) -> str:
    """All that is to be said of a run; nothing of one that has ended well and left nothing."""
    lines = []
    if found.has_died:
        lines = ["", headline(found)]
        for title, text in sections(found):
            lines += [f"--- {title}", *map(printable, text.splitlines())]
    elif found.code and not found.interrupts and found.cell is None:
        # That of a kernel which goes on after the script is another one.
        lines = [f"{_US}: {printable(found.name)} ended with exit code {found.code}"]
    if found.left_behind and not found.has_died:
        lines.append(f"{_US}: {printable(found.name)} left behind: {left(found)}")
    if found.fault and not found.has_died:
        lines.append(f"{_US}: {printable(found.fault)}")
    return "".join(f"{line}\n" for line in lines)


def headline(found: Story) -> str:
    """What died of what, in one line."""
    return printable(f"{_US}: {found.name}: {found.post_mortem.headline()}")


def sections(found: Story) -> Iterator[TitledText]:
    """A title and a text for each thing that is known of a death."""
    dead = found.post_mortem
    if found.kernel:
        yield "kernel", found.kernel
    if found.fault:
        yield "fault", found.fault
    if found.cell is not None:
        yield f"last cell, which is cell {found.cell}", dead.last_cell or ""
    yield "memory", memory(found)
    yield from _oom(found)
    if found.threads:
        yield "threads", "\n".join(map(str, found.threads))
    # A kernel of Jupyter's has many threads of its own.
    lines = (found.stack if found.cell is None else deaths.brief(found.stack)).splitlines()
    if lines:
        cut = [f"... {len(lines) - _STACK_LINES} more lines"] if len(lines) > _STACK_LINES else []
        yield "stack", "\n".join(lines[:_STACK_LINES] + cut)
    for name, text in (("stdout", dead.stdout), ("stderr", dead.stderr)):
        if text.strip():
            yield f"last lines of {name}", "\n".join(text.rstrip().splitlines()[-_LAST_LINES:])
    yield "left behind", left(found) or "nothing"
    for matter, steps in advice.of(found):
        yield "what people do about it", f"{matter}\n{steps.rstrip()}"


def memory(found: Story) -> str:
    """Its memory over its life, and the limit."""
    line = found.memory
    limit = f"; limit: {shown(line.limit.size)} ({line.limit.place})" if line.limit is not None else ""
    return f"{line.bars()}  at most {shown(line.peak)} in {found.post_mortem.uptime:.1f} s{limit}"


def left(found: Story) -> str:
    """What it left behind, in one line; processes among it have been ended."""
    ended = " (ended since)" if found.left else ""
    return printable("; ".join(found.left_behind)) + ended if found.left_behind else ""


def _oom(found: Story) -> Iterator[TitledText]:
    lines = []
    if found.oom.count:
        lines.append(f"counted in its cgroup: {found.oom.count}")
    for one in found.oom.taken:
        whose = "itself" if one.pid == found.post_mortem.process.pid else "a process that it had started"
        held = f", which held {shown(one.rss)}" if one.rss is not None else ""
        lines.append(f"the log of the Linux kernel names {one.task} ({one.pid}), {whose}{held}")
    if lines and found.oom.blind:
        lines.append(found.oom.blind)
    if lines:
        yield "the OOM killer", "\n".join(lines)
