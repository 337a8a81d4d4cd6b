"""The tests that a session has collected: what pytest is told of them, and how one is run."""

from __future__ import annotations

import collections
from collections.abc import Sequence

import pytest

from pytest_tfkernel._child.frames import Message
from pytest_tfkernel.plugin.isolation import codec
from pytest_tfkernel.plugin.isolation.inside.intact import AnyError, Intact
from pytest_tfkernel.plugin.isolation.inside.screen import Screen

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# What of a test plugins name.
_OBJECTS = ("module", "cls", "function")


def described(item: pytest.Item) -> Message:
    """What pytest needs of a test to tell of it, and to know what it is to be given."""
    marks = [[mark.name, codec.encode(mark.args), codec.encode(dict(mark.kwargs))] for mark in item.iter_markers()]
    return {
        "nodeid": item.nodeid,
        "name": item.name,
        "path": str(item.path),
        "location": codec.encode(item.location),
        "marks": marks,
        "keywords": sorted(name for name in item.keywords if isinstance(name, str)),
        "more": codec.encode(_more(item)),
    }


def _more(item: pytest.Item) -> dict[str, object]:
    """What plugins name of it, where it is a function."""
    if not isinstance(item, pytest.Function):
        return {}
    objects = {name: getattr(item, name) for name in _OBJECTS}
    named = {name: (getattr(one, "__name__", None), one.__doc__) for name, one in objects.items() if one is not None}
    more: dict[str, object] = {"originalname": item.originalname, "fixturenames": list(item.fixturenames), **named}
    if hasattr(item, "callspec"):
        more["callspec"] = {"id": item.callspec.id, "params": dict(item.callspec.params)}
    return more


def _place(error: BaseException) -> list[object] | None:
    """File and line that pytest would name."""
    crash = getattr(pytest.ExceptionInfo.from_exception(error).getrepr(style="native"), "reprcrash", None)
    return None if crash is None else [crash.path, crash.lineno]


def stopped(error: BaseException) -> Message:
    """What is told of an exception that ends a whole session: one of `pytest.exit`, or KeyboardInterrupt."""
    if isinstance(error, pytest.exit.Exception):
        return {"kind": "exit", "reason": str(error.msg), "returncode": error.returncode}
    if isinstance(error, pytest.Session.Interrupted):
        return {"kind": "interrupted", "words": str(error)}
    return {"kind": "interrupted", "place": _place(error)}


def complaint(report: pytest.CollectReport) -> str:
    """Why a collector that has failed, or was skipped, has no tests."""
    if isinstance(report.longrepr, tuple):
        return f"skipped: {report.longrepr[-1]}"
    return str(report.longrepr)


class Items:
    """Those of a session, by id; where several have one id, the first of them is number 0."""

    def __init__(self, session: pytest.Session, screen: Screen, complaints: Sequence[str]) -> None:
        self._session = session
        self._complaints = complaints
        self._screen = screen
        counts: collections.Counter[str] = collections.Counter()
        self._found: dict[tuple[str, int], pytest.Item] = {}
        for item in session.items:
            self._found[item.nodeid, counts[item.nodeid]] = item
            counts[item.nodeid] += 1

    def run(self, request: Message, intact: Intact) -> Message:
        """Run one, with fixtures kept for the next one; the answer. Where pytest itself fails, `intact` is restored."""
        item = self._found.get(tuple(request["test"]))
        if item is None:
            return {"kind": "missing", "why": "\n".join(self._complaints)}
        following = self._found.get(tuple(request["next"])) if request["next"] is not None else None
        # With what has failed elsewhere, `--maxfail` may be reached here.
        self._session.testsfailed = request.get("failed", self._session.testsfailed)
        try:
            with self._screen.shown():
                try:
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                except AnyError:
                    intact.restore()
                    raise
        except (pytest.exit.Exception, KeyboardInterrupt) as error:
            return stopped(error)
        return {
            "kind": "ran",
            "shouldstop": str(self._session.shouldstop or ""),
            "shouldfail": str(self._session.shouldfail or ""),
        }
