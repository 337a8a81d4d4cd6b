"""The hooks of a session that runs the suite; registered only then."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_tfkernel.machine.capabilities import describe, of_all
from pytest_tfkernel.model.errors import SpecError, TFKernelError
from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.trials import AS_TOLD, Capability, Record, Setting, State
from pytest_tfkernel.plugin import workers
from pytest_tfkernel.plugin.asked import Options
from pytest_tfkernel.plugin.interpreters import interpreters_of
from pytest_tfkernel.plugin.launching import stage_of
from pytest_tfkernel.plugin.suite import collection, refusals
from pytest_tfkernel.plugin.suite.defects import defects_of
from pytest_tfkernel.plugin.suite.progress import SuiteProgress
from pytest_tfkernel.report import matrix, terminal
from pytest_tfkernel.suite.settings import HARMFUL, settings
from pytest_tfkernel.trials.examples import EXAMPLES

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import Scheduling


# What pytest takes for a skip.
_SKIPS = (State.KNOWN, State.UNKNOWN)
# Narrower than this, nobody could read a table.
_NARROWEST = 60


def enable(config: pytest.Config, options: Options) -> None:
    """Have this session run the suite, and the paths that were named beside it, if any."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args[:] = []
    config.pluginmanager.register(SuiteHooks(config, options), "tfkernel-suite")
    if config.get_verbosity() == 0:
        config.pluginmanager.register(SuiteProgress(config), "tfkernel-progress")


class SuiteHooks:
    """The state of one such session: its verdicts so far, and what its machine can check."""

    def __init__(self, config: pytest.Config, options: Options) -> None:
        self._config = config
        self._options = options
        self._collected = 0
        self._interpreters: dict[str, Interpreter] = {}
        self._capabilities: tuple[Capability, ...] = ()
        self._gpus: tuple[str, ...] = ()
        self._records: list[Record] = []
        self._reported: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Refuse what can't be run, before the first test. Workers run what their controller let pass."""
        if workers.is_worker(self._config):
            return
        refusals.check_names(self._options)
        try:
            stage = stage_of(self._config)
            self._interpreters = interpreters_of(self._config)
        except SpecError as error:
            name = self._options.kernelspec
            where = "python" if name is None else f"kernelspec={name}"
            more = "" if name is None else "; its argv must begin with a Python"
            raise pytest.UsageError(f"--tfkernel-{where}: {error}{more}") from None
        except TFKernelError as error:
            raise pytest.UsageError(f"tfkernel: {error}") from None
        refusals.check_selected(self._options, self._interpreters)
        refusals.check_hosts(self._config, self._options, self._interpreters)
        defects_of(self._config)
        self._capabilities = of_all(self._interpreters, stage.gpus)
        self._gpus = describe(stage.gpus)
        refusals.check_capabilities(self._options, self._capabilities)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Add our collector to what the session collected."""
        report = yield
        if isinstance(collector, pytest.Session) and report.passed:
            report.result = [*report.result, self.collector(collector)]
        return report

    @staticmethod
    def collector(session: pytest.Session) -> pytest.Collector:
        """That of the suite, in a session."""
        found: pytest.Collector = collection.SuiteCollector.from_parent(session, name="tfkernel", nodeid="tfkernel")
        return found

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Producer) -> Scheduling | None:
        """Keep the items of a setting on one worker."""
        from pytest_tfkernel.plugin.suite import schedule

        mode = config.getoption("dist")
        if mode not in schedule.MODES:
            return None
        # Our order stands: the slow trials first.
        config.option.loadscopereorder = False
        return schedule.SettingScheduling(config, log, mode)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the verdict on the report of the call."""
        report = yield
        if isinstance(item, collection.GuaranteeItem) and item.record is not None and report.when == "call":
            workers.attach(report, workers.RECORD, item.record)
            if item.record.verdict.state in _SKIPS:
                # What a skip of pytest's own looks like: JUnit XML shows the reason, and no place in our source.
                report.longrepr = ("tfkernel", 0, f"Skipped: {item.record.verdict.said}")
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, Any] | None:
        """KNOWN and UNKNOWN have a letter, a word and a count of their own."""
        record = workers.attached(report, workers.RECORD, Record)
        state = None if record is None else record.verdict.state
        if state not in _SKIPS:
            return None
        return state.value.lower(), state.value[0], (state.value, {matrix.COLOURS[state]: True})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the verdict for the summary."""
        self._reported.add(report.nodeid)
        record = workers.attached(report, workers.RECORD, Record)
        if record is not None:
            self._records.append(record)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """A run in which nothing was shown is an error."""
        self._collected = session.testscollected
        shown = any(record.verdict.state in AS_TOLD for record in self._records)
        if self._records and not shown and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_report_header(self) -> list[str]:
        """What is checked here, what can be, and what can't."""
        if not self._interpreters:
            return []
        return terminal.header(self._interpreters, self._capabilities, self._gpus, _width())

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The matrix, every FAIL, KNOWN and UNKNOWN, and how much of a run that was cut short is missing."""
        if self._records:
            self._show(terminalreporter)
        missing = self._collected - len(self._reported)
        if missing > 0 and not self._config.option.collectonly:
            terminalreporter.write_line(f"tfkernel: {missing} of {self._collected} not run", yellow=True)

    def _show(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("tfkernel")
        command = "pytest"
        if self._options.pythons != (sys.executable,):
            command += "".join(f" --tfkernel-python={shlex.quote(python)}" for python in self._options.pythons)
        columns = [example.name for example in EXAMPLES]
        order = [one for label in self._interpreters for one in settings(allow=HARMFUL, kernel=label)]
        layout = terminal.Layout(order, columns, command, _width())
        lines = [
            *terminal.summary(self._records, self._capabilities, layout),
            *terminal.unseen(map(str, defects_of(self._config).unseen(self._records, self._tensorflow))),
        ]
        for line in lines:
            for text, markup in line:
                terminalreporter.write(text, **({markup: True} if markup else {}))
            terminalreporter.line("")

    def _tensorflow(self, setting: Setting) -> str | None:
        """That of a setting's kernel; what is of no kernel was played with the first."""
        label = next(iter(self._interpreters)) if setting.kernel is None else setting.kernel
        return self._interpreters[label].tensorflow


def _width() -> int:
    """That of the terminal, as pytest finds it."""
    return max(shutil.get_terminal_size().columns, _NARROWEST)
