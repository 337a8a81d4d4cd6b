"""Our end of a socket pair: frames with deadlines, and errors that say what was wrong with them."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Any

from pytest_tfkernel._child import frames

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

Message = dict[str, Any]

# A frame that has begun must go on: a peer that stops within one for this long has torn it.
_FRAME_SECONDS = 10


class ChannelClosedError(Exception):
    """The other end is gone."""


class ChannelTornError(Exception):
    """What came is not a frame of ours; the text says how."""


class Channel:
    """One end of a socket pair. Blocking; waiting for the first byte is the caller's affair."""

    def __init__(self, sock: socket.socket) -> None:
        timeout = struct.pack("ll", _FRAME_SECONDS, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeout)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeout)
        self._port = frames.Port(sock)
        self._filling = 0

    @classmethod
    def pair(cls, *, mute: bool = False) -> tuple[Channel, socket.socket]:
        """Our end, and the other one as a socket to hand over.

        The other end of a `mute` pair can't send: what it says first waits until we read, and we don't.
        """
        ours, theirs = socket.socketpair()
        channel = cls(ours)
        if mute:
            channel._filling = _fill(theirs)
        return channel, theirs

    @classmethod
    def adopt(cls, descriptor: int) -> Channel:
        """Our end of a pair that another process has made."""
        return cls(socket.socket(fileno=descriptor))

    def has_stayed_mute(self) -> bool:
        """Whether nothing was sent at the other end, now closed, of a mute pair."""
        return len(b"".join(iter(lambda: self._port.socket.recv(1 << 16), b""))) == self._filling

    def fileno(self) -> int:
        """For poll(2)."""
        return self._port.socket.fileno()

    def send(self, message: Message, descriptors: tuple[int, ...] = ()) -> None:
        """Send one message, and descriptors after it; they stay open here."""
        if descriptors:
            message = {**message, "descriptors": len(descriptors)}
        try:
            self._port.send(message)
            if descriptors:
                socket.send_fds(self._port.socket, [bytes([len(descriptors) % 256])], descriptors)
        except BlockingIOError as error:
            raise ChannelTornError(f"it took no input for {_FRAME_SECONDS} s") from error
        except OSError as error:
            raise ChannelClosedError(str(error)) from error

    def receive(self) -> Message:
        """Receive one message, whose first byte has arrived."""
        try:
            message = self._port.receive()
        except (EOFError, ConnectionError) as error:
            raise ChannelClosedError(str(error)) from error
        except BlockingIOError as error:
            raise ChannelTornError(f"a frame stopped half way for {_FRAME_SECONDS} s") from error
        except OSError as error:
            raise _torn_or_closed(error) from error
        except (ValueError, RecursionError) as error:
            raise ChannelTornError(f"a frame is not JSON ({error})") from error
        if not isinstance(message, dict) or not isinstance(message.get("kind"), str):
            raise ChannelTornError("a frame is not a message of ours")
        return message

    def receive_with_descriptors(self) -> tuple[Message, list[int]]:
        """Receive one message, and the descriptors that came with it."""
        message = self.receive()
        count = message.get("descriptors", 0)
        if not count:
            return message, []
        try:
            return message, socket.recv_fds(self._port.socket, 1, count)[1]
        except OSError as error:
            raise ChannelTornError(f"descriptors that were announced did not come: {error}") from error

    def close(self) -> None:
        """Close our end."""
        self._port.close()


def _fill(sock: socket.socket) -> int:
    """Send until nothing more fits; how many bytes did."""
    sent = 0
    for size in (1 << 16, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                sent += sock.send(bytes(size), socket.MSG_DONTWAIT)
    return sent


def _torn_or_closed(error: OSError) -> Exception:
    # multiprocessing.connection raises a bare OSError with these texts, and no errno.
    text = str(error)
    if "bad message length" in text:
        return ChannelTornError(f"a frame is longer than {frames.MAX_FRAME} bytes, or its length is garbage")
    if "got end of file during message" in text:
        return ChannelClosedError("the other end closed within a frame")
    return ChannelClosedError(text)
