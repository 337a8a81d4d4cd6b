"""What is still to be told waits for a client that doesn't read."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from pytest_tfkernel._child import frames
from pytest_tfkernel._child.outbox import Outbox

LARGE = {"text": "x" * (1 << 20)}


@pytest.fixture
def ends() -> Iterator[tuple[Outbox, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield Outbox(ours), theirs
    ours.close()
    theirs.close()


def test_a_message_goes_out_at_once(ends: tuple[Outbox, socket.socket]) -> None:
    outbox, theirs = ends
    outbox.put({"a": 1})
    assert outbox.is_empty
    port = frames.Port(os.dup(theirs.fileno()))
    assert port.receive() == {"a": 1}
    port.close()


def test_what_does_not_fit_waits_and_stays_in_order(ends: tuple[Outbox, socket.socket]) -> None:
    outbox, theirs = ends
    outbox.put(LARGE)
    outbox.put({"last": 1})
    assert not outbox.is_empty
    data = bytearray()
    while not outbox.is_empty:
        data += theirs.recv(1 << 16)
        outbox.flush()
    theirs.setblocking(False)
    try:
        while True:
            data += theirs.recv(1 << 16)
    except BlockingIOError:
        pass
    expected = [frames.encode(one) for one in (LARGE, {"last": 1})]
    assert bytes(data) == b"".join(len(one).to_bytes(4, "big") + one for one in expected)


def test_nobody_at_the_other_end_ends_it(ends: tuple[Outbox, socket.socket]) -> None:
    outbox, theirs = ends
    outbox.put(LARGE)
    theirs.close()
    outbox.flush()
    assert outbox.is_empty
    # And no signal ends us.
    outbox.put({"a": 1})
    assert outbox.is_empty
