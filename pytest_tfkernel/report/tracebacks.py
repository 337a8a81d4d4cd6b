"""What pytest prints of an error, in one line."""

from __future__ import annotations

import re
from collections.abc import Iterable

# As the first line of an error has it, of an assertion without the name of its class; those below it explain.
_ERROR = re.compile(r"E\s+(?P<error>assert .*|[A-Za-z_][\w.]*(?::.*)?)")


def last_error(lines: Iterable[str]) -> str:
    """The error that was raised last; empty where there is none."""
    found = [match["error"] for line in lines if (match := _ERROR.fullmatch(line.strip())) is not None]
    return found[-1] if found else ""
