"""Collecting again without the files that make a fork unsafe, so that the processes of all others are forked.

Which these are shows when they are collected. So before each file that may be one of them the process that collects is
forked: if it is one, that process is ended, and its fork goes on without the file.
"""

from __future__ import annotations

import collections
import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from pytest_tfkernel.plugin.isolation.forks import CannotBeginError, Forker
from pytest_tfkernel.plugin.isolation.peers import DiedError, Peer
from pytest_tfkernel.processes.wire import Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

COLLECTED = ("collected", "usage", "finished")
# Each of them is imported for nothing here, and once more in a process of its own.
_MOST, _MOST_OF = 3, 3
_MANY = "with so many files before it no fork would have been safe that with it none was tried"
_OTHERS = "other tests of it are collected where some files are left out"


class Unsafe:
    """The files and folders that make a fork unsafe, and why."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    def add(self, path: str, reason: str) -> None:
        """One more."""
        self._reasons.setdefault(path, reason)

    def why(self, path: str) -> str | None:
        """Why the process of a file isn't forked from one that has collected the others; None where it is."""
        return next((reason for one, reason in self._reasons.items() if _is_in(path, one)), None)

    @property
    def paths(self) -> list[str]:
        """All of them."""
        return list(self._reasons)


@dataclass(frozen=True)
class Gathered:
    """What it was like to collect all: the tests, how many files, those that did no harm, and those that end it."""

    tests: Sequence[Message]
    files: int
    harmless: Collection[str]
    without: Sequence[str]


class Sifter:
    """Makes a process that has collected what is not in `unsafe`, to which it adds what it finds.

    `begin` makes one that is about to collect.
    """

    def __init__(self, forks: Forker, begin: Callable[[], Peer], gathered: Gathered, unsafe: Unsafe) -> None:
        self._forks = forks
        self._begin = begin
        self._ids = _by_path(gathered.tests)
        self._unsafe = unsafe
        self._known = sorted(gathered.harmless)
        self._without = list(gathered.without)
        self._most = max(_MOST, gathered.files // _MOST_OF)
        # What the gate has seen while they were collected.
        self.left: Message | None = None
        self._peer: Peer | None = None
        # Stands before the file that was asked about last.
        self._spare: Peer | None = None
        self._asked = ""

    def sift(self) -> Peer | None:
        """That process; None where there is no use for it, or none can be forked safely."""
        for asks in (True, False):
            found = len(self._unsafe.paths)
            if all(map(self._unsafe.why, self._ids)):
                return None
            peer = self._collect(asks=asks)
            if peer is not None or len(self._unsafe.paths) == found:
                return peer
        return None

    def _collect(self, *, asks: bool) -> Peer | None:
        try:
            self._peer = self._begin()
            without = [*self._without, *self._unsafe.paths]
            how = {"again": True, "asks": asks, "known": self._known}
            self._peer.send({"kind": "collect", "only": None, "without": without, **how})
            last = self._listen(self._peer)
            if last["kind"] != "collected" or last["unsafe"] is not None:
                return None
            self._compare(last["items"])
            if all(map(self._unsafe.why, self._ids)):
                return None
            peer, self._peer, self.left = self._peer, None, last["left"]
        except (CannotBeginError, DiedError):
            return None
        else:
            return peer
        finally:
            for one in (self._peer, self._spare):
                if one is not None:
                    one.bury()
            self._peer = self._spare = None

    def _listen(self, peer: Peer) -> Message:
        """The last thing that is told, by whoever is left then. Raises CannotBeginError, DiedError."""
        stream = peer.told(COLLECTED)
        while True:
            try:
                told = next(stream)
            except DiedError as error:
                if self._spare is None:
                    raise
                told = {"kind": "unsafe", "path": self._asked, "reason": str(error)}
            if told["kind"] == "asks":
                self._answer(peer, told["path"])
            elif told["kind"] == "unsafe":
                self._unsafe.add(told["path"], told["reason"])
                if self._spare is None or told["path"] != self._asked:
                    return told
                peer.bury()
                self._peer = peer = self._spare
                self._spare = None
                peer.send({"kind": "leave-out"})
                stream = peer.told(COLLECTED)
            elif told["kind"] in COLLECTED:
                return told

    def _answer(self, peer: Peer, path: str) -> None:
        if self._spare is not None:
            self._spare.bury()
            self._spare = None
        if len(self._unsafe.paths) > self._most:
            self._unsafe.add(path, _MANY)
            peer.send({"kind": "leave-out"})
            return
        self._asked = path
        self._spare = self._forks.fork(peer, phases=True)
        peer.send({"kind": "go-on"})

    def _compare(self, tests: Sequence[Message]) -> None:
        """What is collected of a file may depend on others, as where somebody runs each second test."""
        there = _by_path(tests)
        for path, ids in self._ids.items():
            if ids != there.get(path):
                self._unsafe.add(path, _OTHERS)


def _by_path(tests: Sequence[Message]) -> dict[str, collections.Counter[str]]:
    found: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for test in tests:
        found[test["path"]][test["nodeid"]] += 1
    return dict(found)


def _is_in(path: str, other: str) -> bool:
    return path == other or path.startswith(other + os.sep)
