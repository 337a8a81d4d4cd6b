"""What is told of the death of a test's process: its report, and what a person reads there."""

from __future__ import annotations

import itertools
import os
import re
from typing import Literal

import pytest

from pytest_tfkernel._child.kernel import CHANNEL_LOST
from pytest_tfkernel.model.processes import Cause, Killer, PostMortem
from pytest_tfkernel.plugin.isolation.expected import Expected
from pytest_tfkernel.plugin.isolation.peers import ProcessDeath

When = Literal["setup", "call", "teardown"]
TEST, COLLECTION = "the process of the test", "the process that collects tests"

# A test may end so by itself: nobody can tell the two apart.
_CLOSED = (
    "descriptor 3, by which it tells pytest of its tests, was closed there (leave alone what you did not open),"
    " or it has chosen that exit code itself"
)
_CAUSES = {
    Cause.SIGNAL: "a signal",
    Cause.EXIT: "it ended by itself",
    Cause.OOM_KILL: "out of memory",
    Cause.DEADLINE: "its time was over",
    Cause.UNKNOWN: "unknown",
}
_KILLERS = {
    Killer.US: "pytest",
    Killer.SELF: "itself",
    Killer.OOM_KILLER: "the OOM killer",
    Killer.UNKNOWN: "unknown, none of us",
}
_CALLERS = ("_pytest", "pluggy", "pytest_tfkernel", "importlib", "<frozen runpy>", "<frozen importlib._bootstrap>")
# How faulthandler begins what it writes without being asked; where it was asked before that, it was for the same.
_AGAIN = "Timeout ("
# Of a thread, as faulthandler calls it.
_ADDRESS = re.compile(r"(?<=hread) 0x[0-9a-f]+")
# How often a frame is shown that comes again and again.
_MOST_ALIKE = 3
_MIB = 1 << 20


def phase_after(last: pytest.TestReport | None) -> When:
    """In which phase a test was that has told this report last."""
    if last is None or last.outcome not in ("passed", "failed", "skipped"):
        # After the last report of a try that is done again, the next one begins.
        return "setup"
    if last.when == "setup":
        return "call" if last.outcome == "passed" else "teardown"
    return "teardown"


def report(
    item: pytest.Item,
    last: pytest.TestReport | None,
    death: ProcessDeath,
    seconds: float,
    expected: Expected | None = None,
) -> pytest.TestReport:
    """That of the phase in which its process has died, after some seconds; a test that was to die there has passed."""
    when = phase_after(last)
    words = described(death)
    outcome = "failed"
    if expected is not None:
        if when == "call" and expected.is_met_by(death.post_mortem):
            outcome = "passed"
        else:
            where = "" if when == "call" else f" in its call, and not in its {when}"
            words = f"the test was to die of {expected}{where}: {words}"
    sections = list(last.sections) if last is not None else []
    if outcome == "passed":
        sections.append(("post-mortem", words))
    return pytest.TestReport(
        item.nodeid,
        item.location,
        dict.fromkeys(item.keywords, 1),
        outcome,  # type: ignore[arg-type]
        words if outcome == "failed" else None,
        when,
        sections,
        duration=seconds,
        user_properties=list(last.user_properties) if last is not None else [],
    )


def of_the_living(told: pytest.TestReport, expected: Expected) -> None:
    """The report of a test that was to die, and has passed."""
    if told.when == "call" and told.outcome == "passed":
        told.outcome = "failed"
        told.longrepr = f"the test was to die of {expected}, and ran to its end"


def late(death: ProcessDeath, *, passed: bool) -> str:
    """What is told of a process that died of something else than its end, when its last test had ended."""
    return f"died after {'passing' if passed else 'the test had ended'}: {described(death)}"


def spoil(told: pytest.TestReport, words: str) -> None:
    """Let the report of a teardown be one of an error, since something was found after it."""
    told.outcome = "failed"
    told.longrepr = words if told.longrepr is None else f"{told.longrepr}\n{words}"


def described(death: ProcessDeath, whose: str = TEST) -> str:
    """What a person reads: what ended the process, where it was, and its last words."""
    found = death.post_mortem
    status = "an unknown exit status" if found.exit_status is None else str(found.exit_status)
    why = _CLOSED if found.exit_status is not None and found.exit_status.code == CHANNEL_LOST else found.note
    if found.cause in (Cause.OOM_KILL, Cause.DEADLINE):
        why = why or _CAUSES[found.cause]
    if death.internal:
        why = f"pytest itself has failed there: {death.internal}"
    lines = [f"{whose} died of {status}" + (f": {why}" if why else "")]
    cause = f"cause: {_CAUSES[found.cause]}; killed by: {_KILLERS[found.killer]}"
    stack = _stack(found.stack.strip())
    if whose == COLLECTION:
        # Workers of pytest-xdist all collect the same, and what they tell in the same words is told once.
        stack = _ADDRESS.sub("", stack)
    else:
        cause = f"{cause}; {_used(found)}"
    lines += [cause, stack] if stack else [cause]
    # What pytest hasn't captured, as at the very end.
    beyond = {"stdout": found.stdout, "stderr": found.stderr}
    for title, words in (("captured {}", death.printed), ("{} that pytest has not captured", beyond)):
        lines += [f"--- {title.format(name)}\n{text.rstrip()}" for name, text in words.items() if text.strip()]
    return "\n".join(lines)


def _used(found: PostMortem) -> str:
    usage = found.usage
    used = ""
    if usage is not None:
        seconds = usage.user_seconds + usage.system_seconds
        used = f", {seconds:.1f} s of CPU time, at most {usage.max_rss / _MIB:.0f} MiB of memory"
    return f"process {found.process}, {found.uptime:.1f} s{used}"


def _stack(text: str) -> str:
    """Without the frames by which every test is called, at the end of a thread's stack, and those that come again."""
    first = text.find(_AGAIN, 1)
    once = text if first < 0 else text[:first]
    return "\n\n".join(_thread(thread.splitlines()) for thread in once.strip().split("\n\n"))


def _thread(lines: list[str]) -> str:
    while len(lines) > 1 and any(f"{os.sep}{one}{os.sep}" in lines[-1] or one in lines[-1] for one in _CALLERS):
        lines.pop()
    kept: list[str] = []
    for line, group in itertools.groupby(lines):
        count = len(list(group))
        kept += [line] * min(count, _MOST_ALIKE)
        if count > _MOST_ALIKE:
            kept.append(f"  the same {count - _MOST_ALIKE} more times")
    return "\n".join(kept)
