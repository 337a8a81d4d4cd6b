"""A history in a terminal."""

from __future__ import annotations

from pathlib import Path

import msgspec

import documents
from histories import history
from pytest_tfkernel.report.history.text import answer, text

RUN = documents.document(3)
FAILED = documents.with_verdict(RUN, 1, verdict="FAIL", reason="it is\ngone")


def test_the_first_line_is_the_answer(tmp_path: Path) -> None:
    assert answer(history(tmp_path, RUN, FAILED)) == (
        "2 runs, 2026-01-01 to 2026-01-02: 1 of 2 guarantees and none of 3 tests changed"
    )
    nothing = msgspec.structs.replace(documents.document(0, tests=0))
    (tmp_path / "other").mkdir()
    assert answer(history(tmp_path / "other", nothing)).endswith("1 run, 2026-01-01 to 2026-01-01: nothing was checked")


def test_rows_say_what_each_run_saw_and_when_it_changed(tmp_path: Path) -> None:
    lines = text(history(tmp_path, RUN, FAILED, RUN, FAILED)).splitlines()
    assert "  session-is-rebuilt PFPF" in lines
    assert "                     1234" in lines
    (change,) = [line for line in lines if line.startswith("  session-is-rebuilt: ")]
    assert change == (
        "  session-is-rebuilt: changed in 3 runs, last in run 4 (2026-01-04, 2.21.0, Python 3.11.7): PASS 3 -> FAIL 1 of"
        " 3: it is gone [forkserver-graph_add-fault0-idle]"
    )
    assert any(line.startswith("  restart, forkserver: 50 ms +- 0 s of 3 in the first run") for line in lines)


def test_many_runs_are_cut_into_tables_that_fit(tmp_path: Path) -> None:
    small = msgspec.structs.replace(RUN, trials=[])
    failed = msgspec.structs.replace(FAILED, trials=[])
    lines = text(history(tmp_path, *([small] * 60), failed), width=60).splitlines()
    assert "Outcomes that changed: P PASS, F FAIL; . not in that run (runs 40 to 61)" in lines
    letters = [line.split()[-1] for line in lines if line.startswith("  session-is-rebuilt P")]
    assert "".join(letters) == "P" * 60 + "F"
    assert max(len(line) for line in lines if line.startswith("  session-is-rebuilt P")) <= 60


def test_long_lists_are_cut_unless_all_is_asked_for(tmp_path: Path) -> None:
    run = documents.document(0, tests=150)
    failed = msgspec.structs.replace(run, tests=[msgspec.structs.replace(one, outcome="failed") for one in run.tests])
    found = history(tmp_path, run, failed)
    assert "  and 50 more, which `history --all` shows" in text(found).splitlines()
    assert "test_149" not in text(found)
    assert "test_149" in text(found, everything=True)


def test_what_a_document_says_cannot_move_the_cursor(tmp_path: Path) -> None:
    odd = documents.with_test(RUN, 0, item="a\x1b[2Jb\n\rc" + "x" * 500, outcome="failed", error_message="\x1b[31m")
    passed = documents.with_test(odd, 0, outcome="passed")
    assert all(line.isprintable() for line in text(history(tmp_path, odd, passed)).splitlines())
