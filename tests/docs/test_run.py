"""The page about scripts tells of all that there is."""

from __future__ import annotations

from pathlib import Path

from pytest_tfkernel.run import advice, faults

DOCS = Path(__file__).parents[2] / "docs"


def test_each_phase_of_a_script_is_documented() -> None:
    text = (DOCS / "run.md").read_text(encoding="utf-8")
    assert [phase for phase in faults.PHASES if f"| `{phase}` |" not in text] == []


def test_advice_is_given_for_each_cause_that_the_page_names() -> None:
    assert {one.name for one in advice.ALL} >= {"oom", "native-crash", "illegal-instruction", "killed"}
