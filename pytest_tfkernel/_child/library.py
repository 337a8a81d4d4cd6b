"""Nobody's files stand for modules of the standard library, while we import what needs them."""

import contextlib
import itertools
import os
import sys
from importlib.machinery import PathFinder
from typing import FrozenSet, Iterator, Optional, Sequence

_LIBRARY = os.path.join(os.path.dirname(os.__file__), "")


def _names() -> FrozenSet[str]:
    """The modules of the standard library, by their first names."""
    known = getattr(sys, "stdlib_module_names", None)  # from Python 3.10 on
    if known is not None:
        return frozenset(known)
    found = set(sys.builtin_module_names)
    for folder in (_LIBRARY, os.path.join(_LIBRARY, "lib-dynload")):
        with contextlib.suppress(OSError):
            found.update(name.partition(".")[0] for name in os.listdir(folder))
    return frozenset(found)


_NAMES = _names()


@contextlib.contextmanager
def first() -> Iterator[None]:
    """While it is entered, imports find the standard library's own modules, whatever lies in the folder of a test.

    Afterwards the names are the test's again, where its folder has such a module.
    """
    path, before = list(sys.path), dict(sys.modules)
    for name, module in before.items():
        if _is_of_library(name) and _is_foreign(getattr(module, "__file__", None)):
            del sys.modules[name]
    sys.path.sort(key=lambda folder: not os.path.join(folder, "").startswith(_LIBRARY))
    try:
        yield
    finally:
        sys.path[:] = path
        # What comes behind the library, as installed packages do, replaces nothing.
        shadows = list(itertools.takewhile(_is_foreign, path))
        for name in [name for name in sys.modules if _is_of_library(name)]:
            if name in before:
                sys.modules[name] = before[name]
            elif _has(shadows, name.partition(".")[0]):
                del sys.modules[name]


def _is_of_library(name: str) -> bool:
    return name.partition(".")[0] in _NAMES


def _is_foreign(place: Optional[str]) -> bool:
    return place is not None and not os.path.join(place, "").startswith(_LIBRARY)


def _has(folders: Sequence[str], name: str) -> bool:
    """Whether an import would find it there. A folder without an `__init__.py` gives way to what comes later."""
    spec = PathFinder.find_spec(name, folders)
    return spec is not None and spec.origin is not None
