"""What /proc says of a process's size."""

from __future__ import annotations

from pathlib import Path


def memory(pid: int, kind: str) -> int:
    """Bytes of `Rss`, `Pss` and the like, as in /proc/PID/smaps_rollup (proc(5))."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/{pid}/smaps_rollup has no {kind}")


def handles(pid: int) -> int:
    """How many descriptors are open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def threads(pid: int) -> int:
    """How many threads there are."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))
