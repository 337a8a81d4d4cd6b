"""Which rows a history has, and what they say."""

from __future__ import annotations

from pathlib import Path

import msgspec

import documents
from histories import history
from pytest_tfkernel.report.history.table import Counted

RUN = documents.document(3)
FAILED = documents.with_verdict(RUN, 1, verdict="FAIL", reason="it is gone")


def test_a_guarantee_that_changed_in_any_trial_has_a_row_with_its_worst_verdict(tmp_path: Path) -> None:
    found = history(tmp_path, RUN, FAILED, RUN)
    (row,) = found.guarantees
    assert row.name == RUN.verdicts[1].guarantee
    assert list(map(str, row.cells)) == ["PASS 3", "FAIL 1 of 3", "PASS 3"]
    assert row.changes == (1, 2)
    assert list(map(str, row.last)) == ["FAIL 1 of 3", "PASS 3"]
    assert (row.reason, row.trials) == ("it is gone", (str(RUN.verdicts[1].setting),))
    assert found.tests == ()
    assert found.counted == (Counted(2, 1, 0), Counted(3, 0, 0))


def test_a_change_below_one_that_stays_worse_is_not_hidden(tmp_path: Path) -> None:
    other = documents.with_verdict(FAILED, 3, verdict="FAIL")
    (row,) = history(tmp_path, FAILED, other).guarantees
    assert list(map(str, row.cells)) == ["FAIL 1 of 3", "FAIL 2 of 3"]
    # As many fail, and others than before.
    moved = documents.with_verdict(RUN, 3, verdict="FAIL")
    (row,) = history(tmp_path, FAILED, moved).guarantees
    assert list(map(str, row.cells)) == ["FAIL 1 of 3"] * 2
    assert (row.changes, row.total) == ((1,), 2)


def test_what_was_not_looked_at_is_no_outcome_but_is_counted(tmp_path: Path) -> None:
    fewer = msgspec.structs.replace(RUN, verdicts=RUN.verdicts[:2], tests=RUN.tests[:1])
    found = history(tmp_path, RUN, fewer, RUN)
    assert found.rows == ()
    assert found.counted == (Counted(2, 0, 2), Counted(3, 0, 2))


def test_a_change_across_a_run_without_it_is_one(tmp_path: Path) -> None:
    failed = documents.with_test(RUN, 0, outcome="failed", error_type="OSError", error_message="no")
    found = history(tmp_path, RUN, msgspec.structs.replace(RUN, tests=[]), failed)
    (row,) = found.tests
    assert [None if one is None else str(one) for one in row.cells] == ["passed", None, "failed"]
    assert (row.changes, row.reason) == ((2,), "OSError: no")


def test_words_are_those_of_the_rows(tmp_path: Path) -> None:
    assert [one.word for one in history(tmp_path, RUN, FAILED).words] == ["PASS", "FAIL"]
