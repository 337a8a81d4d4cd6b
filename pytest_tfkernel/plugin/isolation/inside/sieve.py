"""Which file or folder makes forks unsafe while it is collected, and those that are left out."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from typing import Any

import pytest

from pytest_tfkernel._child.frames import Message
from pytest_tfkernel.plugin.isolation.inside.server import Own

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_CONFTEST = "conftest.py"


class LeftOut:
    """Files and folders of which nothing is collected; `ids` are those of them that were met."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.ids: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> pytest.CollectReport | None:
        """Import nothing of them, also if somebody has named them on the command line."""
        if not isinstance(collector, pytest.File | pytest.Directory) or str(collector.path) not in self.paths:
            return None
        self.ids.add(collector.nodeid)
        return pytest.CollectReport(collector.nodeid, "passed", None, [])

    def others(self, args: Sequence[str]) -> list[str]:
        """Those arguments of a session that aren't in them: of what is left out, pytest would find none."""
        return [arg for arg in args if not self._has(os.path.abspath(arg.partition("::")[0]))]  # noqa: PTH100 - as here

    def _has(self, path: str) -> bool:
        return any(path == one or path.startswith(one + os.sep) for one in self.paths)


class Sieve:
    """Tells which collector has made forks of this process unsafe, once; asks before each that may, if it is to."""

    def __init__(self, own: Own, left_out: LeftOut) -> None:
        self._own = own
        self._left_out = left_out
        self._watches = self._asks = False
        self._known: frozenset[str] = frozenset()

    def begin(self, request: Message) -> None:
        """Do as this request to collect says."""
        self._left_out.paths.update(request["without"])
        # Whoever collects one file isn't forked.
        self._watches = request["only"] is None
        self._asks = bool(request.get("asks"))
        self._known = frozenset(request.get("known", ()))

    @pytest.hookimpl(trylast=True)
    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        """Ask, and wait: pytest may make a fork of this process meanwhile, which goes on here too."""
        path = str(collector.path)
        if not self._asks or path in self._known or path in self._left_out.paths or not _imports(collector):
            return
        self._own.send({"kind": "asks", "path": path})
        if self._own.next({})["kind"] == "leave-out":
            self._left_out.paths.add(path)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        """Look at what it has done."""
        report = yield
        if self._watches and not isinstance(collector, pytest.Session):
            reason = self._own.unsafe()
            if reason is not None:
                self._watches = False
                self._own.send({"kind": "unsafe", "path": str(collector.path), "reason": reason})
        return report


def _imports(collector: pytest.Collector) -> bool:
    """Whether code of somebody's runs when it is collected; what is in it comes later."""
    if isinstance(collector, pytest.Directory):
        return os.path.exists(os.path.join(collector.path, _CONFTEST))  # noqa: PTH110, PTH118 - pathlib may be a fake
    return isinstance(collector, pytest.File)
