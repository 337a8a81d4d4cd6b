"""Whether the tests of a session name TensorFlow: it is imported once then, and not in each of their processes."""

from __future__ import annotations

import fnmatch
import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_MODULE = "tensorflow"
# The plugin of pytest that collects tests from Python files, and says which those are.
_COLLECTOR = "python"
_NAMED = re.compile(rb"^\s*(?:import|from)\s+tensorflow\b", re.MULTILINE)


def modules_to_preload(config: pytest.Config) -> list[str]:
    """TensorFlow, if it is installed and a test file or conftest.py imports it."""
    if importlib.util.find_spec(_MODULE) is None or not config.pluginmanager.has_plugin(_COLLECTOR):
        return []
    return [_MODULE] if any(_names(path) for path in _files(config)) else []


def _names(path: Path) -> bool:
    try:
        return _NAMED.search(path.read_bytes()) is not None
    except OSError:
        return False


def _files(config: pytest.Config) -> Iterator[Path]:
    """Those that would be collected, or nearly: what is wrong here costs time, and nothing else."""
    patterns = [*config.getini("python_files"), "conftest.py"]
    skipped = config.getini("norecursedirs")
    for argument in config.args:
        place = config.invocation_params.dir / argument.partition("::")[0]
        if place.is_file():
            yield place
        for folder, folders, names in os.walk(place):
            folders[:] = [one for one in folders if not any(fnmatch.fnmatch(one, pattern) for pattern in skipped)]
            yield from (Path(folder, one) for one in names if any(fnmatch.fnmatch(one, each) for each in patterns))
