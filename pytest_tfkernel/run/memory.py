"""How much memory a script holds while it lives, and the limit that it can meet."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_BARS = "▁▂▃▄▅▆▇█"
# More are thinned out: every other one goes, and looks come half as often.
_MOST = 512
# What a cgroup of version 1 says for "none" is near 2**63.
_NO_LIMIT = 1 << 60
_LIMITS = ("memory.max", "memory.limit_in_bytes")
_USED = ("memory.current", "memory.usage_in_bytes")
_PEAKS = ("memory.peak", "memory.max_usage_in_bytes")


@dataclass(frozen=True)
class Sample:
    """Bytes, so many seconds after the beginning."""

    seconds: float
    used: int


@dataclass(frozen=True)
class Limit:
    """Bytes, and whose limit that is: a cgroup's folder, or the machine."""

    size: int
    place: str


@dataclass(frozen=True)
class MemoryLine:
    """The memory of one life. `peak` is the highest that is known; `limit` the lowest that holds."""

    samples: tuple[Sample, ...]
    peak: int
    limit: Limit | None

    def bars(self, width: int = 40) -> str:
        """As a line of bars, of which the highest is the limit where that was nearly met, and the peak elsewhere."""
        if not self.samples:
            return ""
        end = max(self.samples[-1].seconds, 1e-9)
        columns: list[int] = [0] * max(1, min(width, len(self.samples)))
        for one in self.samples:
            column = min(len(columns) - 1, int(one.seconds / end * len(columns)))
            columns[column] = max(columns[column], one.used)
        for column, used in enumerate(columns):
            columns[column] = used or (columns[column - 1] if column else 0)
        # The last look was before the end.
        columns[-1] = max(columns[-1], self.peak)
        top = max(1, self.peak, *columns)
        return "".join(_BARS[min(len(_BARS) - 1, used * len(_BARS) // (top + 1))] for used in columns)


class Samples:
    """Gathers them."""

    def __init__(self) -> None:
        self._samples: list[Sample] = []
        self._pause = 0.05

    def add(self, seconds: float, used: int) -> float:
        """Note one; after how many seconds the next one is due."""
        self._samples.append(Sample(seconds, used))
        if len(self._samples) > _MOST:
            del self._samples[1::2]
            self._pause *= 2
        return self._pause

    def line(self, limit: Limit | None, peak: int) -> MemoryLine:
        """All of them."""
        highest = max((one.used for one in self._samples), default=0)
        return MemoryLine(tuple(self._samples), max(peak, highest), limit)


def resident(pids: Iterable[int]) -> int:
    """Bytes that these processes hold in memory; shared pages count for each."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            total += int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    return total


def used_in(folder: Path) -> int | None:
    """Bytes that are charged to a cgroup; None where nobody counts them."""
    return _number(folder, _USED)


def peak_in(folder: Path) -> int | None:
    """The most that was ever charged there."""
    return _number(folder, _PEAKS)


def limit_of(folder: Path | None, machine: Path = Path("/proc/meminfo")) -> Limit | None:
    """The lowest limit of a cgroup and of those above it, or the memory of the machine."""
    found: list[Limit] = []
    while folder is not None and any((folder / name).exists() for name in (*_LIMITS, *_USED)):
        size = _number(folder, _LIMITS)
        if size is not None and size < _NO_LIMIT:
            found.append(Limit(size, str(folder)))
        folder = folder.parent if folder.parent != folder else None
    with contextlib.suppress(OSError, ValueError, IndexError):
        total = machine.read_text(encoding="ascii").split("MemTotal:")[1].split()[0]
        found.append(Limit(int(total) * 1024, "this machine"))
    return min(found, key=lambda one: one.size, default=None)


def _number(folder: Path, names: tuple[str, ...]) -> int | None:
    for name in names:
        with contextlib.suppress(OSError, ValueError):
            return int((folder / name).read_text(encoding="ascii"))
    return None
