"""What a pytest finds out of the plugins that it begins with is the same for each that is forked: it is found out once."""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Callable
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path
from types import FunctionType, ModuleType, NoneType
from typing import Any

_PACKAGES = ("_pytest", "pytest_tfkernel")
# What is neither a hook nor a fixture.
_OTHER = (ModuleType, type, str, bytes, int, float, NoneType, tuple, list, dict, set, frozenset, re.Pattern)
_READ = ("entry_points", "files", "metadata")


def settle() -> None:
    """Call it when all is imported."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in _PACKAGES and "__dir__" not in vars(module):
            _name_hooks_only(module)
    installed = Path(sysconfig.get_path("purelib"))
    for name in _READ:
        setattr(PathDistribution, name, property(_once(getattr(Distribution, name).fget, installed)))


def _name_hooks_only(module: ModuleType) -> None:
    """pytest asks each name of a plugin, and most are those of what it has imported."""
    names = [name for name, value in vars(module).items() if name.startswith("pytest_") or _may_be_fixture(value)]
    vars(module)["__dir__"] = lambda: names


def _may_be_fixture(value: object) -> bool:
    if isinstance(value, FunctionType):
        # Until pytest 8.4 a fixture is a function.
        return hasattr(value, "_pytestfixturefunction")
    return not isinstance(value, _OTHER)


def _once(read: Callable[[Any], Any], installed: Path) -> Callable[[Any], Any]:
    """What is read of a distribution, which doesn't change where it is installed."""
    known: dict[Path, Any] = {}

    def known_or_read(distribution: Any) -> Any:
        path = distribution._path
        if not isinstance(path, Path) or path.parent != installed:
            return read(distribution)
        if path not in known:
            known[path] = read(distribution)
        return known[path]

    return known_or_read
