"""The hooks of a session that runs the suite; registered only then."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_tfkernel.kernels.errors import SpecError
from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.trials import Capability, Record, State
from pytest_tfkernel.plugin import collection, records
from pytest_tfkernel.plugin.options import ID_PREFIX, Options
from pytest_tfkernel.plugin.sessions import missing_hosts, stage_of
from pytest_tfkernel.report import terminal
from pytest_tfkernel.suite.capabilities import capabilities, describe, hosts
from pytest_tfkernel.suite.examples import EXAMPLES
from pytest_tfkernel.suite.settings import HARMFUL, settings

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import Scheduling


def enable(config: pytest.Config, options: Options) -> None:
    """Have this session run the suite, and the paths that were named beside it, if any."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args[:] = []
    config.pluginmanager.register(SuiteHooks(config, options), "tfkernel-suite")


class SuiteHooks:
    """The state of one such session: its verdicts so far, and what its machine can check."""

    def __init__(self, config: pytest.Config, options: Options) -> None:
        self._config = config
        self._options = options
        self._interpreter: Interpreter | None = None
        self._capabilities: tuple[Capability, ...] = ()
        self._gpus: tuple[str, ...] = ()
        self._records: list[Record] = []
        self._announced: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Refuse what can't be run, before the first test. Workers run what their controller let pass."""
        if hasattr(self._config, "workerinput"):
            return
        self._check_names()
        stage = stage_of(self._config)
        try:
            self._interpreter = stage.launcher.interpreter(self._options.python)
        except SpecError as error:
            named = "python" if self._options.kernelspec is None else f"kernelspec={self._options.kernelspec}"
            raise pytest.UsageError(f"--tfkernel-{named}: {error}") from None
        self._check_hosts()
        self._capabilities = capabilities(self._interpreter, stage.gpus)
        self._gpus = describe(stage.gpus)
        known = {one.name: one for one in self._capabilities}
        for name in ("tensorflow", *self._options.require):
            if name not in known:
                raise pytest.UsageError(f"--tfkernel-require={name}: unknown; choose from {', '.join(known)}")
            if not known[name].available:
                raise pytest.UsageError(f"tfkernel: this machine lacks {known[name].summary}: {known[name].reason}")

    def _check_names(self) -> None:
        provisioners = sorted({setting.provisioner for setting in settings()})
        for name in self._options.provisioners:
            if name not in provisioners:
                choice = ", ".join(provisioners)
                raise pytest.UsageError(f"--tfkernel-provisioner={name}: unknown; choose from {choice}")
        for name in self._options.allow:
            if name not in HARMFUL:
                raise pytest.UsageError(f"--tfkernel-allow={name}: unknown; choose from {', '.join(HARMFUL)}")
        ids = {f"{ID_PREFIX}{guarantee.id}[{setting}]" for setting, guarantee in collection.pairs(allow=HARMFUL)}
        if not self._options.selected and not settings(self._options.size, self._options.provisioners):
            made = ", ".join(self._options.provisioners)
            raise pytest.UsageError(
                f"tfkernel: size {self._options.size} has no trials for {made}: choose a larger one"
            )
        for selected in self._options.selected:
            if selected not in ids:
                listing = "pytest --tfkernel --tfkernel-size=full --collect-only -q"
                raise pytest.UsageError(f"{selected}: no such item; `{listing}` lists them all")
            fault = next((name for name in HARMFUL if f"-{name}-" in selected), None)
            if fault is not None and fault not in self._options.allow:
                raise pytest.UsageError(
                    f"{selected}: {fault} may harm other users of the GPU: add --tfkernel-allow={fault}"
                )

    def _check_hosts(self) -> None:
        """What was asked for by name must be installed; what wasn't is left out, and the header says so."""
        missing = missing_hosts(self._config)
        asked = {
            *self._options.provisioners,
            *(one.partition("[")[2].partition("-")[0] for one in self._options.selected),
        }
        for name in missing:
            if name in asked and self._interpreter is not None:
                raise pytest.UsageError(f"tfkernel: {name} is {hosts(self._interpreter)[name].reason}")

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Add our collector to what the session collected."""
        report = yield
        if isinstance(collector, pytest.Session) and report.passed:
            suite = collection.SuiteCollector.from_parent(collector, name="tfkernel", nodeid="tfkernel")
            report.result = [*report.result, suite]
        return report

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Producer) -> Scheduling | None:
        """Keep the items of a setting on one worker."""
        from pytest_tfkernel.plugin import schedule

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
            records.attach(report, item.record)
            if item.record.verdict.state is State.UNKNOWN:
                # What a skip of pytest's own looks like: JUnit XML shows the reason, and no place in our source.
                report.longrepr = ("tfkernel", 0, f"Skipped: {item.record.verdict.reason}")
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, Any] | None:
        """UNKNOWN has a letter, a word and a count of its own."""
        record = records.of(report)
        if record is not None and record.verdict.state is State.UNKNOWN:
            return "unknown", "U", ("UNKNOWN", {"yellow": True})
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Say which trial is being played, once for each; it may take a while."""
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is None or not nodeid.startswith(ID_PREFIX) or self._config.get_verbosity() != 0:
            return
        setting = nodeid[nodeid.index("[") + 1 : nodeid.rindex("]")]
        if setting not in self._announced:
            self._announced.add(setting)
            reporter.ensure_newline()
            reporter.write(f"{setting} ")
            reporter.flush()
            # So that pytest doesn't begin a line with the "file" of our ids.
            reporter.currentfspath = self._config.rootpath / ID_PREFIX.rstrip(":")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the verdict for the summary."""
        record = records.of(report)
        if record is not None:
            self._records.append(record)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """A run in which nothing passed is an error."""
        passed = any(record.verdict.state is State.PASS for record in self._records)
        if self._records and not passed and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_report_header(self) -> list[str]:
        """What is checked here, what can be, and what can't."""
        if self._interpreter is None:
            return []
        return terminal.header(self._interpreter, self._capabilities, self._gpus)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The matrix, and every FAIL and UNKNOWN."""
        if not self._records:
            return
        terminalreporter.section("tfkernel")
        command = "pytest"
        if self._options.python != sys.executable:
            command += f" --tfkernel-python={shlex.quote(self._options.python)}"
        columns = [example.name for example in EXAMPLES]
        for line in terminal.summary(self._records, settings(allow=HARMFUL), columns, self._capabilities, command):
            for text, markup in line:
                terminalreporter.write(text, **({markup: True} if markup else {}))
            terminalreporter.line("")
