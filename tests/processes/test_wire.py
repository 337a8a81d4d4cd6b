"""Frames between two ends of a socket pair."""

from __future__ import annotations

import os
import struct
from multiprocessing.connection import Connection

import pytest

from pytest_tfkernel._child import frames
from pytest_tfkernel.processes.wire import Channel, ChannelClosedError, ChannelTornError


def test_messages_go_both_ways(ends: tuple[Channel, frames.Port]) -> None:
    ours, theirs = ends
    ours.send({"kind": "ask", "text": "ä\ud800\0"})
    assert theirs.receive() == {"kind": "ask", "text": "ä\ud800\0"}
    theirs.send({"kind": "answer"})
    assert ours.receive() == {"kind": "answer"}


def test_a_frame_is_that_of_multiprocessing(ends: tuple[Channel, frames.Port]) -> None:
    ours, theirs = ends
    ours.send({"kind": "x"})
    connection = Connection(os.dup(theirs.socket.fileno()))
    assert connection.recv_bytes() == b'{"kind": "x"}'
    connection.close()


def test_descriptors_travel_along_and_stay_open_here(ends: tuple[Channel, frames.Port]) -> None:
    ours, theirs = ends
    reader, writer = os.pipe()
    ours.send({"kind": "take"}, (writer,))
    ours.send({"kind": "next"})
    message, (received,) = theirs.receive_with_descriptors()
    assert message == {"kind": "take", "descriptors": 1}
    assert theirs.receive_with_descriptors() == ({"kind": "next"}, [])
    os.write(received, b"x")
    assert os.read(reader, 1) == b"x"
    for descriptor in (reader, writer, received):
        os.close(descriptor)


def test_a_message_of_the_greatest_size_fits(ends: tuple[Channel, frames.Port]) -> None:
    ours, theirs = ends
    with pytest.raises(ValueError, match="longer than the 67108864 that fit"):
        ours.send({"kind": "x" * frames.MAX_FRAME})
    ours.send({"kind": "small"})
    assert theirs.receive() == {"kind": "small"}


def test_a_closed_end_is_told(ends: tuple[Channel, frames.Port]) -> None:
    ours, theirs = ends
    theirs.close()
    with pytest.raises(ChannelClosedError):
        ours.receive()
    with pytest.raises(ChannelClosedError):
        ours.send({"kind": "x"})


@pytest.mark.parametrize("half", [b"\0", b"\0\0\0\5he"])
def test_an_end_that_closes_within_a_frame_is_told(ends: tuple[Channel, frames.Port], half: bytes) -> None:
    ours, theirs = ends
    theirs.socket.sendall(half)
    theirs.close()
    with pytest.raises(ChannelClosedError, match="in the middle of a frame|^$"):
        ours.receive()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (struct.pack("!i", -1) + struct.pack("!Q", 1 << 60), "its length is garbage"),
        (struct.pack("!i", frames.MAX_FRAME + 1), "longer than 67108864 bytes"),
        (struct.pack("!i", 3) + b"{}}", "is not JSON"),
        (struct.pack("!i", 3) + b"NaN", "is not a message of ours"),
        (struct.pack("!i", 11) + b'{"kind": 5}', "is not a message of ours"),
        (struct.pack("!i", 0), "is not JSON"),
    ],
)
def test_what_is_no_message_is_told(ends: tuple[Channel, frames.Port], data: bytes, words: str) -> None:
    ours, theirs = ends
    theirs.socket.sendall(data)
    with pytest.raises(ChannelTornError, match=words):
        ours.receive()


def test_a_mute_pair_carries_nothing() -> None:
    channel, theirs = Channel.pair(mute=True)
    theirs.setblocking(False)
    with pytest.raises(BlockingIOError):
        theirs.send(b"x")
    theirs.close()
    assert channel.has_stayed_mute()
    channel.close()


def test_what_came_over_a_mute_pair_is_noticed() -> None:
    channel, theirs = Channel.pair(mute=True)
    os.read(channel.fileno(), 1 << 16)
    theirs.close()
    assert not channel.has_stayed_mute()
    channel.close()
