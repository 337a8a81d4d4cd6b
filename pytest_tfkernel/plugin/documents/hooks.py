"""The hooks that write run documents; registered only where one is asked for."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_tfkernel.machine.capabilities import of_all
from pytest_tfkernel.model.errors import SpecError, TFKernelError
from pytest_tfkernel.model.trials import Record
from pytest_tfkernel.plugin import raised, workers
from pytest_tfkernel.plugin.asked import Options
from pytest_tfkernel.plugin.documents import parts
from pytest_tfkernel.plugin.documents.endings import SessionEnding
from pytest_tfkernel.plugin.documents.environment import environment
from pytest_tfkernel.plugin.documents.outlets import Outlets
from pytest_tfkernel.plugin.documents.progress import RunProgress
from pytest_tfkernel.plugin.interpreters import interpreters_of
from pytest_tfkernel.plugin.launching import stage_of
from pytest_tfkernel.plugin.options import ID_PREFIX
from pytest_tfkernel.plugin.suite.collection import GuaranteeItem
from pytest_tfkernel.report import document, github
from pytest_tfkernel.report.compare.differences import CompareError
from pytest_tfkernel.report.store import DocumentError

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController


def enable(config: pytest.Config, options: Options) -> None:
    """Have this session write its documents."""
    if not config.option.collectonly:
        config.pluginmanager.register(DocumentHooks(config, options), "tfkernel-documents")


class DocumentHooks:
    """What is written so far, and what was collected."""

    def __init__(self, config: pytest.Config, options: Options) -> None:
        self._config = config
        self._options = options
        self._outlets: Outlets | None = None
        self._tests = parts.OwnTests()
        self._ending = SessionEnding()
        self._collected: dict[str, None] = {}
        self._reported: set[str] = set()
        self._began = time.monotonic()
        self._progress = RunProgress(None)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        """Begin the documents, so that a place where none can be is known before the first test."""
        try:
            interpreters = interpreters_of(self._config)
        except SpecError as error:
            raise pytest.UsageError(f"--tfkernel-python: {error}") from None
        except TFKernelError as error:
            raise pytest.UsageError(f"tfkernel: {error}") from None
        if workers.is_worker(self._config):
            return
        stage = stage_of(self._config)
        found = environment(self._config, interpreters, of_all(interpreters, stage.gpus), stage.gpus)
        now = dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")
        start = document.Start(format=document.FORMAT, schema=document.SCHEMA, began=now, environment=found)
        try:
            self._outlets = Outlets(self._options, start)
            self._progress = RunProgress(self._options.progress)
        except (DocumentError, CompareError) as error:
            raise pytest.UsageError(f"tfkernel: {error}") from None

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that can't be collected has tests that nobody knows. pytest-xdist runs the others nevertheless."""
        if report.failed:
            self._collected[report.nodeid] = None
            self._progress.uncollected(report)
            if not self._config.option.continue_on_collection_errors:
                self._ending.uncollected(report.nodeid)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """What there is to report."""
        items = dict.fromkeys(item.nodeid for item in session.items)
        self._collected |= items
        self._progress.collected(items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: WorkerController, ids: Sequence[str]) -> None:  # noqa: ARG002
        """The same, of a worker: all of them collect the same."""
        self._collected |= dict.fromkeys(ids)
        self._progress.collected(ids)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put a new trial, and what a test raised, on the report."""
        report = yield
        if not isinstance(item, GuaranteeItem):
            raised.note(report, call)
        elif report.when == "call" and item.played is not None and item.played.is_new:
            workers.attach(report, workers.TRIAL, parts.trial(item.setting, item.played))
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write what a report tells."""
        if self._outlets is None:
            return  # of a worker
        played = workers.attached(report, workers.TRIAL, document.Trial)
        record = workers.attached(report, workers.RECORD, Record)
        if played is not None:
            self._outlets.add(played)
        if record is not None:
            self._outlets.add(parts.verdict(record))
            self._report(report.nodeid)
        elif not report.nodeid.startswith(ID_PREFIX):
            test = self._tests.add(report)
            if test is not None:
                self._outlets.add(test)
                self._report(report.nodeid)

    def _report(self, nodeid: str) -> None:
        self._reported.add(nodeid)
        self._progress.done(nodeid)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Whatever ends a session early comes by here, but for a limit of failures without pytest-xdist."""
        self._ending.interrupted(excinfo)

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """What is seen after this can't be called whole."""
        self._ending.failed(excinfo)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: WorkerController, error: object) -> None:
        """A worker that dies may have been one too many: pytest-xdist replaces some of them only."""
        if error is not None:
            self._ending.lost(node.gateway.id)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Finish the documents. Collected equals reported, or the run is red."""
        if self._outlets is None:
            return
        unreported = [nodeid for nodeid in self._collected if nodeid not in self._reported]
        if unreported and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        end = document.End(
            seconds=time.monotonic() - self._began,
            exit_code=int(session.exitstatus),
            collected=len(self._collected),
            unreported=unreported,
        )
        cut = self._ending.cut_by(session, everything=bool(self._collected) and not unreported)
        if self._outlets.finish(end, cut) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """What was written and what could not be; what has no report; the comparison."""
        if self._outlets is None:
            return
        titles = {"tfkernel: run document": self._outlets.said, "tfkernel: comparison": self._outlets.compared}
        for title, lines in titles.items():
            if lines:
                terminalreporter.section(title)
            for line in lines:
                for text, markup in line:
                    terminalreporter.write(text, **({markup: True} if markup else {}))
                terminalreporter.line("")
        if self._outlets.whole is not None:
            root, required = self._config.rootpath, self._options.require
            github.announce(self._outlets.whole, os.environ, terminalreporter.write_line, required, root)
