"""Settings and verdicts."""

from __future__ import annotations

import pytest

from pytest_tfkernel.model.defects import Defect
from pytest_tfkernel.model.trials import AS_TOLD, Setting, State, Verdict


def test_a_setting_is_called_by_its_parts() -> None:
    assert str(Setting("forkserver", "graph_add", "sigkill")) == "forkserver-graph_add-sigkill-idle"


@pytest.mark.parametrize(
    ("kernel", "labelled", "name"),
    [("tf2.21", True, "tf2.21/a-b-c-idle"), ("tf2.21", False, "a-b-c-idle"), (None, True, "a-b-c-idle")],
)
def test_among_several_kernels_that_of_its_own_is_named(kernel: str | None, labelled: bool, name: str) -> None:
    assert Setting("a", "b", "c", kernel=kernel).named(labelled=labelled) == name


def test_a_verdict_is_said_with_what_it_was_looked_at_with() -> None:
    assert (Verdict.passed("why", "given").said, Verdict.passed("why").said, Verdict.passed().said) == (
        "why; given",
        "why",
        "",
    )
    assert [Verdict.passed().state, Verdict.failed("").state, Verdict.unknown("").state] == [
        State.PASS,
        State.FAIL,
        State.UNKNOWN,
    ]


def test_a_verdict_says_which_defect_was_seen_or_is_mended() -> None:
    always = Defect("deaf", "it is deaf", table="ours", always=True)
    known = Verdict(State.KNOWN, "not heard", "given", always)
    assert (known.said, known.is_mended) == ("not heard; given; known: it is deaf", False)
    mended = Verdict(State.PASS, "heard", defect=always)
    assert mended.is_mended
    assert mended.said == "heard; mended: deaf is listed as always seen, and wasn't: update the table (ours)"


def test_what_is_known_has_shown_something() -> None:
    assert AS_TOLD == (State.PASS, State.KNOWN)
