"""What the processes of tests have left running: it is ended with them, and told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from pytest_tfkernel.model.processes import Leftover
from pytest_tfkernel.plugin.isolation.forks import ROLE
from pytest_tfkernel.processes.supervisor import CHILD_FOLDER

TITLE = "left running (ended now)"


def of_tests(left: Sequence[Leftover]) -> list[Leftover]:
    """Those of a process, but for helpers of ours that it had for its kernels."""
    return [one for one in left if not _is_helper(one.command)]


def tell(report: pytest.TestReport, left: Sequence[Leftover]) -> None:
    """Name them in the last report of their process."""
    if left:
        report.sections.append((TITLE, "\n".join(map(str, left))))


def _is_helper(command: str) -> bool:
    """Whether a process was started as one of ours; a fork of the test's own, which has the same command, wasn't."""
    return f"{CHILD_FOLDER} " in command and f"{CHILD_FOLDER} {ROLE}" not in command


class Summary:
    """Lists them again at the end of a run: of a test that passed, nobody sees the report."""

    def __init__(self, told: Iterable[object] = ()) -> None:
        """Begin with the reports that were told before."""
        self._lines: list[str] = []
        for report in told:
            # Not all that a terminal keeps are reports of tests.
            if isinstance(report, pytest.TestReport):
                self.pytest_runtest_logreport(report)

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Also what a worker of pytest-xdist has told."""
        for title, text in report.sections:
            if title == TITLE:
                self._lines += [f"{report.nodeid} left running (ended now): {one}" for one in text.splitlines()]

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which, if any."""
        if self._lines:
            terminalreporter.section("tfkernel isolation: left running")
            for line in self._lines:
                terminalreporter.line(line)
