"""What a test may leave behind, as its markers say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_tfkernel.gate.findings import Allowance
from pytest_tfkernel.plugin.gate.markers import MarkerHooks, allowances

MARK = pytest.mark.tfkernel_allow_leak


def item(*marks: pytest.MarkDecorator) -> pytest.Item:
    """A test with these markers, the first of which is its own and the others its module's."""
    nodes = ("test_a.py::test_one", *("test_a.py" for _ in marks[1:]))
    pairs = [(SimpleNamespace(nodeid=node), one.mark) for node, one in zip(nodes, marks, strict=False)]
    return cast("pytest.Item", SimpleNamespace(iter_markers_with_node=lambda _: iter(pairs)))


def test_each_kind_is_allowed_with_the_reason_and_by_whom() -> None:
    found = allowances(item(MARK("process", "socket", reason="a server"), MARK("lock", reason="known")))
    assert found == {
        Allowance("test_a.py::test_one", "process", "a server"),
        Allowance("test_a.py::test_one", "socket", "a server"),
        Allowance("test_a.py", "lock", "known"),
    }


def test_without_a_marker_nothing_is() -> None:
    assert allowances(item()) == frozenset()


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        (MARK("process"), "gives no reason: write it as"),
        (MARK("process", reason="  "), "gives no reason"),
        (MARK("process", reason=5), "gives no reason"),
        (MARK(reason="why"), "names no kind of leak"),
        (MARK("process", reason="why", until=5), "takes no 'until'"),
        (MARK("dragon", reason="why"), "allows .*dragon"),
    ],
)
def test_a_wrong_one_fails_its_test_in_a_line_and_allows_nothing(mark: Any, words: str) -> None:
    wrong = item(MARK("lock", reason="known"), mark)
    with pytest.raises(pytest.fail.Exception, match=f"^the marker tfkernel_allow_leak {words}") as caught:
        MarkerHooks().pytest_runtest_setup(wrong)
    assert caught.value.pytrace is False
    assert allowances(wrong) == frozenset()


def test_a_right_one_fails_nothing() -> None:
    MarkerHooks().pytest_runtest_setup(item(MARK("process", reason="a server")))
