"""Processes of isolated tests, in two runs."""

from __future__ import annotations

from typing import Any

import pytest

import documents
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.compare.answer import answer
from pytest_tfkernel.report.compare.differences import Change
from pytest_tfkernel.report.compare.figures import figures
from pytest_tfkernel.report.compare.pairs import Pairs, Side, pair
from pytest_tfkernel.report.compare.processes import GROUP, differences, measured

MIB = 1 << 20
ORDER = "ends as a session does"
SEGV: dict[str, Any] = {"signal": "SIGSEGV", "cause": "signal"}


def run(process: dict[str, Any] | None, *, count: int = 1, **test: Any) -> parts.Document:
    """One with tests that have this process."""
    made = documents.document(tests=count)
    for number in range(count):
        found = None if process is None else parts.IsolatedProcess(**{"how": "forked"} | process)
        made = documents.with_test(made, number, process=found, **test)
    return made


def both(ref: parts.Document, changed: parts.Document) -> Pairs:
    return pair(Side("ref", ref), Side("changed", changed))


@pytest.mark.parametrize(
    ("ref", "changed", "words"),
    [
        (SEGV, {"signal": "SIGABRT", "cause": "signal"}, ("SIGSEGV (cause: signal)", "SIGABRT (cause: signal)")),
        ({"code": 0}, SEGV, (ORDER, "SIGSEGV (cause: signal)")),
        (SEGV, {}, ("SIGSEGV (cause: signal)", ORDER)),
        (
            {"code": 3, "cause": "exit"},
            {"code": 4, "cause": "exit"},
            ("exit code 3 (cause: exit)", "exit code 4 (cause: exit)"),
        ),
        ({"code": 0}, {"code": 0, "cause": "exit"}, (ORDER, "exit code 0 (cause: exit)")),
        (
            {"signal": "SIGKILL", "cause": "oom-kill"},
            {"signal": "SIGKILL", "cause": "deadline"},
            ("SIGKILL (cause: oom-kill)", "SIGKILL (cause: deadline)"),
        ),
        # That a test in it has failed is no other end, nor that it was of a version that kept no cause.
        ({"code": 0}, {"code": 1}, None),
        ({"code": 0}, {"code": 5}, None),
        ({"code": 0}, {"code": 6}, (ORDER, "exit code 6")),
        ({"code": 0}, {}, None),
        (SEGV, {"signal": "SIGSEGV"}, None),
        (SEGV, SEGV, None),
        # Isolated in one run only.
        (SEGV, None, None),
    ],
)
def test_another_end_is_a_changed_behaviour(
    ref: dict[str, Any], changed: dict[str, Any] | None, words: tuple[str, str] | None
) -> None:
    pairs = both(run(ref), run(changed))
    found = list(differences(pairs))
    assert [(one.change, one.before, one.after) for one in found] == ([(Change.EXIT, *words)] if words else [])
    assert (", 1 changed" in answer(("a", "b"), pairs, found, whole=True)) == bool(words)


def test_one_that_is_not_isolated_or_not_there_hides_no_other() -> None:
    aborted: dict[str, Any] = {"signal": "SIGABRT", "cause": "signal"}
    changed = documents.with_test(run(aborted, count=2), 0, process=None)
    found = list(differences(both(run(SEGV, count=3), changed)))
    assert [one.name.rpartition("::")[2] for one in found] == ["test_1"]


def test_where_the_outcome_is_another_that_says_it() -> None:
    assert list(differences(both(run({"code": 0}), run(SEGV, outcome="failed")))) == []
    assert list(differences(both(run(SEGV, outcome="failed"), run({"code": 1}, outcome="error"))))


def test_time_and_memory_are_figures_of_their_own() -> None:
    pairs = both(run({"peak_memory": 100 * MIB}, count=3), run({"peak_memory": 150 * MIB}, count=3, seconds=9.0))
    found = {one.name: one for one in figures(pairs) if one.group == GROUP}
    assert {name: one.is_beyond_spread for name, one in found.items()} == {"seconds of one": True, "most memory": True}
    assert found["most memory"].percent == pytest.approx(50)


@pytest.mark.parametrize(
    ("ref", "changed", "names"),
    [
        (run({"peak_memory": 1}), run({"peak_memory": 2}), ["seconds of one", "most memory"]),
        (run({"peak_memory": 1}), run({}), ["seconds of one"]),
        (run({}), run({"peak_memory": 1}), ["seconds of one"]),
        (run({"peak_memory": 1}), run({"peak_memory": 1}, outcome="skipped"), []),
        (run({"peak_memory": 1}), run(None), []),
    ],
)
def test_what_one_run_has_not_measured_is_left_out(
    ref: parts.Document, changed: parts.Document, names: list[str]
) -> None:
    assert [name for one in both(ref, changed).tests.values() for name, *_ in measured(one)] == names
