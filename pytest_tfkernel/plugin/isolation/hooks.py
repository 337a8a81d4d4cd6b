"""The hooks of `--tfkernel-isolate`: tests are collected, and run, in processes of their own."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import pytest

from pytest_tfkernel.plugin import workers
from pytest_tfkernel.plugin.asked import Options
from pytest_tfkernel.plugin.isolation import codec, collecting, naming, workerinput
from pytest_tfkernel.plugin.isolation.forks import Forks
from pytest_tfkernel.plugin.isolation.items import StandIn
from pytest_tfkernel.plugin.isolation.nursery import Nursery, Session, modules_of
from pytest_tfkernel.plugin.isolation.running import Runner
from pytest_tfkernel.plugin.launching import launcher_of

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# It would time the wait, and end pytest where the process of a test is meant.
_ELSEWHERE = ("timeout",)


def enable(config: pytest.Config, options: Options) -> None:
    """Isolate the tests of this session, but where nothing of them is run, or a person is to be asked."""
    if config.getoption("usepdb") or config.getoption("collectonly"):
        if config.getoption("usepdb"):
            config.pluginmanager.register(Unisolated("--pdb asks you where the test is"), "tfkernel-isolation")
        return
    config.pluginmanager.register(IsolationHooks(config, options.isolate), "tfkernel-isolation")


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

    def pytest_report_header(self) -> str:
        """What shares a process."""
        return "tfkernel isolation: a process for each " + self._mode

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Have another process collect. A controller of pytest-xdist collects nothing."""
        if workers.is_controller(self._config):
            return
        for name in _ELSEWHERE:
            plugin = self._config.pluginmanager.get_plugin(name)
            if plugin is not None:
                self._config.pluginmanager.unregister(plugin)
        captures = self._config.getoption("capture") != "no"
        self._nursery = Nursery(Forks(launcher_of(self._config), captures), _session(self._config))
        self._runner = Runner(self._config, self._nursery, self._mode)
        nursery = self._nursery

        def perform_collect(*_: Any, **__: Any) -> Sequence[pytest.Item]:
            return collecting.collect(session, nursery)

        session.perform_collect = perform_collect  # type: ignore[method-assign]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run one where it belongs."""
        if self._runner is None or not isinstance(item, StandIn):
            return None
        self._runner.run(item, nextitem if isinstance(nextitem, StandIn) else None)
        return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, Any, Any]:
        """End the processes as soon as no test is left."""
        try:
            return (yield)
        finally:
            if self._runner is not None:
                self._runner.close()
            if self._nursery is not None:
                self._nursery.close()


def _session(config: pytest.Config) -> Session:
    return Session(
        folder=str(config.invocation_params.dir),
        args=tuple(map(str, config.invocation_params.args)),
        plugins=modules_of(config),
        options={},
        workerinput=codec.encode(workerinput.of(config)),
        # As pytest-xdist asks for it.
        basetemp=str(config._tmp_path_factory.getbasetemp()),  # type: ignore[attr-defined]  # noqa: SLF001
        preload=lambda: naming.modules_to_preload(config),
    )
