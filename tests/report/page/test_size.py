"""A page of a thousand records is at most 5 MB, whatever they hold."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

import documents
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.page.render import render

MakeRun = Callable[..., parts.Document]


def test_two_thousand_records_are_less_than_five_megabytes() -> None:
    assert len(render(documents.document(1_000)).encode()) < 5_000_000


@pytest.mark.parametrize("text", ["<", "--a "])
def test_a_thousand_records_that_fail_with_very_long_texts_are_too(make_run: MakeRun, text: str) -> None:
    run = make_run(("2.20.0", "2.21.0"))
    verdicts = [msgspec.structs.replace(one, verdict="FAIL", reason=text * 20_000) for one in run.verdicts]
    long = f"& {text} out of memory\n" * 2_000
    trials = [
        msgspec.structs.replace(
            one, error_message=long, facts={"seen": long}, leaks=[documents.leak("process", long, long)] * 100
        )
        for one in run.trials
    ]
    trials = [
        one if one.death is None else msgspec.structs.replace(one, death=parts.Death(code=1, report=long))
        for one in trials
    ]
    assert len(verdicts) > 1_000
    assert len(render(msgspec.structs.replace(run, verdicts=verdicts, trials=trials)).encode()) < 5_000_000
