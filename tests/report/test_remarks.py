"""Texts that are said where little room is."""

from __future__ import annotations

import pytest

import documents
from documents import ODD, cut_short
from pytest_tfkernel.report.remarks import clip, one_line, reasons_of, shortfall, visible


@pytest.mark.parametrize("text", [ODD, "\x1b]0;title\x07a", "a\0b\x7f", "\u202egnp.exe", "\ud800"])
def test_what_is_said_is_visible(text: str) -> None:
    assert one_line(text).isprintable()
    assert all(line.isprintable() for line in visible(text).split("\n"))


def test_a_long_text_is_clipped_in_its_middle() -> None:
    assert clip("short", 5) == "short"
    assert clip("a" * 10 + "b" * 20, 6) == "aa [... 24 characters left out ...] bbbb"


def test_whole_runs_lack_nothing() -> None:
    assert shortfall(documents.document(1)) == ""
    assert shortfall(cut_short(documents.document(1))).startswith("it was cut short")


def test_reasons_of_a_test_are_its_error_and_what_it_left() -> None:
    document = documents.with_test(
        documents.document(0), 0, error_type="E", error_message="m", leaks=[documents.leak("thread", "8")]
    )
    assert [*reasons_of(document.tests[0])] == ["E: m", "left behind: thread 8"]
    assert [*reasons_of(document.tests[1])] == []
