"""A stand-in is, to whoever asks, the test that it stands for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation import codec
from pytest_tfkernel.plugin.isolation.items import StandIn, key_of

PLACE = ("tests/test_a.py", 3, "test_one[x]")


def told(*marks: tuple[str, tuple[Any, ...], dict[str, Any]]) -> dict[str, Any]:
    return {
        "nodeid": "tests/test_a.py::test_one[x]",
        "name": "test_one[x]",
        "path": str(Path(__file__).parent / "test_a.py"),
        "location": codec.encode(PLACE),
        "marks": [[name, codec.encode(args), codec.encode(kwargs)] for name, args, kwargs in marks],
        "keywords": ["test_one[x]", "tests"],
        "more": {},
    }


def test_it_has_the_name_and_the_place_of_its_test(request: pytest.FixtureRequest) -> None:
    item = StandIn.of(request.session, told(), 2)
    assert item.nodeid == "tests/test_a.py::test_one[x]"
    assert key_of(item) == [item.nodeid, 2]
    assert item.location == PLACE
    assert item.reportinfo() == (item.path, 3, "test_one[x]")
    assert "tests" in item.keywords
    with pytest.raises(AssertionError, match="runs in another process"):
        item.runtest()


def test_its_marks_are_those_that_are_known_here(request: pytest.FixtureRequest) -> None:
    marks = [("skipif", (True,), {"reason": ("a",)}), ("only_a_conftest_knows_this", (), {})]
    item = StandIn.of(request.session, told(*marks), 0)
    found = item.get_closest_marker("skipif")
    assert found is not None
    assert (found.args, found.kwargs) == ((True,), {"reason": ("a",)})
    assert [mark.name for mark in item.iter_markers()] == ["skipif"]


def test_hooks_of_other_folders_are_not_its_own(request: pytest.FixtureRequest) -> None:
    item = StandIn.of(request.session, told(), 0)
    impls = {Path(getattr(one.plugin, "__file__", None) or "") for one in item.ihook.pytest_configure.get_hookimpls()}
    folder = Path(__file__).parent
    assert all(folder.is_relative_to(path.parent) for path in impls if path.name == "conftest.py")
    assert item.ihook is StandIn.of(request.session, told(), 1).ihook


def test_it_has_names_of_what_is_elsewhere(request: pytest.FixtureRequest) -> None:
    more: dict[str, object] = {"originalname": "test_one", "fixturenames": ["x"], "module": ("test_a", None)}
    more |= {"function": ("test_one", "Words."), "callspec": {"id": "1", "params": {"x": 1}}}
    item: Any = StandIn.of(request.session, told() | {"more": codec.encode(more)}, 0)
    assert (item.originalname, item.fixturenames, item.funcargs) == ("test_one", ["x"], {})
    assert (item.function.__name__, item.obj.__doc__, item.module.__name__, item.cls) == (
        *("test_one", "Words.", "test_a"),
        None,
    )
    assert item.callspec.params == {"x": 1}
    with pytest.raises(
        AttributeError, match=r"another process has collected tests/test_a.py::test_one\[x\]: 'instance'"
    ):
        _ = item.instance


def test_what_is_no_function_has_none(request: pytest.FixtureRequest) -> None:
    item = StandIn.of(request.session, told(), 0)
    assert not any(hasattr(item, name) for name in ("function", "callspec", "originalname", "_private"))
