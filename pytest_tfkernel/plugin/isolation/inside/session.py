"""The session of pytest in a process of isolation: it stops before it collects, and again before it runs tests."""

from __future__ import annotations

import contextlib
import os
import posix
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

import pytest

from pytest_tfkernel._child.frames import Message
from pytest_tfkernel.plugin.isolation import codec, subtests
from pytest_tfkernel.plugin.isolation.inside import gate, limits, logfile, output, records, selection, size, tests
from pytest_tfkernel.plugin.isolation.inside.both import Afterwards, Both
from pytest_tfkernel.plugin.isolation.inside.gate import GateInside
from pytest_tfkernel.plugin.isolation.inside.groups import Groups
from pytest_tfkernel.plugin.isolation.inside.intact import AnyError, Intact, OrdinaryError
from pytest_tfkernel.plugin.isolation.inside.logs import Logs
from pytest_tfkernel.plugin.isolation.inside.measuring import ProcessMeasuring
from pytest_tfkernel.plugin.isolation.inside.outputs import Outputs
from pytest_tfkernel.plugin.isolation.inside.server import Own
from pytest_tfkernel.plugin.isolation.inside.shown import shown
from pytest_tfkernel.plugin.isolation.inside.sieve import LeftOut, Sieve
from pytest_tfkernel.plugin.isolation.inside.terminal import Distant
from pytest_tfkernel.plugin.options import INSIDE
from pytest_tfkernel.plugin.raised import RaisedHooks

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# What would distribute tests, ask a person, or write what pytest itself writes.
_OFF: dict[str, object] = {
    "numprocesses": None,
    "maxprocesses": None,
    "dist": "no",
    "distload": False,
    "tx": [],
    "px": [],
    "looponfail": False,
    "usepdb": False,
    "trace": False,
    "tfkernel": False,
    "tfkernel_isolate": INSIDE,
    "tfkernel_report": [],
    "tfkernel_compare": None,
    "cacheclear": False,
    "pastebin": None,
    "debug": None,
}


def run(own: Own, told: Message) -> int:
    """One session with the arguments of pytest's own; its exit status."""
    os.chdir(told["folder"])
    try:
        return int(pytest.main(told["args"], plugins=list(_plugins(own, told))))
    except OrdinaryError as error:  # whatever the end of a session raises
        own.send({"kind": "internal", "text": own.intact.told(error)})
        return int(pytest.ExitCode.INTERNAL_ERROR)


def _plugins(own: Own, told: Message) -> Iterator[object]:
    left_out = LeftOut()
    sieve = Sieve(own, left_out)
    yield from (Inside(own, told, sieve, left_out), sieve, left_out, Logs(own), Outputs(own.send), GateInside(own))
    yield RaisedHooks()
    if told["measuring"] is not None:
        measuring = ProcessMeasuring(told["measuring"])
        own.measure_by(measuring)
        yield measuring
    if told["options"].get("loadgroup"):
        yield Groups()


class Inside:
    """The hooks of that session."""

    def __init__(self, own: Own, told: Message, sieve: Sieve, left_out: LeftOut) -> None:
        self._own = own
        self._told = told
        self._sieve = sieve
        self._left_out = left_out
        self._is_collecting = False
        self._is_whole = True
        self._is_heard = False
        # Why there are no tests where some might be.
        self._complaints: list[str] = []

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_cmdline_parse(self) -> Generator[None, pytest.Config, pytest.Config]:
        """Be a worker, to whoever asks: of plain pytest as of pytest-xdist."""
        config = yield
        self._config = config
        for name, value in {**_OFF, **codec.decode(self._told["options"])}.items():
            if hasattr(config.option, name):
                setattr(config.option, name, value)
        config.workerinput = codec.decode(self._told["workerinput"])  # type: ignore[attr-defined]
        config.workeroutput = {}  # type: ignore[attr-defined]
        logfile.postpone(config)
        return config

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """What tests add to a report of JUnit."""
        records.stand_in(config, self._told["junit"], self._own.send)
        self._both = Both(self._own.screen, config.hook)
        for plugin in (self._both, Afterwards(self._own.screen)):
            config.pluginmanager.register(plugin)

    @pytest.hookimpl
    def pytest_plugin_registered(self, plugin: object, manager: pytest.PytestPluginManager) -> None:
        """The terminal is that of pytest itself."""
        if manager.get_plugin("terminalreporter") is plugin and not isinstance(plugin, Distant):
            manager.unregister(plugin)
            manager.register(Distant(plugin, self._own.tell, self._is_elsewhere), "terminalreporter")

    def _is_elsewhere(self) -> bool:
        """Whether what is written on the terminal isn't meant for pytest's own.

        It may be captured, a test's own fork may write it, or nobody waits for anything but an answer.
        """
        return self._own.is_fork or not self._is_heard or self._own.screen.is_covered()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> Generator[None, Any, Any]:
        """Wait until pytest says what is to be collected; forks of this wait here, too."""
        config = session.config
        if self._told["basetemp"] is not None:
            _share_temporary_folder(config, self._told["basetemp"])
        self._own.capture_by(lambda stdout, stderr: _capture(config, stdout, stderr))
        self._own.send({"kind": "configured", "unsafe": self._own.settle() if self._told["forks"] else None})
        request = self._own.next({"finish": lambda _: os._exit(0)})
        self._sieve.begin(request)
        # Who collects one file runs its tests, and nobody is forked from it.
        self._is_whole = request["only"] is None
        if self._is_whole:
            # What stands for no path is taken out of them in pytest's own process.
            config.args = self._left_out.others(self._told["paths"])
        else:
            config.args = [request["only"]]
            selection.forget(config)
        selection.leave_to_pytest(config)
        self._is_collecting = self._is_heard = True
        # A person sees it once.
        shows = self._is_whole and not request.get("again")
        if shows:
            logfile.resume(config)
        try:
            with self._own.screen.shown() if shows else contextlib.nullcontext():
                return (yield)
        except pytest.UsageError as error:
            self._own.send({"kind": "usage", "lines": [str(line) for line in error.args]})
            raise
        except (pytest.exit.Exception, KeyboardInterrupt) as error:
            self._own.send(tests.stopped(error))
            raise
        finally:
            self._is_collecting = self._is_heard = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        """Should its collector end the process, that is known."""
        self._own.send({"kind": "collecting", "nodeid": collector.nodeid, "path": str(collector.path)})

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Pass it on."""
        if self._is_collecting and report.nodeid not in self._left_out.ids:
            found = [tests.described(node) for node in report.result or () if isinstance(node, pytest.Item)]
            self._send_report("collectreport", report, tests=found)
            if not report.passed:
                self._complaints.append(tests.complaint(report))

    @pytest.hookimpl
    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Pass it on."""
        if self._is_collecting:
            self._own.send({"kind": "deselected", "tests": [tests.described(item) for item in items]})

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run what pytest asks for; forks of this begin here."""
        items = tests.Items(session, self._own.screen, self._complaints)
        logfile.resume(session.config)
        selection.resume(session.config)
        self._own.send(
            {
                "kind": "collected",
                "items": [tests.described(item) for item in session.items],
                "unsafe": self._own.settle() if self._is_whole else None,
                "changed": self._own.changed(),
                "left": gate.put_off(session.config) if self._is_whole else None,
                "skipped_files": selection.skipped_files(session.config),
            }
        )
        before = limits.now()
        self._own.intact = Intact()
        self._own.next({"run": lambda request: self._run(items, request)})
        # A session can't end where tests have left no room.
        limits.restore(before)
        # Of a session that was stopped, pytest tears down last what is left; what that prints is seen.
        runner: Any = session.config.pluginmanager.get_plugin("runner")
        with self._own.screen.shown():
            runner.pytest_sessionfinish(session)
        return True

    def _run(self, items: tests.Items, request: Message) -> None:
        self._own.watch(request)
        self._is_heard = True
        try:
            answer = items.run(request, self._own.intact)
            self._is_heard = False
            self._own.send(answer)
        except AnyError:
            self._own.intact.restore()
            raise

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Pass it on, each phase as it ends."""
        if self._own.is_fork:
            posix._exit(int(report.failed))  # noqa: SLF001 - what is left to do, the test's own process does
        # In KiB, as getrusage(2) tells it; what the process of a test is forked from counts as its own.
        peak = getrusage(RUSAGE_SELF).ru_maxrss * 1024 if report.when == "teardown" else None
        self._send_report("report", report, peak=peak)

    @pytest.hookimpl
    def pytest_warning_recorded(
        self,
        warning_message: warnings.WarningMessage,
        when: str,
        nodeid: str,
        location: tuple[str, int, str] | None,
    ) -> None:
        """Pass it on."""
        category = warning_message.category
        self._own.send(
            {
                "kind": "warning",
                "text": str(warning_message.message),
                "category": [category.__module__, category.__qualname__],
                "filename": warning_message.filename,
                "lineno": warning_message.lineno,
                "when": when,
                "nodeid": nodeid,
                "location": codec.encode(location),
            }
        )

    @pytest.hookimpl
    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        """Tell it, since nobody reads our terminal."""
        self._own.send({"kind": "internal", "text": self._own.intact.told(excinfo.value)})
        return True

    def _send_report(self, kind: str, report: pytest.TestReport | pytest.CollectReport, **more: object) -> None:
        hook = self._config.hook
        # What is printed may be on the terminal at once, where the report of the phase before it comes first.
        is_captured = self._config.getoption("capture", "no") == "fd" and not self._both.speak_between()
        send = self._own.send if is_captured else self._own.tell
        more["failed_subtests"] = subtests.count(self._config, report)
        for cut in (size.cut_output, size.cut_all, None):
            data = hook.pytest_report_to_serializable(config=self._config, report=report)
            more["shown"] = shown(self._config, report, data)
            try:
                send({"kind": kind, "data": codec.encode(data), **more})
            except ValueError:
                # It is too long for the channel.
                if cut is None:
                    raise
                cut(report)
            else:
                return


def _share_temporary_folder(config: pytest.Config, basetemp: str) -> None:
    """Let `tmp_path` number its folders where pytest does, which also removes them."""
    # As pytest-xdist reads it; `--basetemp` would empty the folder first.
    factory = config._tmp_path_factory  # type: ignore[attr-defined]  # noqa: SLF001
    factory._basetemp = Path(basetemp)  # noqa: SLF001
    # One that a person has named isn't removed where all tests of a process have passed.
    factory._given_basetemp = Path(basetemp)  # noqa: SLF001


def _capture(config: pytest.Config, stdout: int, stderr: int) -> None:
    """Let what tests print go where pytest can read it after our death."""
    manager = config.pluginmanager.get_plugin("capturemanager")
    if manager is None or not manager.is_globally_capturing():
        return
    manager.resume_global_capture()
    output.capture(stdout, stderr)
    manager.suspend_global_capture(in_=True)
