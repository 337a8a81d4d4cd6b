"""Signals that we sent to one process, and which of them can't have ended it."""

from __future__ import annotations

import collections
from collections.abc import Collection

from pytest_tfkernel._child import proc
from pytest_tfkernel.model.processes import ProcessId


class Sent:
    """What was sent before a request that the process has answered, it has outlived, unless it still holds it back."""

    def __init__(self, process: ProcessId) -> None:
        self._process = process
        self._numbers: list[int] = []
        self._outlived: collections.Counter[int] = collections.Counter()
        # How many had been sent when the latest request was.
        self._request: tuple[int, int] = (0, 0)

    def note(self, number: int) -> None:
        """One was sent."""
        self._numbers.append(int(number))

    def ask(self, request: int) -> None:
        """A request goes out."""
        self._request = (request, len(self._numbers))

    def hear(self, answer: object) -> None:
        """A message with this number has come."""
        request, before = self._request
        if answer != request or not before:
            return
        stat = proc.read_stat(self._process.pid)
        if stat is None or stat.start_time != self._process.start_time:
            return
        earlier = self._numbers[:before]
        held = [number for number in earlier if stat.blocks(number)]
        self._outlived.update(number for number in earlier if number not in held)
        self._numbers[:before] = held
        self._request = (request, len(held))

    def deadly(self, told: Collection[int]) -> list[int]:
        """Of the signals that a death tells of, those that may have caused it."""
        found = collections.Counter(told)
        found.subtract(self._outlived)
        return list((+found).elements())
