"""Which threads of pytest's process are in the way of its end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pytest_tfkernel.gate import threads
from pytest_tfkernel.gate.threads import Threads, in_the_way
from pytest_tfkernel.model.resources import Kind


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Held until the test ends."""
    gate = threading.Event()
    yield gate
    gate.set()


def begin(gate: threading.Event, *, daemon: bool = False) -> threading.Thread:
    thread = threading.Thread(target=gate.wait, name="mine", daemon=daemon)
    thread.start()
    return thread


def test_newcomers_are_told_once(gate: threading.Event) -> None:
    begin(gate)
    seen = Threads()
    thread = begin(gate)
    assert seen.newcomers() == [thread]
    assert seen.newcomers() == []


def test_one_that_is_no_daemon_is_until_it_ends(gate: threading.Event) -> None:
    thread = begin(gate)
    found = in_the_way(thread)
    assert found is not None
    assert (found.kind, found.name) == (Kind.THREAD, "mine")
    gate.set()
    thread.join()
    assert in_the_way(thread) is None


def test_a_daemon_is_not(gate: threading.Event) -> None:
    assert in_the_way(begin(gate, daemon=True)) is None


def test_one_that_the_system_does_not_know_is_not(gate: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    # A greenlet of gevent, say, which ends with the process.
    thread = begin(gate)
    monkeypatch.setattr(threads._Kept, "frames", dict)
    assert in_the_way(thread) is None
