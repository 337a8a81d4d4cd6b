"""How long a step of a trial took."""

from __future__ import annotations

from documents import moment
from pytest_tfkernel.report import latencies


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
