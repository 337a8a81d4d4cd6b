"""Nobody's files stand for modules of the standard library: neither where processes of ours begin, nor here."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
from pathlib import Path

# Where a process of ours is told to look; `_child/isolated.py` and `hosts/__main__.py` read it.
VARIABLE = "PYTEST_TFKERNEL_SEARCH_PATH"

_LIBRARY = os.path.join(os.path.dirname(os.__file__), "")  # noqa: PTH118, PTH120 - it ends with the separator


def search_path() -> dict[str, str]:
    """A variable for a process under `python -I`: the folders in which this one finds modules, to be asked last."""
    return {VARIABLE: json.dumps([folder for folder in map(str, sys.path) if Path(folder).is_absolute()])}


@contextlib.contextmanager
def standard_library_first() -> Iterator[None]:
    """While it is entered, imports find the standard library's own modules, whatever lies in the folder of a test.

    Afterwards the names are the test's again, where its folder has such a module.
    """
    path, before = list(sys.path), dict(sys.modules)
    for name, module in before.items():
        if _of_library(name) and _is_foreign(getattr(module, "__file__", None)):
            del sys.modules[name]
    sys.path.sort(key=lambda folder: not os.path.join(folder, "").startswith(_LIBRARY))  # noqa: PTH118 - as it stands
    try:
        yield
    finally:
        sys.path[:] = path
        # What comes behind the library, as installed packages do, replaces nothing.
        shadows = list(itertools.takewhile(_is_foreign, path))
        for name in [name for name in sys.modules if _of_library(name)]:
            if name in before:
                sys.modules[name] = before[name]
            elif _has(shadows, name.partition(".")[0]):
                del sys.modules[name]


def _of_library(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


def _is_foreign(place: str | None) -> bool:
    return place is not None and not os.path.join(place, "").startswith(_LIBRARY)  # noqa: PTH118 - as it stands


def _has(folders: Sequence[str], name: str) -> bool:
    """Whether an import would find it there. A folder without an `__init__.py` gives way to what comes later."""
    spec = PathFinder.find_spec(name, folders)
    return spec is not None and spec.origin is not None
