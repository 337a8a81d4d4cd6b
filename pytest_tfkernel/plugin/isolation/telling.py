"""The reports of tests that run elsewhere, in their order; that of a teardown waits until its process has ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from pytest_tfkernel.model.processes import Leftover
from pytest_tfkernel.plugin.isolation import deaths, leftovers, reports
from pytest_tfkernel.plugin.isolation.expected import Expected
from pytest_tfkernel.plugin.isolation.peers import ProcessDeath
from pytest_tfkernel.processes.waits import monotonic

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_Report = tuple[pytest.Item, pytest.TestReport]


class Teller:
    """Tells pytest of one test after the other. The last report of each is held back until `release`, or the next."""

    def __init__(self) -> None:
        # The latest report of the test that runs, and whether none of them has failed.
        self._last: pytest.TestReport | None = None
        self._passes = True
        # When the phase that runs has begun.
        self._since = monotonic()
        # The report of a teardown that may be the process's last; and the latest that was told.
        self._held: _Report | None = None
        self._told: _Report | None = None

    def begin(self) -> None:
        """A test begins."""
        self._last, self._passes = None, True

    def phase_begins(self) -> None:
        """From now on its time counts."""
        self._since = monotonic()

    @property
    def is_told(self) -> bool:
        """Whether there is nothing more to be told of the test, but perhaps its teardown."""
        return deaths.phase_after(self._last) == "teardown"

    def tell(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """The next report of the test."""
        self.release()
        self._last, self._since = report, monotonic()
        self._passes = self._passes and not report.failed
        if report.when == "teardown":
            self._held = item, report
        else:
            item.ihook.pytest_runtest_logreport(report=report)

    def fail(self, item: pytest.Item, words: str) -> None:
        """Tell of a test that can't be run, or not to its end."""
        if self._last is not None and self._last.when == "teardown" and self._held is not None:
            deaths.spoil(self._held[1], words)
            return
        report = reports.failed(item, words)
        report.when = deaths.phase_after(self._last)
        self._tell_with_teardown(item, report)

    def died(self, item: pytest.Item, death: ProcessDeath, expected: Expected | None, how: str) -> None:
        """The process of the test is dead; `how` it was made."""
        if self._last is not None and self._last.when == "teardown" and self._held is not None:
            deaths.spoil(self._held[1], deaths.late(death, passed=self._passes))
        else:
            seconds = monotonic() - self._since
            self._tell_with_teardown(item, deaths.report(item, self._last, death, seconds, expected))
        if self._held is not None:
            reports.tell_process(self._held[1], how, None)
            reports.tell_end(self._held[1], death.post_mortem, died=True)

    def ended(self, death: ProcessDeath, *, as_told: bool) -> None:
        """The process has ended when it was to, as it had said or otherwise."""
        if self._held is not None:
            reports.tell_end(self._held[1], death.post_mortem, died=not as_told)
        if not as_told:
            self.spoil(deaths.late(death, passed=self._passes))

    def left(self, left: Sequence[Leftover]) -> None:
        """Name what the process has left running."""
        if self._held is not None:
            leftovers.tell(self._held[1], left)

    def judge(self, look: Callable[[pytest.Item, pytest.TestReport], str]) -> None:
        """Let somebody look at the last report, and fail it with words."""
        if self._held is not None and (words := look(*self._held)):
            deaths.spoil(self._held[1], words)

    def spoil(self, words: str) -> None:
        """Say in the last report of a process how that has ended; in another one, where it was told before."""
        if self._held is None and self._told is not None:
            item, report = self._told
            self._held = item, reports.torn_down(item, report)
        if self._held is not None:
            deaths.spoil(self._held[1], words)

    def release(self) -> None:
        """Tell the report that was held back."""
        if self._held is not None:
            item, report = self._told = self._held
            self._held = None
            item.ihook.pytest_runtest_logreport(report=report)

    def interrupt(self) -> None:
        """What the process does now at its end is told of no test."""
        self._told = None

    def _tell_with_teardown(self, item: pytest.Item, report: pytest.TestReport) -> None:
        self.tell(item, report)
        if report.when != "teardown":
            self.tell(item, reports.torn_down(item, report))
