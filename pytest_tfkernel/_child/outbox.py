"""What is still to be told: a client that doesn't read must not stop us."""

import _socket
import socket

from . import frames
from .frames import Message


class Outbox:
    """Messages that go out as the socket takes them."""

    def __init__(self, sock: _socket.socket) -> None:
        self._socket = sock
        self._bytes = bytearray()

    @property
    def is_empty(self) -> bool:
        """Whether everything has gone out."""
        return not self._bytes

    def put(self, message: Message) -> None:
        """Queue a message, and send what can be sent."""
        data = frames.encode(message)
        self._bytes += len(data).to_bytes(4, "big") + data
        self.flush()

    def flush(self) -> None:
        """Send what can be sent now."""
        try:
            while self._bytes:
                sent = self._socket.send(self._bytes, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
                del self._bytes[:sent]
        except BlockingIOError:
            return
        except OSError:
            self._bytes.clear()  # nobody is there; the next read says so
