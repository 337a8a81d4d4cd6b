"""The processes of isolated tests: how they ended, and what they took."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tfkernel.report.compare.differences import About, Change, Difference
from pytest_tfkernel.report.compare.pairs import Pair, Pairs
from pytest_tfkernel.report.compare.states import of_test
from pytest_tfkernel.report.document import IsolatedProcess, Test

GROUP = "your isolated tests"
# What pytest's sessions end with, whatever their tests have done. A process that dies of one says of what.
_OF_SESSIONS = range(6)
_IN_ORDER = "ends as a session does"


def differences(pairs: Pairs) -> Iterator[Difference]:
    """Those that ended in another way, though their test came out as before; else its outcome says so."""
    for item, pair in pairs.tests.items():
        both = _both(pair)
        if both is None or of_test(both[0]) is not of_test(both[1]):
            continue
        ends = [one.process for one in both if one.process is not None]
        statuses = {_status(one) for one in ends}
        # An older document has no causes, and where it ended in order there is none.
        causes = {one.cause for one in ends} - {None}
        if len(statuses) > 1 or len(causes) > 1:
            before, after = map(_ended, ends)
            yield Difference(Change.EXIT, About.TEST, item, before=before, after=after)


def measured(pair: Pair[Test]) -> Iterator[tuple[str, str, float, float]]:
    """What was measured in both runs: its name, its unit, and what it was in each of them."""
    both = _both(pair)
    if both is None or "skipped" in {one.outcome for one in both}:
        return
    ref, changed = both
    yield "seconds of one", "s", ref.seconds, changed.seconds
    memory = [one.process.peak_memory for one in both if one.process is not None]
    if memory[0] is not None and memory[1] is not None:
        yield "most memory", "bytes", float(memory[0]), float(memory[1])


def _both(pair: Pair[Test]) -> tuple[Test, Test] | None:
    """The test in both runs, where both have isolated it."""
    ref, changed = pair.ref, pair.changed
    if ref is None or changed is None or ref.process is None or changed.process is None:
        return None
    return ref, changed


def _status(process: IsolatedProcess) -> str:
    """That of a death; one that has run on for other tests has as good as ended in order."""
    if process.signal is not None:
        return process.signal
    if process.code is None or (process.code in _OF_SESSIONS and process.cause is None):
        return _IN_ORDER
    return f"exit code {process.code}"


def _ended(process: IsolatedProcess) -> str:
    return f"{_status(process)} (cause: {process.cause})" if process.cause else _status(process)
