"""JSON messages over a Unix socket, with descriptors beside them.

A frame is that of `multiprocessing.connection.Connection`: its length in four bytes, the highest first, and its bytes.
Descriptors follow a frame that announces their number in `"descriptors"`, with one more byte.

Whoever is interrupted in the middle, by an exception of a signal handler, leaves the port usable: what has come is
kept, and a frame that has begun to go out is finished. So each call that moves bytes leaves its count in a deque, by
one call of C code: Python runs no handler between the two.
"""

import _socket  # what tests and gevent put in the place of `socket` is none of our channels
import _thread
import array
import collections
import errno
import json
import posix
import select
from typing import Any, Deque, Dict, List, Optional, Sequence, Tuple

from . import originals

Message = Dict[str, Any]

MAX_FRAME = 64 * 1024 * 1024
_HEADER = 4
# SCM_MAX_FD of Linux.
_MAX_DESCRIPTORS = 253
# More counts than these are added up: a frame may come byte by byte.
_MANY = 64
# To finish a frame when its sender was interrupted.
_FINISH_SECONDS = 1.0

_encode = json.JSONEncoder(allow_nan=False).encode
_decode = json.JSONDecoder().decode


class TornError(OSError):
    """What comes is no frame, or stopped half way; the text says how."""


class LateError(OSError):
    """No whole frame has come in time; what has come is kept."""


def encode(message: Message) -> bytes:
    """The bytes of one message. Lone surrogates survive as escapes."""
    return _encode(message).encode("ascii")


class _Incoming:
    """A header or a body, and how much of it has come."""

    def __init__(self, size: int, *, is_body: bool) -> None:
        self.data = bytearray(size)
        self.is_body = is_body
        self.counts: Deque[int] = collections.deque()


class _Outgoing:
    """A frame and its descriptors, and how much of it has gone; the last byte carries the descriptors."""

    def __init__(self, data: bytes, descriptors: Sequence[int]) -> None:
        self.data = data
        self.descriptors = descriptors
        self.size = len(data) + bool(descriptors)
        self.counts: Deque[int] = collections.deque()


class Port:
    """One end of a socket pair. It owns the socket, and waits whether that blocks or not.

    A peer that stops within a frame for `stall` seconds has torn it; None waits for ever. Methods that receive raise
    EOFError or OSError when the other end is gone or the frame is torn, and those that send OSError.
    """

    def __init__(self, sock: Any, stall: Optional[float] = None) -> None:
        """Take over a socket object of any class, or a descriptor."""
        descriptor = sock if isinstance(sock, int) else sock.detach()
        self.socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, descriptor)
        # `socket.setdefaulttimeout`, of us or of whoever made it, takes that away.
        self.socket.setblocking(True)
        self._stall = stall
        self._incoming = _Incoming(_HEADER, is_body=False)
        self._passed: Deque[Any] = collections.deque()
        self._outgoing: Optional[_Outgoing] = None
        self._lock = _thread.RLock()

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Send one message, and descriptors after it; they stay open here.

        Raises ValueError, and sends nothing, when it is too long for a frame.
        """
        data = encode(dict(message, descriptors=len(descriptors)) if descriptors else message)
        if len(data) > MAX_FRAME:
            raise ValueError(
                "a message of %d bytes is longer than the %d that fit: pass large data through a file"
                % (len(data), MAX_FRAME)
            )
        # Threads of a cell may send as well.
        with self._lock:
            earlier = self._outgoing
            if earlier is not None and 0 < sum(earlier.counts) < earlier.size:
                raise TornError("an earlier message could not be sent to its end")
            outgoing = self._outgoing = _Outgoing(len(data).to_bytes(_HEADER, "big") + data, descriptors)
            try:
                self._flush(outgoing, self._stall)
            except OSError:
                raise
            except BaseException:
                if outgoing.counts:
                    self._flush(outgoing, _FINISH_SECONDS)
                raise

    def receive(self, seconds: Optional[float] = None) -> Any:
        """One message, or whatever JSON the other end sends instead. Raises ValueError when it isn't JSON."""
        data = self._peek(seconds)
        self.drop()
        return _decode(data.decode("ascii"))

    def receive_with_descriptors(self, seconds: Optional[float] = None) -> Tuple[Any, List[int]]:
        """One message and the list of descriptors that came with it."""
        message, descriptors = self.peek_with_descriptors(seconds)
        self.drop()
        return message, descriptors

    def peek_with_descriptors(self, seconds: Optional[float] = None) -> Tuple[Any, List[int]]:
        """As `receive_with_descriptors`, but it is the next one still until `drop` is called."""
        message = _decode(self._peek(seconds).decode("ascii"))
        count = message.get("descriptors", 0) if isinstance(message, dict) else 0
        if not isinstance(count, int) or not 0 <= count <= _MAX_DESCRIPTORS:
            raise TornError("descriptors that can't come were announced")
        return message, self._descriptors(count, seconds) if count else []

    def peek(self, seconds: Optional[float] = None) -> Any:
        """As `receive`, but it is the next one still until `drop` is called."""
        return _decode(self._peek(seconds).decode("ascii"))

    def holds_whole(self) -> bool:
        """Whether a message has come to its end, though nobody has taken it: poll(2) doesn't know of that one."""
        return self._incoming.is_body and sum(self._incoming.counts) == len(self._incoming.data)

    def drop(self) -> None:
        """Done with the message that was looked at."""
        self._passed.clear()
        self._incoming = _Incoming(_HEADER, is_body=False)

    def close(self) -> None:
        """Close this end."""
        try:
            self.socket.close()
        except OSError as error:
            # Somebody has closed a descriptor that wasn't his.
            if error.errno != errno.EBADF:
                raise

    def _peek(self, seconds: Optional[float]) -> bytes:
        deadline = None if seconds is None else originals.monotonic() + seconds
        while True:
            incoming = self._incoming
            self._fill(incoming, deadline)
            if incoming.is_body:
                return bytes(incoming.data)
            size = int.from_bytes(incoming.data, "big", signed=True)
            if not 0 <= size <= MAX_FRAME:
                raise TornError("a frame is longer than %d bytes, or its length is garbage" % MAX_FRAME)
            self._incoming = _Incoming(size, is_body=True)

    def _fill(self, incoming: _Incoming, deadline: Optional[float]) -> None:
        moved = originals.monotonic()
        flags = 0 if deadline is None and self._stall is None else _socket.MSG_DONTWAIT
        while True:
            filled = sum(incoming.counts)
            if filled == len(incoming.data):
                return
            if incoming.counts and not incoming.counts[-1]:
                raise EOFError("the other end closed in the middle of a frame" if filled or incoming.is_body else "")
            if len(incoming.counts) > _MANY:
                incoming.counts = collections.deque([filled])
            rest = memoryview(incoming.data)[filled:]
            try:
                incoming.counts.extend(map(self.socket.recv_into, (rest,), (0,), (flags,)))
                moved = originals.monotonic()
            except BlockingIOError:
                # Before its first byte it is none that has stopped.
                stall = self._stall if filled or incoming.is_body else None
                self._wait(select.POLLIN, moved, deadline, stall, "a frame stopped half way for %g s")
                continue
            if deadline is not None and moved > deadline and sum(incoming.counts) < len(incoming.data):
                raise LateError("a frame was not complete in time")

    def _descriptors(self, count: int, seconds: Optional[float]) -> List[int]:
        moved = originals.monotonic()
        deadline = None if seconds is None else moved + seconds
        space = _socket.CMSG_SPACE(count * array.array("i").itemsize)
        flags = _socket.MSG_CMSG_CLOEXEC
        flags |= 0 if deadline is None and self._stall is None else _socket.MSG_DONTWAIT
        while not self._passed:
            try:
                self._passed.extend(map(self.socket.recvmsg, (1,), (space,), (flags,)))
            except BlockingIOError:
                words = "descriptors that were announced did not come for %g s"
                self._wait(select.POLLIN, moved, deadline, self._stall, words)
        found = array.array("i")
        for level, kind, data in self._passed[0][1]:
            if (level, kind) == (_socket.SOL_SOCKET, _socket.SCM_RIGHTS):
                found.frombytes(data[: len(data) - len(data) % found.itemsize])
        if len(found) != count:
            for descriptor in found:
                posix.close(descriptor)
            self._passed.clear()
            raise TornError("descriptors that were announced did not come: is there room for them (`ulimit -n`)?")
        return list(found)

    def _flush(self, outgoing: _Outgoing, stall: Optional[float]) -> None:
        flags = _socket.MSG_NOSIGNAL | (0 if stall is None else _socket.MSG_DONTWAIT)
        moved = originals.monotonic()
        while True:
            gone = sum(outgoing.counts)
            if gone == outgoing.size:
                return
            if len(outgoing.counts) > _MANY:
                outgoing.counts = collections.deque([gone])
            try:
                if gone < len(outgoing.data):
                    rest = memoryview(outgoing.data)[gone:]
                    outgoing.counts.extend(map(self.socket.send, (rest,), (flags,)))
                else:
                    count = bytes([len(outgoing.descriptors) % 256])
                    rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", outgoing.descriptors))
                    outgoing.counts.extend(map(self.socket.sendmsg, ([count],), ([rights],), (flags,)))
                moved = originals.monotonic()
            except BlockingIOError:
                self._wait(select.POLLOUT, moved, None, stall, "it took no input for %g s")

    def _wait(self, event: int, moved: float, deadline: Optional[float], stall: Optional[float], words: str) -> None:
        """Until something can move; raises when nothing has for too long."""
        if deadline is None and stall is None:
            # Somebody has made it one that doesn't block. There may be no poll(2): it counts against RLIMIT_NOFILE.
            self.socket.setblocking(True)
            return
        now = originals.monotonic()
        if deadline is not None and now >= deadline:
            raise LateError("no complete frame came in time")
        if stall is not None and now >= moved + stall:
            raise TornError(words % stall)
        ends = [end for end in (deadline, None if stall is None else moved + stall) if end is not None]
        poll = originals.poll()
        poll.register(self.socket.fileno(), event)
        # In whole milliseconds: not a little too early, and so again and again.
        poll.poll((min(ends) - now) * 1000 + 1 if ends else None)
