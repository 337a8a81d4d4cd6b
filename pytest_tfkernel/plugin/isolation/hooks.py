"""The hooks of `--tfkernel-isolate`: tests are collected, and run, in processes of their own."""

from __future__ import annotations

import contextlib
import faulthandler
import itertools
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_tfkernel.model.errors import TFKernelError
from pytest_tfkernel.plugin import workers
from pytest_tfkernel.plugin.asked import Options
from pytest_tfkernel.plugin.isolation import (
    beside,
    codec,
    collecting,
    leftovers,
    measuring,
    naming,
    neighbours,
    outputs,
    presenting,
    protocol,
    summary,
    workerinput,
)
from pytest_tfkernel.plugin.isolation.forks import Forker
from pytest_tfkernel.plugin.isolation.gating import Gating
from pytest_tfkernel.plugin.isolation.items import StandIn
from pytest_tfkernel.plugin.isolation.measuring import Measuring
from pytest_tfkernel.plugin.isolation.nursery import Nursery
from pytest_tfkernel.plugin.isolation.peers import DiedError
from pytest_tfkernel.plugin.isolation.plans import SessionPlan, modules_of
from pytest_tfkernel.plugin.isolation.running import Runner
from pytest_tfkernel.plugin.launching import another_launcher_of, launcher_of
from pytest_tfkernel.processes.wire import Message

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_NAME = "tfkernel-isolation"
# The plugin of pytest that makes data of a report, and a report of data.
_CARRIER = "reports"


def enable(config: pytest.Config, options: Options) -> None:
    """Isolate the tests of this session, but where none is run, or a person is to be asked."""
    if config.getoption("collectonly"):
        return
    debugger = beside.debugger(config)
    if debugger is not None:
        config.pluginmanager.register(Unisolated(f"{debugger} asks you where the test is"), _NAME)
        return
    protocol.take_over(config, _register(config, options.isolate).pytest_runtest_protocol)


def take_marked(config: pytest.Config) -> None:
    """Run those that were collected here and are marked; plugins here hear nothing of it."""
    if config.pluginmanager.get_plugin(_NAME) is not None:
        # An option isolates all of them, or none.
        return
    protocol.take_over(config, run_marked)


def run_marked(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run one that was collected here and is marked; None where it has to run here."""
    config = item.config
    if beside.debugger(config) is not None or not beside.is_isolated(item):
        beside.keep_alive(item)
        return None
    hooks = config.pluginmanager.get_plugin(_NAME)
    if hooks is None:
        hooks = _register(config, "off")
        config.add_cleanup(hooks.close)
    if hasattr(config.hook, "pytest_timeout_cancel_timer"):
        # It runs in the other process, too.
        config.hook.pytest_timeout_cancel_timer(item=item)
    hooks.run(item, nextitem, lambda: beside.tear_down(item, nextitem))
    if nextitem is None:
        hooks.close()
    return True


def hear(node: WorkerController) -> None:
    """Hear of a worker of pytest-xdist that has isolated tests since they were marked so."""
    config = node.config
    if config.pluginmanager.get_plugin(_NAME) is None:
        # Whoever is registered while a hook is called isn't called.
        _register(config, "off").pytest_testnodedown(node)


def _register(config: pytest.Config, mode: str) -> IsolationHooks:
    if not config.pluginmanager.has_plugin(_CARRIER):
        why = "isolation needs what carries a report from one process to another"
        raise pytest.UsageError(f"{why}: drop -p no:{_CARRIER}")
    hooks = IsolationHooks(config, mode)
    config.pluginmanager.register(hooks, _NAME)
    if not workers.is_worker(config):
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        told = itertools.chain.from_iterable(reporter.stats.values()) if reporter is not None else ()
        config.pluginmanager.register(leftovers.Summary(told), f"{_NAME}-left")
    return hooks


class Unisolated:
    """Says that tests run as they would without us."""

    def __init__(self, why: str) -> None:
        self._why = why

    def pytest_report_header(self) -> str:
        """Say so."""
        return f"tfkernel isolation: off, since {self._why}"


class IsolationHooks:
    """The state of one session."""

    def __init__(self, config: pytest.Config, mode: str) -> None:
        self._config = config
        self._mode = mode
        self._nursery: Nursery | None = None
        self._runner: Runner | None = None
        self._count = summary.Count()
        self._measuring: Measuring | None = None
        # By worker of pytest-xdist; None for one that was killed, or in which a test was.
        self._left: list[list[str] | None] = []

    def pytest_report_header(self) -> list[str]:
        """What shares a process."""
        return [f"tfkernel isolation: a process for each {self._mode}", *neighbours.header(self._config)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Have another process collect. A controller of pytest-xdist collects nothing."""
        if workers.is_controller(self._config):
            return
        if not self._config.args:
            # There are none: the suite was asked for, and no path beside it.
            return

        def perform_collect(*_: Any, **__: Any) -> Sequence[pytest.Item]:
            return collecting.collect(session, lambda: self._begin()[0])

        session.perform_collect = perform_collect  # type: ignore[method-assign]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run one where it belongs."""
        if not isinstance(item, StandIn):
            if nextitem is None and not beside.is_isolated(item):
                # It is the last one, and needs none of them.
                self.close()
            return None
        self.run(item, nextitem)
        return True

    def run(self, item: pytest.Item, nextitem: pytest.Item | None, tear_down: Callable[[], str] = str) -> None:
        """Run one in a process of its own, and keep that for the next one if both share it.

        What there is here to `tear_down` after it is part of its last report, if that fails.
        """
        # pytest would time the wait; the process of the test is timed itself.
        faulthandler.cancel_dump_traceback_later()
        runner = self._runner
        if runner is None:
            # The test is marked, and was collected here; there it has to be collected as well.
            try:
                nursery, runner = self._begin()
            except TFKernelError as error:
                raise pytest.UsageError(str(error)) from None
            # If that fails, each of them fails of the same, where its own process is made.
            with contextlib.suppress(TFKernelError, DiedError):
                nursery.collect()
        runner.run(item, nextitem if nextitem is not None and beside.is_isolated(nextitem) else None, tear_down)

    # As the inner one of all wrappers: pytest-cov tells what was measured as soon as the loop is over.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtestloop(self) -> Generator[None, Any, Any]:
        """End the processes as soon as no test is left."""
        try:
            return (yield)
        finally:
            self.close()

    def close(self) -> None:
        """End the processes, and tell what they have left."""
        runner, self._runner = self._runner, None
        nursery, self._nursery = self._nursery, None
        try:
            if runner is not None:
                runner.close()
                self._count = self._count.merged(runner.count)
        finally:
            if nursery is not None:
                nursery.close()
        self._take_over()
        if nursery is not None and runner is not None:
            self._tell_gate([*nursery.left, *runner.left])
            outputs.hand_over(self._config, runner.left if runner.is_complete else None)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, Any, Any]:
        """Before plugins sum up. Where no test was to be run, or no other was, that is how the session ends."""
        self.close()
        outputs.tell(self._config, self._left)
        workers.leave(self._config, workers.ISOLATED, self._count)
        return (yield)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: WorkerController) -> None:
        """Take over what a worker of pytest-xdist has left: it can't tell the plugins that are here."""
        if self._mode == "off" and not workers.has_left(node, workers.ISOLATED) and hasattr(node, "workeroutput"):
            # None of its tests was marked.
            return
        self._left.append(workers.left(node, outputs.OUTPUTS, list[str]))
        self._count = self._count.merged(workers.left(node, workers.ISOLATED, summary.Count) or summary.Count())

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """How it went, unless nobody wants to know."""
        if terminalreporter.no_summary or terminalreporter.verbosity < -1:
            return
        lines = list(summary.lines(self._count, is_verbose=terminalreporter.verbosity > 0))
        if lines:
            terminalreporter.section("tfkernel isolation")
            for line in lines:
                terminalreporter.line(line)

    def _take_over(self) -> None:
        if self._measuring is not None:
            self._measuring.take_over(self._config)

    def _tell_gate(self, left: Sequence[Message]) -> None:
        """What the gate in processes has to tell is our own's, also where pytest-xdist tells of nothing."""
        gate: Any = self._config.pluginmanager.get_plugin("tfkernel-gate")
        if hasattr(gate, "pytest_testnodedown"):
            for output in left:
                gate.pytest_testnodedown(SimpleNamespace(workeroutput=codec.decode(output)))

    def _begin(self) -> tuple[Nursery, Runner]:
        # Any other method writes nothing to descriptors.
        captures = self._config.getoption("capture", "no") == "fd"
        launcher = launcher_of(self._config)
        self._measuring = measuring.begin(launcher.temporary)
        without = measuring.VARIABLES if self._measuring is not None else ()
        forker = Forker(launcher, captures, without, Gating(self._config).is_on)
        nursery = self._nursery = Nursery(forker, _session(self._config, self._measuring, self._mode))

        def renew() -> None:
            nursery.begin_anew(replace(forker, launcher=another_launcher_of(self._config)))

        runner = self._runner = Runner(self._config, nursery, self._mode, renew)
        return nursery, runner


def _session(config: pytest.Config, measures: Measuring | None, mode: str) -> SessionPlan:
    # As pytest-xdist asks for it; there is none with `-p no:tmpdir`.
    factory = getattr(config, "_tmp_path_factory", None)
    return SessionPlan(
        folder=str(config.invocation_params.dir),
        args=tuple(map(str, config.invocation_params.args)),
        paths=tuple(config.args),
        plugins=modules_of(config),
        options=presenting.options_of(config) | neighbours.options_of(config),
        junit=presenting.family_of(config),
        workerinput=codec.encode(workerinput.of(config)),
        basetemp=str(factory.getbasetemp()) if factory is not None else None,
        preload=lambda: naming.modules_to_preload(config),
        # Of few marked tests, each collects its file alone.
        sifts=mode != "off",
        measuring=measures.for_child(config) if measures is not None else None,
    )
