"""The search itself: which candidate to try next, and what is known in the end. Knows nothing of what they are."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class CandidateLook(enum.Enum):
    """What a candidate looks like."""

    AS_REF = "as ref"
    AS_CHANGED = "as changed"
    OTHER = "as neither"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Boundary:
    """What came out: `last` is as ref, and `first` is the first one that isn't; those `between` could not be tried.

    `odd` are those that don't fit one change: as ref behind `first`, or not as ref before `last`. `untried` says how
    many nobody looked at.
    """

    last: int
    first: int
    between: tuple[int, ...]
    odd: tuple[int, ...]
    untried: int


class Search:
    """Over `count` candidates in their order, of which the first is ref, and the last is changed."""

    def __init__(self, count: int) -> None:
        if count < 2:  # noqa: PLR2004 - both ends
            raise ValueError("there is nothing between less than two")
        self._count = count
        self._looks = {0: CandidateLook.AS_REF, count - 1: CandidateLook.AS_CHANGED}

    @property
    def most(self) -> int:
        """How many candidates are tried at most, the ends among them, if none has to be skipped."""
        return (self._count - 1).bit_length() + 2

    @property
    def ends(self) -> tuple[int, int]:
        """The last one known to be as ref, and the first one behind it that isn't, as far as is known."""
        last, first = 0, self._count - 1
        # By halves, as they were tried: what was looked at afterwards, to see whether it fits, moves nothing.
        while inner := [place for place in self._seen if last < place < first and self._looks[place] in _DECIDING]:
            place = inner[0]
            if self._looks[place] is CandidateLook.AS_REF:
                last = place
            else:
                first = place
        return last, first

    @property
    def _seen(self) -> list[int]:
        """In the order in which they were tried."""
        return [*self._looks]

    def next(self) -> int | None:
        """The candidate to try now; None when all is known that is to be."""
        last, first = self.ends
        open_ones = [place for place in range(last + 1, first) if place not in self._looks]
        if open_ones:
            return min(open_ones, key=lambda place: (abs(2 * place - last - first), place))
        # What is left of the budget looks whether there was one change only.
        return self._control() if len(self._looks) < self.most else None

    def note(self, place: int, look: CandidateLook) -> None:
        """What one looked like."""
        self._looks[place] = look

    def look(self, place: int) -> CandidateLook:
        """What one that was tried looked like."""
        return self._looks[place]

    def boundary(self) -> Boundary:
        """What is known."""
        last, first = self.ends
        odd = [
            place
            for place, look in sorted(self._looks.items())
            if (place < last and look in {CandidateLook.AS_CHANGED, CandidateLook.OTHER})
            or (place > first and look is not CandidateLook.AS_CHANGED and look is not CandidateLook.SKIPPED)
        ]
        between = tuple(place for place in range(last + 1, first) if self._looks.get(place) is CandidateLook.SKIPPED)
        return Boundary(last, first, between, tuple(odd), self._count - len(self._looks))

    def _control(self) -> int | None:
        """The middle of the longest stretch that nobody has looked at."""
        stretches: list[list[int]] = [[]]
        for place in range(self._count):
            if place in self._looks:
                stretches.append([])
            else:
                stretches[-1].append(place)
        longest = max(stretches, key=len)
        return longest[len(longest) // 2] if longest else None


_DECIDING = {CandidateLook.AS_REF, CandidateLook.AS_CHANGED, CandidateLook.OTHER}
