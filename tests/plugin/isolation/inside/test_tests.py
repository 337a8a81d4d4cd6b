"""One test of a session is found and run, and what it has asked of the session is the answer."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation import codec
from pytest_tfkernel.plugin.isolation.inside import tests
from pytest_tfkernel.plugin.isolation.inside.intact import Intact

SCREEN: Any = SimpleNamespace(shown=contextlib.nullcontext)


class SessionPlan:
    """One with these tests; what is run is noted with what comes after it."""

    def __init__(self, *ids: str, raises: BaseException | None = None) -> None:
        self.ran: list[tuple[object, object]] = []
        self.raises = raises
        self.testsfailed = 0
        self.shouldstop = self.shouldfail = False
        hook = SimpleNamespace(pytest_runtest_protocol=self._run)
        self.items = [SimpleNamespace(nodeid=one, config=SimpleNamespace(hook=hook)) for one in ids]

    def _run(self, item: object, nextitem: object) -> None:
        self.ran.append((item, nextitem))
        if self.raises is not None:
            raise self.raises


def run(session: Any, test: list[object], following: list[object] | None = None, failed: int = 0) -> dict[str, Any]:
    request = {"test": test, "next": following, "failed": failed}
    return tests.Items(session, SCREEN, ["a reason"]).run(request, Intact())


def test_where_two_have_one_id_they_are_counted() -> None:
    session = SessionPlan("a", "a", "b")
    assert run(session, ["a", 1], ["b", 0], failed=3) == {"kind": "ran", "shouldstop": "", "shouldfail": ""}
    assert session.ran == [(session.items[1], session.items[2])]
    # What has failed elsewhere counts for --maxfail.
    assert session.testsfailed == 3


def test_one_that_is_not_there_is_missing() -> None:
    session = SessionPlan("a")
    assert run(session, ["a", 1]) == {"kind": "missing", "why": "a reason"}
    run(session, ["a", 0], ["b", 0])
    assert session.ran == [(session.items[0], None)]


def test_what_it_asks_of_the_session_is_told() -> None:
    session = SessionPlan("a")
    session.shouldstop, session.shouldfail = "enough", "too much"  # type: ignore[assignment]
    assert run(session, ["a", 0]) == {"kind": "ran", "shouldstop": "enough", "shouldfail": "too much"}


def test_an_end_is_told_with_its_reason() -> None:
    exited = run(SessionPlan("a", raises=pytest.exit.Exception("enough", 7)), ["a", 0])
    assert exited == {"kind": "exit", "reason": "enough", "returncode": 7}
    interrupted = run(SessionPlan("a", raises=KeyboardInterrupt()), ["a", 0])
    assert interrupted["kind"] == "interrupted"
    assert interrupted["place"][0] == __file__


def test_a_test_is_described_by_plain_data(request: pytest.FixtureRequest) -> None:
    request.node.add_marker(pytest.mark.filterwarnings("ignore:x", object()))  # type: ignore[arg-type]
    found = tests.described(request.node)
    assert found["nodeid"] == request.node.nodeid
    assert codec.decode(found["location"]) == request.node.location
    name, args, _ = found["marks"][0]
    assert name == "filterwarnings"
    assert codec.decode(args)[1].startswith("<object object")
    assert request.node.name in found["keywords"]


class TestMore:
    """What plugins name of a test."""

    @pytest.mark.parametrize("value", [Path("/a"), 3], ids=["path", "number"])
    def test_of_a_class(self, value: object, request: pytest.FixtureRequest) -> None:
        """Words."""
        found = codec.decode(tests.described(request.node)["more"])
        assert found["function"] == (request.node.originalname, "Words.")
        assert found["cls"] == ("TestMore", TestMore.__doc__)
        assert found["module"] == (__name__, __doc__)
        assert (found["originalname"], found["fixturenames"]) == ("test_of_a_class", request.node.fixturenames)
        assert found["callspec"]["params"] == {"value": str(value) if isinstance(value, Path) else value}

    def test_what_is_no_function_has_none(self, request: pytest.FixtureRequest) -> None:
        class Item(pytest.Item):
            def runtest(self) -> None: ...

        assert tests.described(Item.from_parent(request.session, name="a"))["more"] == {}
