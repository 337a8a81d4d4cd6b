"""What a pytest finds out of the plugins that it begins with is the same for each that is forked: it is found out once."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Callable
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from _pytest import fixtures, nodes

_PACKAGES = ("_pytest", "pytest_tfkernel")
_READ = ("entry_points", "files", "metadata")


def settle() -> None:
    """Call it when all is imported."""
    without = set()
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in _PACKAGES and "__dir__" not in vars(module):
            _name_hooks_only(module)
            if not any(map(_is_fixture, vars(module).values())):
                without.add(module)
    _pass_over(without)
    installed = Path(sysconfig.get_path("purelib"))
    for name in _READ:
        setattr(PathDistribution, name, property(_once(getattr(Distribution, name).fget, installed)))


def _name_hooks_only(module: ModuleType) -> None:
    """pytest asks each name of a plugin, and most are those of what it has imported."""
    names = [name for name, value in vars(module).items() if name.startswith("pytest_") or _is_fixture(value)]
    vars(module)["__dir__"] = lambda: names


def _is_fixture(value: object) -> bool:
    if isinstance(value, FunctionType):
        # Until pytest 8.4 a fixture is a function.
        return hasattr(value, "_pytestfixturefunction")
    return type(value).__module__ == fixtures.__name__


def _pass_over(modules: set[ModuleType]) -> None:
    """pytest looks for fixtures in all plugins; these, and instances of classes like these, have none."""
    classes: dict[type, bool] = {}
    ordinary = fixtures.FixtureManager.parsefactories

    def parsefactories(self: Any, *args: Any, **more: Any) -> None:
        holder = more.get("holder", args[0] if args else None)
        if isinstance(holder, ModuleType):
            passed = holder in modules
        else:
            kind = type(holder)
            if kind not in classes:
                classes[kind] = _has_none(kind)
            passed = classes[kind]
        if not passed:
            ordinary(self, *args, **more)

    fixtures.FixtureManager.parsefactories = parsefactories  # type: ignore[method-assign]


def _has_none(kind: type) -> bool:
    # A node is asked for what it has collected.
    if kind.__module__.partition(".")[0] not in _PACKAGES or issubclass(kind, nodes.Node):
        return False
    return not any(_is_fixture(value) for base in kind.__mro__ for value in vars(base).values())


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
