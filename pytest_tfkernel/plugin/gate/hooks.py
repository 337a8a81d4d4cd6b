"""The gate: an ordinary test that leaves a process, a socket, a file and the like behind fails by its name."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pytest_tfkernel._child import system
from pytest_tfkernel.gate import known as gate_known
from pytest_tfkernel.gate.accounts import Account, Owner
from pytest_tfkernel.gate.aftermath import Dead
from pytest_tfkernel.gate.claims import Claims
from pytest_tfkernel.gate.findings import Finding, Tally
from pytest_tfkernel.gate.watch import Watch
from pytest_tfkernel.model.resources import Kind
from pytest_tfkernel.plugin import frames, workers
from pytest_tfkernel.plugin.asked import Options
from pytest_tfkernel.plugin.gate import gpu, markers, summary
from pytest_tfkernel.plugin.gate.dead import DeadTests
from pytest_tfkernel.plugin.launching import kept_of
from pytest_tfkernel.plugin.options import ID_PREFIX

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

_FINDINGS = pytest.StashKey[list[Finding]]()
# How each phase of a test ended.
_PHASES = pytest.StashKey[dict[str, str]]()
# How pytest names the fixtures that it makes of functions such as `setup_module`.
_MADE_BY_PYTEST = ("_xunit_", "_unittest_", "xunit_", "unittest_")


def enable(config: pytest.Config, options: Options) -> None:
    """Have this session look after each test."""
    try:
        known = gate_known.parse(options.gate_known)
    except ValueError as error:
        raise pytest.UsageError(f"tfkernel_gate_known = {error}") from None
    why_not = _why_not()
    if not why_not:
        config.pluginmanager.register(GateHooks(config, options.gate, known), "tfkernel-gate")
        config.pluginmanager.register(markers.MarkerHooks(), "tfkernel-gate-markers")
    else:
        config.pluginmanager.register(Elsewhere(why_not), "tfkernel-gate")


def _why_not() -> str:
    """Why nothing can be looked at; empty where it can."""
    if sys.platform != "linux":
        return "it works on Linux only"
    with contextlib.suppress(OSError):
        seen = system.link("/proc/self")
        if seen != str(system.pid()):
            # Our number is that of somebody else there, whose children would be taken for ours.
            return (
                f"/proc shows us as process {seen}: it is that of another pid namespace: mount one of this"
                " (`unshare --mount-proc`)"
            )
    return ""


class ClaimsJournal(Protocol):
    """Keeps the paths that a test makes, whatever becomes of its process."""

    def note(self, path: str, kind: Kind) -> None:
        """One more."""

    def clear(self) -> None:
        """Forget those before."""


class Elsewhere:
    """A session that can't be served."""

    def __init__(self, why: str) -> None:
        self._words = f"{why}; nothing is looked at"

    def pytest_report_header(self) -> str:
        """Say so."""
        return f"tfkernel gate: {self._words}"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Once more, since not everybody sees a header."""
        terminalreporter.section("tfkernel gate")
        terminalreporter.line(self._words)


class GateHooks:
    """The state of one session, be it a worker of pytest-xdist, its controller, or neither."""

    def __init__(self, config: pytest.Config, mode: str, known: tuple[gate_known.Known, ...]) -> None:
        self._config = config
        self._mode = mode
        self._known = known
        self._watch: Watch | None = None
        self._fixtures: dict[pytest.FixtureDef[Any], Account] = {}
        self._tally = Tally()
        # Of isolated tests, for those whose process dies.
        self._dead: DeadTests | None = None
        self._is_put_off = False
        # Where paths are written down for that case, if this is such a process.
        self.journal: ClaimsJournal | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Watch from now on, where tests are run."""
        if not workers.is_controller(self._config):
            self._begin()

    def _begin(self) -> None:
        claims = Claims(*_own_folders(self._config))
        if self.journal is not None:
            claims.listener = self.journal.note
        alone = workers.count(self._config) == 1
        self._watch = Watch(workers.name(self._config), claims, self._known, alone=alone)

    def put_off(self) -> None:
        """Leave what there is to tell, and begin anew with the next test: this process is to be forked."""
        self._finish()
        self._is_put_off = True

    @property
    def dead(self) -> DeadTests:
        """For tests that run in processes of their own."""
        if self._dead is None:
            alone = workers.count(self._config) == 1
            self._dead = DeadTests(workers.name(self._config), self._known, alone=alone)
        return self._dead

    def tell_dead(self, item: pytest.Item, report: pytest.TestReport, dead: Dead) -> str:
        """Put what the dead process of a test has left on its last report; words to fail it with, if it is to."""
        findings = self.dead.judge(item, dead)
        if findings and self._mode == "fail":
            workers.attach(report, workers.FINDINGS, findings)
            return summary.failure(findings)
        self._attach(report, findings)
        return ""

    def pytest_report_header(self) -> str:
        """What happens to a test that leaves something behind."""
        return "tfkernel gate: what a test leaves behind " + ("fails it" if self._mode == "fail" else "is listed")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        """Whatever appears from now on is this test's."""
        if self._watch is None and self._is_put_off:
            self._begin()
        if self.journal is not None:
            self.journal.clear()
        if self._watch is not None and not item.nodeid.startswith(ID_PREFIX):
            # Anew for each run of an item, and there may be several (pytest-rerunfailures).
            item.stash[_PHASES], item.stash[_FINDINGS] = {}, []
            self._watch.begin(item.nodeid, markers.allowances(item), getattr(item, "fixturenames", ()))
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """What a fixture wider than one test holds is its own, until it is torn down."""
        watch = self._watch
        account = None
        if watch is not None and fixturedef.scope != "function":
            account = watch.open_fixture(Owner("", _words(fixturedef), fixturedef.argname))
        if watch is None or account is None:
            return (yield)
        # Set up again without having been torn down, as for a rerun, it is another one.
        self.pytest_fixture_post_finalizer(fixturedef)
        self._fixtures[fixturedef] = account
        before = watch.turn(account)
        try:
            account.value = value = yield
        finally:
            # Runs before the fixture's own teardown, and after that of all that depend on it.
            fixturedef.addfinalizer(lambda: watch.tear_down(account))
            watch.turn(before)
        return value

    def pytest_fixture_post_finalizer(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        """It was torn down."""
        account = self._fixtures.pop(fixturedef, None)
        if account is not None and self._watch is not None:
            self._watch.close_fixture(account)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        """Look at what is left, when all fixtures that end here have ended."""
        phases = item.stash.get(_PHASES, None)
        if self._watch is None or phases is None:
            return (yield)
        try:
            result = yield
        except (Exception, pytest.fail.Exception, pytest.skip.Exception):
            phases["teardown"] = "failed"
            item.stash[_FINDINGS] = self._look(phases)
            raise
        findings = item.stash[_FINDINGS] = self._look(phases)
        if findings and self._mode == "fail":
            pytest.fail(summary.failure(findings), pytrace=False)
        return result

    def _look(self, phases: dict[str, str]) -> list[Finding]:
        if self._watch is None:
            return []
        findings = self._watch.end(failed="failed" in phases.values(), ran=phases.get("call") == "passed")
        if self.journal is not None:
            self.journal.clear()
        return findings

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put what was found on the report of the teardown."""
        frames.leave_out(call)
        report = yield
        phases = item.stash.get(_PHASES, None)
        if phases is not None:
            # Not the outcome: an error that is expected has a traceback, too.
            is_skip = call.excinfo is not None and isinstance(call.excinfo.value, pytest.skip.Exception)
            phases[call.when] = "skipped" if is_skip else "passed" if call.excinfo is None else "failed"
            if call.when == "teardown":
                self._attach(report, item.stash[_FINDINGS])
                del item.stash[_PHASES]
        return report

    def _attach(self, report: pytest.TestReport, findings: list[Finding]) -> None:
        if findings:
            if hasattr(report, "wasxfail") and self._mode == "fail":
                # That the test was to fail doesn't mean that it was to leave anything.
                del report.wasxfail
                report.outcome = "failed"
            workers.attach(report, workers.FINDINGS, findings)
            text = summary.failure(findings)
            if text not in str(report.longrepr):
                # The teardown failed by itself, or nothing is to fail here.
                report.sections.append(("tfkernel gate", text))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what was found, of workers too: one that crashes later tells nothing any more."""
        found = workers.attached(report, workers.FINDINGS, tuple[Finding, ...])
        self._tally = self._tally.merged(Tally(findings=found or ()))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: WorkerController) -> None:
        """Take over what a worker tells at its end."""
        tally = workers.left(node, workers.TALLY, Tally)
        if tally is not None:
            self._tally = self._tally.merged(tally)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Look for the last time, when the widest fixtures have ended."""
        self._finish()
        is_red = any(not finding.excused for finding in self._tally.findings)
        if is_red and self._mode == "fail" and exitstatus == pytest.ExitCode.OK:
            # Torn down after the last test, a fixture has no report.
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _finish(self) -> None:
        watch, self._watch = self._watch, None
        if watch is None:
            return
        tally = watch.finish(lambda devices: gpu.lines(self._config, devices), lambda: kept_of(self._config))
        if self._dead is not None:
            tally = tally.merged(self._dead.tally())
        workers.leave(self._config, workers.TALLY, tally)
        self._tally = self._tally.merged(tally)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """All that there is to tell."""
        lines = list(summary.summary(self._tally))
        if lines:
            terminalreporter.section("tfkernel gate")
            for line in lines:
                terminalreporter.line(line)


def _own_folders(config: pytest.Config) -> tuple[list[str], list[Path]]:
    """How paths begin that are for temporary files of pytest's own; the folders of the project and its Python."""
    base, root = config.getoption("basetemp", None), os.environ.get("PYTEST_DEBUG_TEMPROOT")
    pytests = [f"{Path(base).absolute()}/", f"{Path(base).resolve()}/"] if base else []
    pytests += [f"{Path(root).absolute()}/pytest-of-"] if root else []
    return pytests, [config.rootpath, config.invocation_params.dir, Path(sys.prefix)]


def _words(fixturedef: pytest.FixtureDef[Any]) -> str:
    place = f" of {fixturedef.baseid}" if fixturedef.baseid else ""
    if fixturedef.argname.startswith(_MADE_BY_PYTEST):
        return f"setup and teardown ({fixturedef.argname.lstrip('_')}{place})"
    return f"fixture {fixturedef.argname!r} (scope {fixturedef.scope}{place})"
