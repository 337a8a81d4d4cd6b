"""In which settings a guarantee is asked."""

from __future__ import annotations

import pytest

from pytest_tfkernel.model.trials import NO_FAULT, Setting
from pytest_tfkernel.suite.guarantees import applicability

CALM = Setting("forkserver", "graph_add", NO_FAULT)
KILLED = Setting("forkserver", "graph_add", "sigkill")
RAISED = Setting("forkserver", "graph_add", "index-error")
SCRIPT = Setting("forkserver", "graph_add", "index-error-script")
# No example's.
OTHER = Setting("forkserver", "other", NO_FAULT)
STRUCK = Setting("forkserver", "other", "sigkill")
ENDED = Setting("subprocess", "other", "runner-death")
ALL = (CALM, KILLED, RAISED, SCRIPT, OTHER, STRUCK, ENDED)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("has_example", (CALM, KILLED, RAISED, SCRIPT)),
        ("is_without_fault", (CALM,)),
        ("is_survived", (RAISED,)),
        ("is_deadly", (KILLED, SCRIPT)),
        ("is_script_error", (SCRIPT,)),
    ],
)
def test_it_is_asked_there_and_nowhere_else(name: str, asked: tuple[Setting, ...]) -> None:
    applies = getattr(applicability, name)
    assert tuple(one for one in ALL if applies(one)) == asked


@pytest.mark.parametrize(("example", "asked"), [("graph_add", (KILLED, SCRIPT)), ("other", ())])
def test_a_death_is_one_of_an_example(example: str, asked: tuple[Setting, ...]) -> None:
    applies = applicability.is_deadly_to(example)
    assert tuple(one for one in ALL if applies(one)) == asked


def test_an_example_is_told_by_its_name() -> None:
    applies = applicability.has_example_of("other")
    assert tuple(one for one in ALL if applies(one)) == (OTHER, STRUCK, ENDED)
