from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

import documents
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.compare.comparison import Comparison
from pytest_tfkernel.report.compare.expectations import Expectation
from pytest_tfkernel.report.compare.text import lines, text

Compare = Callable[..., Comparison]

REF = documents.document(count=3, tensorflow="2.20.0")
NEW = documents.document(count=3, tensorflow="2.21.0")
ODD = "<b>\x1b[31m\r\n\u2028\u202e\ud800"


def test_the_answer_then_what_limits_it_then_what_differs_the_worst_first(compared: Compare) -> None:
    changed = documents.with_trial(NEW, 1, error_type="KeyError", error_message="'a'")
    changed = documents.with_verdict(changed, 0, verdict="FAIL", reason="process 12 lives")
    changed = documents.with_verdict(changed, 2, verdict="FAIL", reason="process 13 lives")
    changed = documents.with_test(changed, 0, outcome="failed", error_type="ValueError")
    changed = msgspec.structs.replace(
        changed,
        tests=changed.tests[:2],
        end=parts.End(seconds=1.0, exit_code=2, collected=9, unreported=["test_mine.py::test_2"]),
    )
    known = [Expectation(reason="never", change="fixed", guarantee="*")]
    assert text(compared(REF, changed, known=known)).splitlines() == [
        (
            "2.20.0 -> 2.21.0: 1 guarantee lost, 1 behaviour changed; of your 3 tests 1 fails that passed, 1 not run;"
            " changed is incomplete"
        ),
        "changed.json is incomplete: 1 of 9 items that were collected has no report, such as test_mine.py::test_2",
        "Lost: passed, and fails now (3, a regression)",
        "  process-is-new: PASS -> FAIL: process 12 lives",
        "    forkserver-graph_add-fault0-idle, forkserver-variable_assign-fault0-idle",
        "  test_mine.py::test_0: passed -> failed: ValueError",
        "Not run (1, a regression)",
        "  test_mine.py::test_2",
        "Another class of error (1)",
        "  trials: no error -> KeyError: 'a'",
        "    forkserver-variable_assign-fault0-idle",
        "Expected, but not seen",
        "  guarantee *: fixed (never)",
        "What else differs",
        "  TensorFlow of the kernels: 2.20.0 -> 2.21.0",
    ]


def test_what_was_expected_has_its_reason(compared: Compare) -> None:
    changed = documents.with_verdict(NEW, 0, verdict="FAIL")
    known = [Expectation(reason="known\nsince 2.21", change="lost", guarantee="*")]
    assert text(compared(REF, changed, known=known)).splitlines()[1:4] == [
        "Expected (1)",
        "  process-is-new: PASS -> FAIL [lost: known since 2.21]",
        "    forkserver-graph_add-fault0-idle",
    ]


def test_a_median_has_its_spread_and_its_percentage(compared: Compare) -> None:
    slow = msgspec.structs.replace(NEW, trials=[msgspec.structs.replace(one, seconds=0.5) for one in NEW.trials])
    assert text(compared(REF, slow)).splitlines()[1:3] == [
        "Slower (1)",
        "  forkserver: whole trial: 0.400 s +- 0.000 -> 0.500 s +- 0.000 (+25 %)",
    ]


def test_what_makes_it_worse_is_red(compared: Compare) -> None:
    changed = documents.with_verdict(documents.with_trial(NEW, 1, error_type="KeyError"), 0, verdict="FAIL")
    titles = [
        line[0] for line in lines(compared(REF, changed)) if line[0][1] in {"red", "bold"} and line[0][0][0] != " "
    ]
    assert titles[1:3] == [
        ("Lost: passed, and fails now (1, a regression)", "red"),
        ("Another class of error (1)", "bold"),
    ]


def test_a_message_that_is_new_stands_after_nothing(compared: Compare) -> None:
    changed = documents.with_trial(NEW, 0, error_message="boom")
    assert text(compared(REF, changed)).splitlines()[1:3] == ["Another message (1)", "  trials:  -> boom"]


def test_long_lists_are_cut_with_their_number(compared: Compare) -> None:
    ref, changed = documents.document(tests=812), documents.document(tests=812)
    for number in range(200):
        changed = documents.with_test(changed, number, outcome="failed", error_type=f"Error{'abcdefgh'[number % 8]}")
    changed = msgspec.structs.replace(changed, tests=changed.tests[:700])
    found = compared(ref, changed)
    shown = text(found).splitlines()
    assert len(shown) < 30
    assert "    test_mine.py::test_0, test_mine.py::test_104, test_mine.py::test_112 and 22 more" in shown
    assert "Not run (112, a regression)" in shown
    everything = text(found, everything=True)
    assert "more" not in everything
    assert all(f"test_mine.py::test_{number}" in everything for number in (*range(200), *range(700, 812)))


def test_many_entries_are_cut_with_their_number(compared: Compare) -> None:
    changed = documents.document(tests=100)
    for number in range(100):
        message = "".join("abcdefghij"[int(digit)] for digit in str(number))
        changed = documents.with_test(changed, number, outcome="failed", error_message=message)
    found = compared(documents.document(tests=100), changed)
    assert "  and 50 more, which `compare --all` shows" in text(found).splitlines()
    assert len(list(lines(found))) == len(text(found).splitlines())
    assert "--all" not in text(found, everything=True)


def test_odd_texts_stay_on_their_lines(compared: Compare) -> None:
    changed = documents.with_test(NEW, 0, outcome="failed", item=ODD, error_message=ODD * 1000)
    changed = documents.with_trial(changed, 0, facts={ODD: ODD}, leaks=[documents.leak(ODD, ODD, ODD)])
    shown = text(compared(REF, changed))
    assert shown.isascii()
    assert set(shown) & {"\x1b", "\r"} == set()
    assert max(map(len, shown.splitlines())) < 1000


@pytest.mark.parametrize(("state", "colour"), [("FAIL", "red"), ("UNKNOWN", "green")])
def test_the_answer_has_the_colour_of_the_exit_code(compared: Compare, state: str, colour: str) -> None:
    found = compared(REF, documents.with_verdict(NEW, 0, verdict=state))
    assert next(lines(found)) == ((found.answer, colour),)
