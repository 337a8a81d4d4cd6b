"""What a process of ours has said last, in words to be added."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from pytest_tfkernel.processes.output.captures import Capture
from pytest_tfkernel.processes.output.epitaphs import last_line, last_words

CRASH = "Fatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n  File a.py"


@pytest.fixture
def said() -> Iterator[Callable[[str], Capture]]:
    log = Capture("log")

    def say(text: str) -> Capture:
        os.write(log.descriptor, text.encode())
        return log

    yield say
    log.close()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", "", ""),
        (" \n\n", "", ""),
        ("one\ntwo\n\n", "; its last words: two", "; its last words: two"),
        (
            f"before\n{CRASH}\n",
            "; its last words: Fatal Python error: Segmentation fault",
            f"; its last words:\n{CRASH}",
        ),
    ],
    ids=["nothing", "no words", "words", "a crash"],
)
def test_the_last_line_or_a_crash_with_its_stack(
    said: Callable[[str], Capture], text: str, line: str, words: str
) -> None:
    log = said(text)
    assert (last_line(log), last_words(log)) == (line, words)


def test_of_several_crashes_the_last_is_the_one(said: Callable[[str], Capture]) -> None:
    assert last_line(said("Fatal Python error: one\nFatal Python error: two\nmore")).endswith("Fatal Python error: two")
