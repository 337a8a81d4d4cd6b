"""What the gate tells of itself and of what it has found."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tfkernel.gate.findings import Finding, Stray, Tally
from pytest_tfkernel.plugin.gate.markers import MARKER

_MOST_STRAYS = 20


def failure(findings: list[Finding]) -> str:
    """What the report of a test says that left something behind."""
    lines = [line for finding in findings for line in _lines(finding)]
    kinds = dict.fromkeys(one.kind.value for finding in findings for one in finding.left)
    allowed = ", ".join(f'"{kind}"' for kind in kinds)
    return "\n".join((*lines, f'If that is meant to be: @pytest.mark.{MARKER}({allowed}, reason="...")'))


def summary(tally: Tally) -> Iterator[str]:
    """The lines of the section at the end of a run; none when there is nothing to tell."""
    for finding in tally.findings:
        yield finding.owner + (f" (torn down after {finding.test})" if finding.fixture and finding.test else "")
        excuse = f" - {finding.excused}" if finding.excused else ""
        yield from (f"  {line}{excuse}" for line in _lines(finding, fixture=False))
    strays = _strays(tally)
    if strays:
        yield "left by processes that have ended, and no test is known to have started them:"
        for stray in strays[:_MOST_STRAYS]:
            yield f"  {stray.thing}; running at the time: {', '.join(stray.tests)}"
        if len(strays) > _MOST_STRAYS:
            yield f"  and {len(strays) - _MOST_STRAYS} more"
    for allowance in tally.unused:
        where = allowance.node or "the session"
        yield f"unused: {MARKER}({allowance.kind!r}, reason={allowance.reason!r}) at {where}: nothing was left"
    yield from tally.told
    if tally.known:
        counts = ", ".join(f"{count} x {what}" for what, count in sorted(tally.known.items()))
        yield f"helpers that live as long as pytest, by design: {counts}"
    for reason, count in tally.blind.items():
        yield f"not looked at, {count} x: {reason}"


def _strays(tally: Tally) -> list[Stray]:
    """Those for which no worker knows who is to blame: each sees what the others have left, too."""
    blamed = {(one.kind, one.name) for finding in tally.findings for one in finding.left}
    return [one for one in tally.strays if (one.thing.kind, one.thing.name) not in blamed]


def _lines(finding: Finding, *, fixture: bool = True) -> Iterator[str]:
    by = f" by the {finding.fixture}" if fixture and finding.fixture else ""
    return (f"left behind{by}: {one}" for one in finding.left)
