"""Signals that end a job stop what runs as Ctrl-C does, and only then."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from pytest_tfkernel.processes.stopping import stopped_by_signals


@pytest.fixture(params=[signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
def number(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    before = signal.getsignal(request.param)
    yield request.param
    signal.signal(request.param, before)


def _handler(number: int, _: object) -> None:
    """Of somebody else."""


def test_it_is_an_interrupt_and_the_handler_of_before_is_back(number: signal.Signals) -> None:
    signal.signal(number, _handler)
    with pytest.raises(KeyboardInterrupt), stopped_by_signals():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is _handler


def test_what_was_ignored_stays_so(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_IGN)
    with stopped_by_signals():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is signal.SIG_IGN
