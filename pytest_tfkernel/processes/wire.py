"""Our end of a socket pair: frames with deadlines, and errors that say what was wrong with them."""

from __future__ import annotations

import _socket  # what tests and gevent put in the place of `socket` is none of our channels
import contextlib
from typing import Any

from pytest_tfkernel._child import frames
from pytest_tfkernel.processes.descriptors import Owned
from pytest_tfkernel.processes.waits import hung_up, readable

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

Message = dict[str, Any]

# A frame that has begun must go on: a peer that stops within one for this long has torn it.
_FRAME_SECONDS = 10
_NOT_OURS = "its descriptor in this process was closed by other code: a test must not close what it did not open"


class ChannelClosedError(Exception):
    """The other end is gone."""


class ChannelTornError(Exception):
    """What came is not a frame of ours; the text says how."""


class ChannelLateError(Exception):
    """No whole frame came in time; what came of one is kept."""


class Channel:
    """One end of a socket pair. It blocks for as long as it is told, whatever a socket in this process does by itself.

    An exception that interrupts a method leaves it usable: a message goes out wholly or not at all, and what has come
    of one is kept.
    """

    def __init__(self, sock: _socket.socket | int) -> None:
        self._port = frames.Port(sock, stall=_FRAME_SECONDS)
        self.owned = Owned.take(self._port.socket.fileno())
        self._filling = 0

    @classmethod
    def pair(cls, *, mute: bool = False) -> tuple[Channel, _socket.socket]:
        """Our end, and the other one as a socket to hand over.

        The other end of a `mute` pair can't send: what it says first waits until we read, and we don't.
        """
        ours, theirs = _socket.socketpair()
        try:
            channel = cls(ours)
        except BaseException:
            ours.close()
            theirs.close()
            raise
        # For whoever gets it: `socket.setdefaulttimeout` of this process is none of theirs.
        theirs.setblocking(True)  # noqa: FBT003 - it takes no name
        if mute:
            channel._filling = _fill(theirs)
        return channel, theirs

    def has_stayed_mute(self) -> bool:
        """Whether nothing was sent at the other end, now closed, of a mute pair."""
        return len(b"".join(iter(lambda: self._port.socket.recv(1 << 16), b""))) == self._filling

    def is_ours(self) -> bool:
        """Whether nobody else has closed our end."""
        return self.owned.is_ours()

    def is_closed(self) -> bool:
        """Whether the other end is closed; what it sent before may still be there."""
        return hung_up(self.owned.number)

    def fileno(self) -> int:
        """For poll(2), which doesn't know of a message whose receiver was interrupted: see `has_news`."""
        return self.owned.number

    def has_news(self, seconds: float) -> bool:
        """Whether a message comes, or the end, within `seconds`; at once when that is not above 0."""
        return self._port.holds_whole() or readable(seconds, self.owned.number)

    def send(self, message: Message, descriptors: tuple[int, ...] = ()) -> None:
        """Send one message, and descriptors after it; they stay open here."""
        self._check()
        try:
            self._port.send(message, descriptors)
        except frames.TornError as error:
            raise ChannelTornError(str(error)) from error
        except OSError as error:
            raise ChannelClosedError(str(error)) from error

    def receive(self, seconds: float = _FRAME_SECONDS) -> Message:
        """Receive one message. Raises ChannelLateError when its end has not come within `seconds`."""
        message, _ = self._peek(seconds, with_descriptors=False)
        self._port.drop()
        return message

    def receive_with_descriptors(self, seconds: float = _FRAME_SECONDS) -> tuple[Message, list[int]]:
        """As `receive`, with the descriptors that came with the message."""
        message, descriptors = self._peek(seconds, with_descriptors=True)
        self._port.drop()
        return message, descriptors

    def peek(self, seconds: float = _FRAME_SECONDS) -> Message:
        """As `receive`, but the message is the next one still until `drop` is called."""
        return self._peek(seconds, with_descriptors=False)[0]

    def drop(self) -> None:
        """Done with the message that was looked at."""
        self._port.drop()

    def close(self) -> None:
        """Close our end."""
        if self.owned.is_ours():
            self._port.close()
        else:
            self._port.socket.detach()

    def _peek(self, seconds: float, *, with_descriptors: bool) -> tuple[Message, list[int]]:
        self._check()
        try:
            found = self._port.peek_with_descriptors(seconds) if with_descriptors else (self._port.peek(seconds), [])
        except frames.TornError as error:
            raise ChannelTornError(str(error)) from error
        except frames.LateError as error:
            raise ChannelLateError(str(error)) from error
        except (EOFError, OSError) as error:
            raise ChannelClosedError(str(error)) from error
        except (ValueError, RecursionError) as error:
            raise ChannelTornError(f"a frame is not JSON ({error})") from error
        if not isinstance(found[0], dict) or not isinstance(found[0].get("kind"), str):
            raise ChannelTornError("a frame is not a message of ours")
        return found

    def _check(self) -> None:
        # Another file may stand there by now.
        if not self.owned.is_ours():
            raise ChannelClosedError(_NOT_OURS)


def _fill(sock: _socket.socket) -> int:
    """Send until nothing more fits; how many bytes did."""
    sent = 0
    for size in (1 << 16, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                sent += sock.send(bytes(size), _socket.MSG_DONTWAIT)
    return sent
