"""What another process has collected is told here in the order in which pytest tells of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mortal import MORTAL
from pytest_tfkernel.plugin.isolation import codec, collecting
from pytest_tfkernel.plugin.isolation.forks import CannotBeginError
from pytest_tfkernel.plugin.isolation.items import StandIn, key_of
from pytest_tfkernel.plugin.isolation.nursery import Collection
from pytest_tfkernel.plugin.isolation.peers import DiedError, ProcessDeath


class Told:
    """A session whose hooks note that they were called."""

    def __init__(self, request: pytest.FixtureRequest, read: list[str]) -> None:
        self.calls: list[str] = []
        self.items: list[pytest.Item] = []
        self.testscollected = -1
        self._real = request.session
        capture = SimpleNamespace(is_globally_capturing=lambda: True, read_global_capture=lambda: read.append("read"))
        manager = SimpleNamespace(
            get_plugin={"capturemanager": capture}.get,
            get_plugins=list,
            subset_hook_caller=lambda _, without: self._note("choose"),
        )
        hook = SimpleNamespace(
            pytest_collectreport=self._note("report"),
            pytest_collection_finish=self._note("finish"),
            pytest_deselected=self._note("deselected"),
            pytest_warning_recorded=SimpleNamespace(call_historic=self._note("warning")),
            pytest_report_from_serializable=lambda config, data: pytest.CollectReport(**data),
        )
        self.config = SimpleNamespace(pluginmanager=manager, hook=hook, stash=pytest.Stash())

    def _note(self, name: str) -> Any:
        return lambda **_: self.calls.append(name)


@pytest.fixture
def stand_ins(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins are of the session around us."""
    of = StandIn.of
    monkeypatch.setattr(StandIn, "of", lambda _, told, nth: of(request.session, told, nth))


def test(name: str) -> dict[str, Any]:
    place = codec.encode(("test_a.py", 1, name))
    nodeid = f"test_a.py::{name}"
    return {
        "nodeid": nodeid,
        "name": name,
        "path": str(Path(__file__)),
        "location": place,
        "marks": [],
        "keywords": [],
        "more": {},
    }


test.__test__ = False  # type: ignore[attr-defined]
REPORT: dict[str, Any] = {
    "kind": "collectreport",
    "data": {"nodeid": "test_a.py", "outcome": "passed", "longrepr": None, "result": []},
    "shown": None,
    "tests": [test("test_one")],
}
WARNING = {
    "kind": "warning",
    "text": "a",
    "category": ["builtins", "UserWarning"],
    "filename": "test_a.py",
    "lineno": 1,
    "when": "collect",
    "nodeid": "",
    "location": None,
}
COLLECTED = {"kind": "collected"}


def collect(session: Told, *told: dict[str, Any], tests: list[dict[str, Any]]) -> Any:
    nursery: Any = SimpleNamespace(collect=lambda: Collection(list(told), tests), preload=lambda _: None)
    return collecting.collect(session, lambda: nursery)  # type: ignore[arg-type]


@pytest.mark.usefixtures("stand_ins")
def test_all_is_told_in_order(request: pytest.FixtureRequest) -> None:
    read: list[str] = []
    session = Told(request, read)
    deselected = {"kind": "deselected", "tests": [test("test_two")]}
    tests = [test("test_one"), test("test_one"), test("test_two")]
    items = collect(session, WARNING, REPORT, deselected, COLLECTED, tests=tests)
    assert session.calls == ["report", "deselected", "choose", "finish", "warning"]
    assert [key_of(item) for item in items] == [
        ["test_a.py::test_one", 0],
        ["test_a.py::test_one", 1],
        ["test_a.py::test_two", 0],
    ]
    assert session.testscollected == 3
    # What conftest.py files have printed is in the report of the first collector there.
    assert read == ["read"]


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"kind": "usage", "lines": ["not found: a", "b"]}, "not found: a"),
        ({"kind": "internal", "text": "a traceback"}, "pytest failed in the process that collects: a traceback"),
    ],
)
def test_what_is_wrong_ends_the_session_and_pytest_says_what_it_has(
    request: pytest.FixtureRequest, told: dict[str, Any], words: str
) -> None:
    session = Told(request, [])
    with pytest.raises(pytest.UsageError, match=words):
        collect(session, REPORT, told, tests=[])
    assert session.calls == ["report", "finish"]


def test_a_process_that_can_not_be_made_is_an_error_of_usage(request: pytest.FixtureRequest) -> None:
    def refuse() -> Collection:
        raise CannotBeginError("no process")

    with pytest.raises(pytest.UsageError, match="no process"):
        collecting.collect(Told(request, []), lambda: SimpleNamespace(collect=refuse))  # type: ignore[arg-type, return-value]


def die() -> Collection:
    raise DiedError(ProcessDeath(MORTAL))


def refuse() -> Collection:
    raise CannotBeginError("no process")


def fail() -> Collection:
    return Collection([{"kind": "internal", "text": "a traceback"}])


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (die, "the process that collects tests died of "),
        (refuse, "no process"),
        (fail, "pytest failed in the process that collects: a traceback"),
    ],
)
def test_a_worker_of_pytest_xdist_tells_of_it_as_of_an_error(
    request: pytest.FixtureRequest, how: Callable[[], Collection], words: str
) -> None:
    told: list[pytest.CollectReport] = []

    def note(report: pytest.CollectReport) -> None:
        told.append(report)

    session: Any = Told(request, [])
    session.config.workerinput = {}
    session.config.hook.pytest_collectreport = note
    nursery: Any = SimpleNamespace(collect=how)
    assert collecting.collect(session, lambda: nursery) == []
    assert session.calls[-1] == "finish"
    (report,) = told
    assert report.outcome == "failed"
    assert str(report.longrepr).startswith(words)
