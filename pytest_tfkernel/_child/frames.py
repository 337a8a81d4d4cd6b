"""JSON messages over a Unix socket, with descriptors beside them.

A frame is that of `multiprocessing.connection.Connection`, whose bytes are the same from Python 3.6
on. Descriptors follow a frame that announces their number in `"descriptors"`.
"""

import json
import os
from multiprocessing import reduction
from multiprocessing.connection import Connection

MAX_FRAME = 64 * 1024 * 1024


def encode(message):
    """The bytes of one message. Lone surrogates survive as escapes."""
    return json.dumps(message, allow_nan=False).encode("ascii")


class Port:
    """One end of a socket pair. It owns the socket.

    Every method raises EOFError or OSError when the other end is gone or the frame is torn.
    """

    def __init__(self, sock):
        self.socket = sock
        self._connection = Connection(os.dup(sock.fileno()))

    def send(self, message):
        self._connection.send_bytes(encode(message))

    def receive(self):
        return json.loads(self._connection.recv_bytes(MAX_FRAME).decode("ascii"))

    def receive_with_descriptors(self):
        """One message and the list of descriptors that came with it."""
        message = self.receive()
        count = message.get("descriptors", 0)
        return message, reduction.recvfds(self.socket, count) if count else []

    def close(self):
        self._connection.close()
        self.socket.close()
