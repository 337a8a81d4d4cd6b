"""What a verdict has to add of a known defect."""

from __future__ import annotations

import pytest

from pytest_tfkernel.model.defects import Defect, is_mended, told

ALWAYS = Defect("deaf", "it is deaf", "docs/faults.md", "ours", always=True)
SOMETIMES = Defect("deaf", "it is deaf", "", "ours")


@pytest.mark.parametrize(
    ("state", "defect", "words"),
    [
        ("KNOWN", ALWAYS, "known: it is deaf (docs/faults.md)"),
        ("KNOWN", SOMETIMES, "known: it is deaf"),
        ("PASS", ALWAYS, "mended: deaf is listed as always seen, and wasn't: update the table (ours)"),
        ("PASS", SOMETIMES, ""),
        ("PASS", None, ""),
        ("FAIL", None, ""),
    ],
)
def test_it_is_known_or_mended_or_nothing(state: str, defect: Defect | None, words: str) -> None:
    assert told(state, defect) == words
    assert is_mended(state, defect) is words.startswith("mended")
