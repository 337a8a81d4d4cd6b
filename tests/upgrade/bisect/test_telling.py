"""What a bisection says."""

from __future__ import annotations

import dataclasses
import json

from pytest_tfkernel.upgrade.bisect.telling import BisectionAnswer, as_json, text

TOLD = BisectionAnswer(
    ref="2.15.1",
    changed="2.21.0",
    last="2.17.1",
    first="2.18.0",
    on="outcome",
    before=("PASS: heard",),
    after=("FAIL: swallowed\nby it",),
    releases=11,
    tried=("2.15.1", "2.21.0", "2.17.1", "2.18.0"),
    command="pytest-tfkernel upgrade --bisect 2.17.1 2.18.0 -- ID",
)


def test_the_answer_both_observations_and_the_line_to_repeat_it() -> None:
    assert text(dataclasses.replace(TOLD, untried=7)).splitlines() == [
        "first differs in 2.18.0; 2.17.1 is as 2.15.1 was",
        "that it changed once only is assumed of 7 releases that were not tried",
        "  2.17.1: PASS: heard",
        "  2.18.0: FAIL: swallowed by it",
        "tried 4 of 11 releases: 2.15.1, 2.21.0, 2.17.1, 2.18.0",
        "again: pytest-tfkernel upgrade --bisect 2.17.1 2.18.0 -- ID",
    ]


def test_what_limits_it_is_said() -> None:
    told = dataclasses.replace(
        TOLD,
        skipped={"2.17.2": "can't be installed: no"},
        between=("2.17.2",),
        absent={"2.16.0": ("3.9", "3.12"), "2.16.1": ()},
        odd=(("2.19.0", "as 2.15.1"),),
        untried=3,
    )
    lines = text(told).splitlines()
    assert lines[0].endswith("; 2.17.2 between them could not be tried, so it may be that one")
    assert lines[1] == "but it changed more than once: 2.19.0 is as 2.15.1"
    assert "skipped 2.17.2: can't be installed: no" in lines
    assert "skipped 2.16.0: no wheel for this Python, but for 3.9, 3.12" in lines
    assert "skipped 2.16.1: no wheel for this Python" in lines
    assert not any("assumed" in line for line in lines)


def test_an_end_is_as_it_was() -> None:
    assert dataclasses.replace(TOLD, last="2.15.1").answer == "first differs in 2.18.0; 2.15.1 is as it was"


def test_machines_get_all_of_it() -> None:
    found = json.loads(as_json(TOLD))
    assert (found["format"], found["schema"]) == ("pytest-tfkernel bisection", 1)
    assert found["answer"] == TOLD.answer
    assert found["first"] == "2.18.0"
    assert found["tried"] == list(TOLD.tried)
