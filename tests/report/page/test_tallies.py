"""Verdicts, counted."""

from __future__ import annotations

import pytest

import documents
from pytest_tfkernel.report.document import StateWord
from pytest_tfkernel.report.page.tallies import VerdictCounts


def tally(*states: StateWord) -> VerdictCounts:
    where = documents.setting(0, "tf2.21-py3.11")
    return VerdictCounts.of(documents.verdict(where, state=state) for state in states)


@pytest.mark.parametrize(
    ("states", "state", "symbol", "words"),
    [
        ((), "", "\u2013", "no verdict"),
        (("PASS",), "PASS", "✓", "PASS 1"),
        (("PASS", "PASS"), "PASS", "✓", "PASS 2"),
        (("PASS", "UNKNOWN"), "UNKNOWN", "?", "UNKNOWN 1 of 2"),
        (("KNOWN", "PASS", "UNKNOWN"), "KNOWN", "!", "KNOWN 1 of 3"),
        (("UNKNOWN", "PASS", "FAIL", "FAIL"), "FAIL", "✗", "FAIL 2 of 4"),
    ],
)
def test_the_worst_is_told_with_its_number(states: tuple[StateWord, ...], state: str, symbol: str, words: str) -> None:
    found = tally(*states)
    assert (found.state, found.symbol, found.words, found.total) == (state, symbol, words, len(states))


def test_each_state_is_counted() -> None:
    found = tally("PASS", "FAIL", "UNKNOWN", "PASS", "KNOWN", "PASS", "FAIL")
    assert found == VerdictCounts(passed=3, failed=2, unknown=1, known=1)
    assert [*found.counts.items()] == [("PASS", 3), ("FAIL", 2), ("KNOWN", 1), ("UNKNOWN", 1)]
