"""All that has a name is found by it, and by what is nearly it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfkernel.catalogue.entries import KINDS, entries, find, nearest
from pytest_tfkernel.kernels.faults.menu import FAULTS
from pytest_tfkernel.suite.guarantees import GUARANTEES

SABOTEURS = Path(__file__).parents[1]


def test_everything_is_there_once_with_a_line() -> None:
    every = list(entries())
    assert list(dict.fromkeys(one.kind for one in every)) == list(KINDS)
    assert len({(one.kind, one.name) for one in every}) == len(every)
    assert {one.name for one in every if one.kind == "guarantee"} == {one.id for one in GUARANTEES}
    assert {one.name for one in every if one.kind == "fault"} == {one.name for one in FAULTS}
    assert [one.name for one in every if not one.summary or "\n" in one.summary] == []


def test_all_but_what_is_of_a_machine_says_how_to_run_it() -> None:
    assert [one.name for one in entries() if one.kind != "capability" and "run it" not in dict(one.details)] == []


def test_controls_exist() -> None:
    for one in entries():
        if one.kind == "guarantee":
            path = dict(one.details)["seen to fail"].partition("tests/")[2]
            assert (SABOTEURS / path).exists() or "blind_probe" in path, one.name


@pytest.mark.parametrize(
    ("word", "kinds"),
    [
        ("sigkill", ["fault"]),
        ("names-are-private", ["guarantee", "scenario"]),
        ("oom-kill", ["fault", "capability"]),
        ("tfkernel::variable-is-reset[forkserver-variable_assign-sigkill-idle]", ["guarantee"]),
        ("tfkernel::variable-is-reset", ["guarantee"]),
        ("sigki", []),
        ("", []),
    ],
)
def test_a_name_is_found_with_all_that_bears_it(word: str, kinds: list[str]) -> None:
    assert [one.kind for one in find(word)] == kinds


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("varible-is-reset", "variable-is-reset"),
        ("variable_is_reset", "variable-is-reset"),
        ("Variable is Reset", "variable-is-reset"),
        ("SIGKILL", "sigkill"),
        ("sigkil", "sigkill"),
        ("reset", "variable-is-reset"),
        ("graph-ad", "graph-add"),
        ("tfkernel::procss-is-new[a-b-c-d]", "process-is-new"),
        ("ooom-tensor", "oom-tensor"),
    ],
)
def test_a_near_miss_suggests_the_right_name_first(word: str, name: str) -> None:
    assert nearest(word)[0] == name


def test_what_is_near_to_nothing_suggests_nothing() -> None:
    assert nearest("xyzzy") == nearest("") == []
