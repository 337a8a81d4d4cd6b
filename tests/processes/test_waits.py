"""Waiting for descriptors."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from pytest_tfkernel._child import originals
from pytest_tfkernel.processes import waits


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    yield one, other
    one.close()
    other.close()


def test_those_that_can_be_read_from_are_told(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    assert waits.ready(0, one.fileno(), other.fileno()) == set()
    one.send(b"x")
    assert waits.ready(60, one.fileno(), other.fileno()) == {other.fileno()}
    assert (waits.readable(60, other.fileno()), waits.readable(0, one.fileno())) == (True, False)


@pytest.mark.parametrize("seconds", [0, -1, -0.001])
def test_without_time_it_looks_once(pair: tuple[socket.socket, socket.socket], seconds: float) -> None:
    # poll(2) takes what is below 0 for ever.
    assert waits.ready(seconds, pair[0].fileno()) == set()


def test_an_end_can_be_read_and_is_a_hangup(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    one.send(b"x")
    assert not waits.hung_up(other.fileno())
    one.close()
    # What it sent before is there still.
    assert waits.hung_up(other.fileno())
    assert waits.readable(0, other.fileno())
    assert other.recv(2) == b"x"


def test_a_descriptor_that_is_closed_is_told_and_not_waited_for() -> None:
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.close(end)
    assert waits.ready(60, reader) == {reader}


def test_the_clock_is_the_one_that_nobody_replaces() -> None:
    assert waits.monotonic is originals.monotonic
