"""Text from anywhere, made visible and short."""

from __future__ import annotations

import pytest
from markupsafe import escape

from pytest_tfkernel.report.page import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07\x1b]8;;http://x\x1b\\link\x1b(B", "link\u241b(B"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("a\x00b\x07\x7f\x9b", "a\u2400b\u2407\u2421\\x9b"),
        ("\u202eexe.png\u2066", "\\u202eexe.png\\u2066"),
        ("a\ud800b", "a\\ud800b"),
        ("\ufeff\uffff", "\\ufeff\\uffff"),
        ("grün 漢字 🙂", "grün 漢字 🙂"),
    ],
)
def test_what_is_no_text_is_spelt_out(text: str, expected: str) -> None:
    assert words.clean(text) == expected


def test_clean_text_stays_clean() -> None:
    once = words.clean("".join(map(chr, range(0x300))) + "\ud800\u2028")
    assert words.clean(once) == once


def test_short_text_is_whole() -> None:
    assert words.clip("x" * 100, 100) == "x" * 100


@pytest.mark.parametrize("character", ["x", "<", "漢", "\U0001f642"])
def test_long_text_keeps_its_ends_and_its_bytes_on_the_page_are_bounded(character: str) -> None:
    clipped = words.clip(f"begin{character * 9_000}end", 600)
    assert clipped.startswith("begin")
    assert clipped.endswith("end")
    assert "characters left out" in clipped
    assert len(escape(clipped).encode()) < 700


def test_line_is_one_line() -> None:
    assert words.line("a\n b\t\r\nc ", 100) == "a b c"


def test_block_of_millions_of_characters_keeps_its_last_words() -> None:
    assert words.block("x\n" * 5_000_000 + "killed", 500).endswith("killed")


@pytest.mark.parametrize(
    ("amount", "expected"),
    [(None, "\u2013"), (0, "0 B"), (1023, "1023 B"), (1 << 20, "1 MiB"), (3 << 29, "1.5 GiB"), (-2048, "-2 KiB")],
)
def test_size(amount: float | None, expected: str) -> None:
    assert words.size(amount) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "\u2013"),
        (0, "0 s"),
        (0.0000071, "7 \u00b5s"),
        (0.0413, "41.3 ms"),
        (2.414, "2.41 s"),
        (59.99, "60 s"),
        (200, "3 min 20 s"),
    ],
)
def test_duration(seconds: float | None, expected: str) -> None:
    assert words.duration(seconds) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-02T03:04:05.678Z", "2026-01-02, 03:04 UTC"),
        ("2026-01-02T03:04:05+00:00", "2026-01-02, 03:04 UTC"),
        ("yesterday", "yesterday"),
        ("", ""),
    ],
)
def test_when(moment: str, expected: str) -> None:
    assert words.when(moment) == expected


def test_names_are_addresses_and_differ() -> None:
    name = words.namer()
    names = [
        name(text) for text in ("t-a.b_c", "t-a.b_c", "t-a b", "t-a/b", "t-\ud800", "t-" + "x" * 999, "t-" + "x" * 998)
    ]
    assert names[:2] == ["t-a.b_c", "t-a.b_c-2"]
    assert len(set(names)) == len(names)
    assert all(len(one) < 140 and one.isascii() for one in names)


def test_names_of_trials_are_the_same_in_every_page() -> None:
    assert [words.namer()("t-\u00fc b")] == [words.namer()("t-\u00fc b")]


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("add --tfkernel-save=NAME", 'add <span class="option">--tfkernel</span>-save=NAME'),
        ("--a<b>&--c", '<span class="option">--a</span>&lt;b&gt;&amp;<span class="option">--c</span>'),
        ("a--b ---c -- -d", "a--b ---c -- -d"),
        ("\x1b[1m--a\x1b[0m\x00", '<span class="option">--a</span>\u2400'),
    ],
)
def test_options_stay_in_one_piece(text: str, markup: str) -> None:
    assert words.unbroken(text) == markup


def test_no_more_than_some_do() -> None:
    assert words.unbroken("--a " * 1_000, 20).count("<span") == 20
