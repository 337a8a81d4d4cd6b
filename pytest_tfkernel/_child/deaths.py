"""Where the deaths of kernels are kept for the user, and how one is told.

Each death is a file of JSON in a folder that is the user's alone; its name begins with the time. See
`processes.postmortems.records` for who writes there.
"""

import json
import os
import re
import stat
import time
from typing import Any, Dict, List, Mapping

DeathRecord = Dict[str, Any]

# Nanoseconds since 1970, and a process.
NAME = re.compile(r"\d{20}-\d+\.json\Z")
# Seconds since 1970, some thousand years from now: a later time can't be told.
_LAST_TIME = 1e11
# Where scripts begin: these frames are ours.
_OURS = ("/pytest_tfkernel/_child/", "<frozen runpy>")
# Files of what runs the cells of a user.
_MACHINERY = ("/IPython/", "/ipykernel/", "/spyder_kernels/", "/pytest_tfkernel/_child/")


def folder(environment: Mapping[str, str]) -> str:
    """The folder, by the XDG Base Directory Specification. It needn't exist; "" without a home."""
    base = environment.get("XDG_STATE_HOME", "")
    # A relative one is to be ignored.
    if not os.path.isabs(base):
        home = os.path.expanduser("~")
        if not os.path.isabs(home):
            return ""
        base = os.path.join(home, ".local", "state")
    return os.path.join(base, "pytest-tfkernel", "deaths")


def is_ours(place: str) -> bool:
    """Whether nobody else can have put anything there."""
    try:
        found = os.lstat(place)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def names(place: str) -> List[str]:
    """The records there, by names of our making, the latest at the end."""
    try:
        return sorted(name for name in os.listdir(place) if NAME.match(name))
    except OSError:
        return []


def records(place: str, most: int) -> List[DeathRecord]:
    """The latest deaths, the very latest first. What can't be read or isn't a record is passed over."""
    found: List[DeathRecord] = []
    for name in reversed(names(place) if place and is_ours(place) else []):
        if len(found) >= most:
            break
        try:
            with open(os.path.join(place, name), encoding="utf-8") as file:
                record = json.load(file)
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(record, dict) and isinstance(record.get("headline"), str) and _is_time(record.get("time")):
            found.append(record)
    return found


def _is_time(found: Any) -> bool:
    return isinstance(found, (int, float)) and not isinstance(found, bool) and 0 <= found < _LAST_TIME


def when(record: DeathRecord) -> str:
    """Its time for people, as it was here."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record["time"]))


def without_ours(stack: str) -> str:
    """Stacks without the frames of what has begun a script."""
    lines = stack.strip().splitlines()
    return "\n".join(line for line in lines if not (line.startswith("  File ") and any(part in line for part in _OURS)))


def brief(stack: str) -> str:
    """Of the stacks of a kernel of IPython's, the frames of the user's in the thread that was running."""
    lines = stack.strip().splitlines()
    starts = [at for at, line in enumerate(lines) if line.startswith(("Current thread", "Thread"))]
    current = next((at for at in starts if lines[at].startswith("Current")), None)
    if current is None:
        return stack
    kept = [line for line in lines[: starts[0]] if line] + [lines[current]]
    for line in lines[current + 1 :]:
        if not line.startswith("  File") or any(part in line for part in _MACHINERY):
            break
        kept.append(line)
    others = len(starts) - 1
    return "\n".join([*kept, "(and %d other threads)" % others] if others else kept)


def tell(record: DeathRecord, *, whole: bool = True) -> str:
    """A record as text for a person, with the stacks as a `whole` or in brief."""
    parts = ["%s  %s" % (when(record), _printable(record["headline"]).replace("\n", "\\n"))]
    for title, key in (("last cell", "last_cell"), ("stack", "stack"), ("stdout", "stdout"), ("stderr", "stderr")):
        text = str(record.get(key) or "").strip("\n").rstrip()
        if key == "stack":
            text = without_ours(text) if whole else brief(text)
        if text:
            number = record.get("cell_number")
            which = " [%s]" % _printable(str(number)) if key == "last_cell" and number else ""
            parts += ["--- %s%s" % (title, which), _printable(text)]
    return "\n".join(parts)


def _printable(text: str) -> str:
    """What can't harm a terminal."""
    return "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in text)
