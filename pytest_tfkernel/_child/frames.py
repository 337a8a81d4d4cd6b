"""JSON messages over a Unix socket, with descriptors beside them.

A frame is that of `multiprocessing.connection.Connection`, whose bytes are the same from Python 3.6
on. Descriptors follow a frame that announces their number in `"descriptors"`.
"""

import json
import os
import socket
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any, Dict, List, Tuple

Message = Dict[str, Any]

MAX_FRAME = 64 * 1024 * 1024


def encode(message: Message) -> bytes:
    """The bytes of one message. Lone surrogates survive as escapes."""
    return json.dumps(message, allow_nan=False).encode("ascii")


class Port:
    """One end of a socket pair. It owns the socket.

    Every method raises EOFError or OSError when the other end is gone or the frame is torn.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._connection = Connection(os.dup(sock.fileno()))

    def send(self, message: Message) -> None:
        """Send one message. Raises ValueError, and sends nothing, when it is too long for a frame."""
        data = encode(message)
        if len(data) > MAX_FRAME:
            raise ValueError(
                "a message of %d bytes is longer than the %d that fit: pass large data through a file"
                % (len(data), MAX_FRAME)
            )
        self._connection.send_bytes(data)

    def receive(self) -> Any:
        """One message, or whatever JSON the other end sends instead. Raises ValueError when it isn't JSON."""
        return json.loads(self._connection.recv_bytes(MAX_FRAME).decode("ascii"))

    def receive_with_descriptors(self) -> Tuple[Any, List[int]]:
        """One message and the list of descriptors that came with it."""
        message = self.receive()
        count = message.get("descriptors", 0)
        return message, reduction.recvfds(self.socket, count) if count else []

    def close(self) -> None:
        """Close this end."""
        self._connection.close()
        self.socket.close()
