"""Patterns of names and texts, as people write them in files of ours: `*` is anything, `?` one character."""

from __future__ import annotations

import re


def pattern_of(text: str) -> re.Pattern[str]:
    """What matches it as a whole."""
    # Not fnmatch: ids of tests have brackets that mean themselves.
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)
