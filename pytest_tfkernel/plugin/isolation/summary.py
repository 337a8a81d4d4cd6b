"""What isolation tells of itself: how many processes there were, how they were made, and how many of them died."""

from __future__ import annotations

import collections
from collections.abc import Iterator
from dataclasses import dataclass

# Of one reason; more of them share a line.
_MOST_FILES = 5


@dataclass(frozen=True)
class Made:
    """One process: the file whose tests it ran, how it was made, and how many seconds that took."""

    path: str
    how: str
    seconds: float


@dataclass(frozen=True)
class Count:
    """Those of a session, or of one of its workers."""

    made: tuple[Made, ...] = ()
    tests: int = 0
    deaths: int = 0

    def merged(self, other: Count) -> Count:
        """Both together."""
        return Count(self.made + other.made, self.tests + other.tests, self.deaths + other.deaths)


def lines(count: Count, *, is_verbose: bool) -> Iterator[str]:
    """What a person reads at the end of a run."""
    if not count.tests:
        return
    cold = [one for one in count.made if one.how != "forked"]
    yield (
        f"{_number(count.tests, 'test', 'tests')} in {_number(len(count.made), 'process', 'processes')}"
        f" ({len(count.made) - len(cold)} forked, {len(cold)} cold; {sum(one.seconds for one in count.made):.1f} s to"
        f" start them), {_number(count.deaths, 'death', 'deaths')}"
    )
    # Why some took longer is of use to everybody, and what was as usual to whoever asks for more.
    times = collections.Counter((one.path, one.how) for one in (count.made if is_verbose else cold))
    files: dict[str, list[str]] = {}
    for path, how in times:
        files.setdefault(how, []).append(path)
    for (path, how), number in times.items():
        same = files[how]
        if is_verbose or len(same) <= _MOST_FILES:
            yield f"  {path}: {how}" + _processes(number)
        elif path == same[0]:
            total = sum(times[one, how] for one in same)
            yield f"  {path} and {len(same) - 1} more files: {how}{_processes(total)}"


def _processes(number: int) -> str:
    return f" ({number} processes)" if number > 1 else ""


def _number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
