"""What a kernel has been through: its last cells, its deaths, and what its dead generations left running."""

from __future__ import annotations

import collections
from dataclasses import dataclass

from pytest_tfkernel.model.kernels import Reply
from pytest_tfkernel.model.processes import Leftover, PostMortem

_KEPT_POST_MORTEMS = 100
_KEPT_CELLS = 5
# Of each text; a cell can print a megabyte, and nobody reads that in a report.
_KEPT_CHARACTERS = 4_000


@dataclass(frozen=True)
class PastCell:
    """A cell that was replied to, as text for a person: of long texts the end, of a long cell the beginning."""

    number: int
    generation: int
    cell: str
    stdout: str
    stderr: str
    error: str


class Past:
    """Of one kernel, over all its generations. Of cells the last 5 are kept, of deaths the last 100."""

    def __init__(self) -> None:
        self.left_behind: list[Leftover] = []
        self._deaths: collections.deque[PostMortem] = collections.deque(maxlen=_KEPT_POST_MORTEMS)
        self._cells: collections.deque[PastCell] = collections.deque(maxlen=_KEPT_CELLS)
        self._asked = 0
        self._died = 0

    @property
    def events(self) -> int:
        """How many there were: cells that were replied to, and deaths."""
        return self._asked + self._died

    @property
    def deaths(self) -> tuple[PostMortem, ...]:
        """The latest at the end."""
        return tuple(self._deaths)

    @property
    def cells(self) -> tuple[PastCell, ...]:
        """The latest at the end; the first of a kernel has number 1."""
        return tuple(self._cells)

    def replied(self, generation: int, cell: str, reply: Reply) -> None:
        """Keep a cell and what came of it."""
        self._asked += 1
        error = "" if reply.error is None else reply.error.traceback
        texts = (one[-_KEPT_CHARACTERS:] for one in (reply.stdout, reply.stderr, error))
        self._cells.append(PastCell(self._asked, generation, cell[:_KEPT_CHARACTERS], *texts))

    def died(self, post_mortem: PostMortem) -> None:
        """Keep a death, once."""
        if post_mortem not in list(self._deaths)[-1:]:
            self._deaths.append(post_mortem)
            self._died += 1
