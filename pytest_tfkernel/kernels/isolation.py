"""How processes of ours begin so that nobody's files stand for modules: isolated, and told where else to look."""

from __future__ import annotations

import json
import sys
from pathlib import Path

# Where they are told; `_child/isolated.py` and `hosts/__main__.py` read it.
VARIABLE = "PYTEST_TFKERNEL_SEARCH_PATH"


def search_path() -> dict[str, str]:
    """A variable for a process under `python -I`: the folders in which this one finds modules, to be asked last."""
    return {VARIABLE: json.dumps([folder for folder in sys.path if Path(folder).is_absolute()])}
