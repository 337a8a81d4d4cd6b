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


def test_latency_is_that_of_the_first_moments() -> None:
    timeline = [
        moment("started", 2),
        moment("fault", 3),
        moment("death", 3.5),
        moment("noticed", 3.6),
        moment("restarted", 5),
        moment("death", 9),
    ]
    found = {one.title: latencies.seconds_of(timeline, one) for one in latencies.LATENCIES}
    assert {title: seconds and round(seconds, 3) for title, seconds in found.items()} == {
        "First kernel: from request to start": 2,
        "From the fault until the process is dead": 0.5,
        "From the death until it is noticed": 0.1,
        "From then until nothing is left": None,
        "Restart: from request to start": 1.4,
        "From the restart until the session is rebuilt": None,
    }


def test_clock_that_went_back_is_no_latency() -> None:
    timeline = [moment("fault", 3), moment("death", 2)]
    assert latencies.seconds_of(timeline, latencies.LATENCIES[1]) is None


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
