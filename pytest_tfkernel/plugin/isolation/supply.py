"""A process for each test: made while another test runs, where that is but a fork, or when it is needed."""

from __future__ import annotations

import contextlib

import pytest

from pytest_tfkernel.model.errors import TFKernelError
from pytest_tfkernel.plugin.isolation.nursery import Nursery
from pytest_tfkernel.plugin.isolation.peers import DiedError, Peer
from pytest_tfkernel.plugin.isolation.summary import Made
from pytest_tfkernel.plugin.isolation.wishes import IsolationWishes
from pytest_tfkernel.processes.waits import monotonic

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# What two tests have in common that may share a process.
Kinship = tuple[str, IsolationWishes]


def kinship(item: pytest.Item, wishes: IsolationWishes) -> Kinship:
    """That of a test: its file, and what it wishes for."""
    return str(item.path), wishes


class Supply:
    """Takes processes from a nursery, and notes how each of them was `made`."""

    def __init__(self, nursery: Nursery) -> None:
        self._nursery = nursery
        self._ahead: tuple[Kinship, Peer, str] | None = None
        self.made: list[Made] = []

    def take(self, item: pytest.Item, kin: Kinship) -> tuple[Peer, str]:
        """A process for a test, and how it was made. Raises TFKernelError, or DiedError."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            # Somebody may have ended it since, or their parent, whom it doesn't outlive for long.
            if ahead[0] == kin and ahead[1].life.is_alive and not self._nursery.is_gone:
                return ahead[1:]
            ahead[1].bury()
        return self._make(item, kin)

    def make_ahead(self, item: pytest.Item, kin: Kinship) -> None:
        """Have one ready for the next test, if that takes no longer than a fork. What prevents it is told later."""
        if self._ahead is None and self._nursery.forks_soon(*kin):
            with contextlib.suppress(TFKernelError, DiedError):
                self._ahead = kin, *self._make(item, kin)

    def close(self) -> None:
        """End one that nobody has taken."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead[1].bury()

    def _make(self, item: pytest.Item, kin: Kinship) -> tuple[Peer, str]:
        begun = monotonic()
        peer, how = self._nursery.process(*kin)
        self.made.append(Made(item.nodeid.partition("::")[0], how, monotonic() - begun))
        return peer, how
