"""One at a time."""

from __future__ import annotations

import threading

import pytest

from pytest_tfkernel.model.errors import BusyError
from pytest_tfkernel.processes.turns import Turns


def test_another_thread_waits_for_its_turn() -> None:
    turns, order, began = Turns(), [], threading.Event()

    def other() -> None:
        began.set()
        with turns.next():
            order.append("other")

    thread = threading.Thread(target=other)
    with turns.next():
        thread.start()
        assert began.wait(60)
        order.append("first")
    thread.join(60)
    assert order == ["first", "other"]


def test_who_interrupts_the_one_whose_turn_it_is_gets_none() -> None:
    turns = Turns()
    with turns.next(), pytest.raises(BusyError, match="^a signal handler can't call this while"):
        turns.next()
    # And afterwards there is one.
    with turns.next():
        pass


def test_an_interruption_leaves_none_taken() -> None:
    turns = Turns()
    with pytest.raises(KeyboardInterrupt), turns.next():
        raise KeyboardInterrupt
    entered = []

    def enter() -> None:
        with turns.next():
            entered.append(1)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join(60)
    assert entered == [1]
