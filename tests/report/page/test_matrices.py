"""Verdicts as tables."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import documents
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.page import matrices
from pytest_tfkernel.report.page.tallies import VerdictCounts

MakeRun = Callable[..., parts.Document]


def place(setting: parts.Setting) -> matrices.Position:
    return matrices.Position(len(setting.fault), f"t-{setting.fault}")


def setting(
    example: str, fault: str = "sigkill", phase: str = "idle", provisioner: str = "forkserver"
) -> parts.Setting:
    return parts.Setting(kernel="tf", provisioner=provisioner, example=example, fault=fault, phase=phase)


def verdicts(*keys: parts.Setting, guarantees: int = 3) -> list[parts.Verdict]:
    return [documents.verdict(one, f"guarantee-{number}") for one in keys for number in range(guarantees)]


def test_scenarios_are_no_columns() -> None:
    found = [*verdicts(setting("graph_add")), *verdicts(setting("names-are-private", "none"), guarantees=2)]
    assert matrices.columns(found) == ["graph_add"]
    (block,) = matrices.blocks(found, place)
    assert [table.columns for table in block.tables] == [("graph_add",)]
    assert [(cell.label, cell.tally.words) for cell in block.others] == [("names-are-private", "PASS 2")]


def test_where_few_guarantees_were_asked_faults_tell_what_is_an_example() -> None:
    keys = [setting("graph_add", f"fault{number}") for number in range(8)]
    found = verdicts(*keys, setting("restarts"), guarantees=1)
    assert matrices.columns(found) == ["graph_add"]


def test_a_single_trial_has_its_column() -> None:
    assert matrices.columns(verdicts(setting("restarts"), guarantees=1)) == ["restarts"]


def test_phases_have_a_table_of_their_own() -> None:
    found = verdicts(
        setting("variable_assign"),
        setting("variable_assign", phase="saving"),
        setting("variable_assign", phase="exiting"),
    )
    (block,) = matrices.blocks(found, place)
    assert [(table.title, table.columns) for table in block.tables] == [
        ("", ("variable_assign",)),
        ("variable_assign, struck while", ("saving", "exiting")),
    ]


def test_a_cell_leads_to_the_first_of_the_worst() -> None:
    found = verdicts(setting("graph_add", "a"), setting("graph_add", "bb"))
    found += [documents.verdict(setting("graph_add", "bb"), "guarantee-0", "UNKNOWN", "why")]
    cell = matrices.by_guarantee(found, place).rows[0].cells[0]
    assert cell is not None
    assert (cell.label, cell.tally.words) == ("guarantee-0, forkserver", "UNKNOWN 1 of 3")
    assert (cell.anchor, cell.trials) == ("t-bb", (1, 2))


def test_what_was_not_asked_is_a_hole() -> None:
    found = [*verdicts(setting("a", "one")), *verdicts(setting("b", "two"))]
    (block,) = matrices.blocks(found, place)
    assert [[cell is not None for cell in row.cells] for row in block.tables[0].rows] == [[True, False], [False, True]]


def test_every_verdict_is_counted_once_in_the_blocks(make_run: MakeRun) -> None:
    run = make_run(("2.20.0", "2.21.0"))
    blocks = matrices.blocks(run.verdicts, place)
    assert [(block.kernel[:6], block.provisioner) for block in blocks] == [
        ("tf2.20", "forkserver"),
        ("tf2.20", "subprocess"),
        ("tf2.21", "forkserver"),
        ("tf2.21", "subprocess"),
    ]
    cells = [cell for block in blocks for table in block.tables for row in table.rows for cell in row.cells]
    others = [cell for block in blocks for cell in block.others]
    assert sum(cell.tally.total for cell in [*cells, *others] if cell is not None) == len(run.verdicts)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "no verdict"),
        (("PASS",), "PASS 1"),
        (("PASS", "UNKNOWN", "PASS"), "UNKNOWN 1 of 3"),
        (("FAIL", "UNKNOWN", "FAIL"), "FAIL 2 of 3"),
    ],
)
def test_tally_names_the_worst(words: tuple[parts.StateWord, ...], expected: str) -> None:
    assert VerdictCounts.of(documents.verdict(setting("a"), state=word) for word in words).words == expected
