"""What was written to a file that its writers may empty again, counted from the first byte ever written.

`echo > /dev/stdout` in a kernel truncates the file that is its stdout. What was written before is lost then; that it
was there is told by three signs: the file is smaller than before, its first bytes are others, or those that share our
open file have written beyond its end.
"""

from __future__ import annotations

# At the beginning of each of our files; nobody else begins with it.
HEAD = b"\0\x01tfk\x01\0\n"


class Extent:
    """Where what was written lies in the file. Places are counted from the first byte ever written.

    `head` are the first bytes of the file, at most 8.
    """

    def __init__(self, head: bytes) -> None:
        self._head = head
        # The first byte of it in the file, and how many were lost before that one.
        self._begin = len(HEAD) if head == HEAD else 0
        self._lost = 0
        # As they were at the last look.
        self._size, self._position = self._begin, self._begin
        self.end = 0

    def look(self, size: int, position: int, head: bytes) -> bool:
        """Note how things are; True when what was written before is lost.

        `position` is that of the open file that its writers share with us: it is where the last of them stopped.
        """
        has_overshot = position > size and position != self._position
        is_lost = size < self._size or has_overshot or not head.startswith(self._head)
        if is_lost:
            # How much was written between the last look and the loss isn't known where more was written after it.
            known = position if has_overshot else self._size
            unknown = 0 if has_overshot or position == self._position else 1
            self._lost += max(known, self._size) - self._begin + unknown
            self._begin = 0
        self._head = head
        self._size, self._position = size, position
        self.end = self._lost + size - self._begin
        return is_lost

    def offset(self, place: int) -> int:
        """Where in the file a place is; that of the first byte if it is lost."""
        return max(0, place - self._lost) + self._begin

    def place(self, offset: int) -> int:
        """Which place an offset in the file is; the first one for what lies before that."""
        return self._lost + max(0, offset - self._begin)
