"""Whether a home folder is known, without which the kernels of Jupyter and Spyder don't begin."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping


def missing(environment: Mapping[str, str]) -> str:
    """Why none is known to a process with these variables; empty where one is."""
    if "HOME" in environment:
        return ""
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        return (
            f"without a home folder: HOME isn't set, and user {os.getuid()} has no entry in the password file: set HOME"
        )
    return ""
