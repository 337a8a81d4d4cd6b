"""Nobody's files stand for modules of the standard library: neither where processes of ours begin, nor here."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pytest_tfkernel._child.library import first as standard_library_first

__all__ = ["VARIABLE", "search_path", "standard_library_first"]

# Where a process of ours is told to look; `_child/search_path.py` and `hosts/__main__.py` read it.
VARIABLE = "PYTEST_TFKERNEL_SEARCH_PATH"


def search_path() -> dict[str, str]:
    """A variable for a process under `python -I`: the folders in which this one finds modules, to be asked last."""
    return {VARIABLE: json.dumps([folder for folder in map(str, sys.path) if Path(folder).is_absolute()])}
