"""A page of a thousand records is at most 5 MB, whatever they hold."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

import documents
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.page.render import render

MakeRun = Callable[..., parts.Document]


_MOST = 5_000_000


@pytest.mark.soak
def test_two_thousand_records_are_less_than_five_megabytes() -> None:
    assert len(render(documents.document(1_000)).encode()) < _MOST


def test_each_record_takes_as_much_as_the_first() -> None:
    few, more = (len(render(documents.document(count)).encode()) for count in (20, 120))
    assert few + (1_000 - 20) * (more - few) / 100 < _MOST


# Drawing time lines takes as long as all the rest, and their size doesn't depend on texts.
@pytest.mark.parametrize("draws", [False, pytest.param(True, marks=pytest.mark.soak)], ids=["plain", "drawn"])
@pytest.mark.parametrize("text", ["<", "--a "])
def test_a_thousand_records_that_fail_with_very_long_texts_are_too(make_run: MakeRun, text: str, draws: bool) -> None:
    run = make_run(("2.20.0", "2.21.0"))
    pictures = 0
    if not draws:
        drawn = documents.document(20)
        bare = msgspec.structs.replace(
            drawn, trials=[msgspec.structs.replace(one, timeline=[]) for one in drawn.trials]
        )
        each = (len(render(drawn).encode()) - len(render(bare).encode())) / 20
        pictures = int(each * len(run.trials))
        run = msgspec.structs.replace(run, trials=[msgspec.structs.replace(one, timeline=[]) for one in run.trials])
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
    assert len(render(msgspec.structs.replace(run, verdicts=verdicts, trials=trials)).encode()) + pictures < _MOST
