"""How long things took: what counts, and that its pictures are small."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

import documents
from documents import moment
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.page import latencies, svg


@pytest.fixture(autouse=True)
def drawing() -> Iterator[None]:
    with svg.settings():
        yield


def test_plots_have_a_row_for_each_provisioner_and_kernel() -> None:
    run = documents.document(30)
    plots = latencies.plots(run, documents.document(20, "2.20.0"))
    assert [group.name for group in plots[0].groups] == ["forkserver", "forkserver, ref"]
    assert [len(group.seconds) for group in plots[0].groups] == [30, 20]
    assert 'class="half own"' in plots[0].picture
    assert 'class="median ref"' in plots[0].picture


@pytest.mark.parametrize("seconds", [(0.0,), (0.0, 5000.0), (1.0,) * 3, tuple(n / 1000 for n in range(5_000))])
def test_any_latencies_are_drawn(seconds: tuple[float, ...]) -> None:
    trials = [
        parts.Trial(setting=documents.setting(n, "tf"), seconds=1, timeline=[moment("started", one)])
        for n, one in enumerate(seconds)
    ]
    plots = latencies.plots(msgspec.structs.replace(documents.document(0), trials=trials))
    assert len(plots) == 1
    assert len(plots[0].picture) < 30_000
