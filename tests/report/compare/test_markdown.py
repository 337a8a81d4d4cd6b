from __future__ import annotations

import re
from collections.abc import Callable

import pytest

import documents
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.compare.comparison import Comparison
from pytest_tfkernel.report.compare.expectations import Expectation
from pytest_tfkernel.report.compare.markdown import MOST_BYTES, escape, markdown

Compare = Callable[..., Comparison]

REF = documents.document(count=3, tensorflow="2.20.0")
NEW = documents.document(count=3, tensorflow="2.21.0")
ODD = "a|b<script>&amp;`x`\x1b[31m\r\n# c\u2028\u202e\ud800 [l](u) ![i](u) *e* _e_ ~~s~~ @me \\"


def rows(shown: str) -> list[str]:
    return [line for line in shown.splitlines() if line.startswith("|")]


def test_the_answer_is_its_title(compared: Compare) -> None:
    found = compared(REF, documents.with_verdict(NEW, 0, verdict="FAIL"))
    assert markdown(found).splitlines()[:2] == [f"### \u274c {escape(found.answer)}", ""]
    assert markdown(compared(REF, NEW)).startswith("### \u2705 2.20.0 \\-&gt; 2.21.0\\: no guarantee lost")


def test_differences_are_tables(compared: Compare) -> None:
    changed = documents.with_verdict(NEW, 0, verdict="FAIL", reason="it lives")
    changed = documents.with_verdict(changed, 2, verdict="FAIL", reason="it lives")
    assert markdown(compared(REF, changed)).splitlines()[2:7] == [
        "#### Lost\\: passed, and fails now \\(2, a regression\\)",
        "",
        "| what | before | after | where |",
        "|---|---|---|---|",
        (
            "| process\\-is\\-new | PASS | FAIL\\: it lives | forkserver\\-graph\\_add\\-fault0\\-idle<br>"
            "forkserver\\-variable\\_assign\\-fault0\\-idle |"
        ),
    ]


def test_what_limits_the_answer_and_what_was_not_seen_is_there(compared: Compare) -> None:
    known = [Expectation(reason="never", change="lost", guarantee="*")]
    shown = markdown(compared(REF, documents.with_options(NEW, "-k", "a"), known=known))
    assert "\n> ref was asked for all, changed for \\-k=a\n" in shown
    assert "\n#### Expected, but not seen\n\n- guarantee \\*\\: lost \\(never\\)\n" in shown
    assert "\n- TensorFlow of the kernels\\: 2.20.0 \\-&gt; 2.21.0\n" in shown


def test_odd_texts_stay_in_their_cells(compared: Compare) -> None:
    changed = documents.with_test(NEW, 0, item=ODD, outcome="failed", error_type=ODD, error_message=ODD)
    changed = documents.with_trial(
        changed, 0, facts={ODD: ODD}, leaks=[documents.leak(ODD, ODD, ODD)], death=parts.Death(signal=ODD)
    )
    known = [Expectation(reason=ODD, change="leak", trial="*")]
    shown = markdown(compared(REF, changed, known=known))
    assert len(rows(shown)) > 8
    # Four cells, whatever stands in them.
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows(shown)} == {5}
    assert set(re.findall(r"</?\w+>", shown)) == {"<br>"}
    assert re.search(r"(?<!\\)[`*_~\[\]@]", shown) is None
    assert shown.replace("\u274c", "").isascii()
    assert shown.isprintable() is False
    assert all(line.isprintable() for line in shown.split("\n"))


@pytest.mark.parametrize(("count", "where"), [(20, ""), (21, "<br>and 1 more")])
def test_twenty_places_are_named_and_the_others_counted(compared: Compare, count: int, where: str) -> None:
    ref, changed = documents.document(count), documents.document(count)
    for number in range(count):
        changed = documents.with_trial(changed, number, error_type="KeyError")
    (row,) = rows(markdown(compared(ref, changed)))[2:]
    assert row.count("<br>") == 19 + bool(where)
    assert row.endswith(f"{where} |")


def test_as_many_lines_are_kept_as_fit(compared: Compare) -> None:
    found = compared(REF, documents.with_verdict(NEW, 0, verdict="FAIL", reason="it lives \u00fc"))
    whole = markdown(found)
    lines = whole.splitlines(keepends=True)
    assert 10 <= len(lines) < 100
    cut = "\nThis list is cut here: {} more lines; the JSON has them all.\n"
    for kept in range(1, len(lines) - 9):
        shown = "".join(lines[:kept]) + cut.format(len(lines) - kept)
        room = len(shown.encode())
        assert markdown(found, room) == shown
        assert markdown(found, room - 1) != shown
    assert markdown(found, len(whole.encode())) == whole
    assert markdown(found, len(whole.encode()) - 1) != whole


def test_it_fits_into_a_job_summary(compared: Compare) -> None:
    count = 3000
    ref, changed = documents.document(tests=0), documents.document(tests=0)
    outcomes: list[tuple[parts.Document, parts.OutcomeWord]] = [(ref, "passed"), (changed, "failed")]
    for document, outcome in outcomes:
        for number in range(count):
            word = "".join("abcdefghij"[int(digit)] for digit in str(number))
            test = parts.Test(item=f"t.py::{word}", outcome=outcome, seconds=0.1, error_message="\u00fc" * 200 + word)
            document.tests.append(test)
    found = compared(ref, changed)
    shown = markdown(found)
    assert MOST_BYTES * 0.99 < len(shown.encode()) <= MOST_BYTES
    assert shown.startswith("### \u274c")
    *_, row, empty, cut = shown.splitlines()
    left = re.fullmatch(r"This list is cut here: (\d+) more lines; the JSON has them all.", cut)
    assert left is not None
    assert row.endswith(" |")
    assert empty == ""
    whole = markdown(found, 1 << 40)
    assert len(whole.splitlines()) == len(shown.splitlines()) - 2 + int(left[1])
    assert "cut here" not in whole
