"""What pytest rewrites of modules is written once, before workers begin that would all make it at the same time.

So is what it rewrites of the package, as of any plugin: a pytest under test writes nothing, and would make it anew, which
takes longer than its other imports.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pytest_tfkernel

# Plugins of a pytest under test, and of this one.
_PLUGINS = ("played.py", "soak.py")
_MOST = 4


def begin(config: pytest.Config) -> Callable[[], None]:
    """Rewrite them in processes beside this one; call what comes back to wait for these."""
    hook: Any = config.pluginmanager.rewrite_hook
    # There is none where nothing is rewritten.
    if not hasattr(hook, "exec_module"):
        return lambda: None
    # The longest first, and each process has as much to do as another.
    files = sorted({*_of_the_package(), *_tests(config)}, key=lambda file: -file.stat().st_size)
    number = min(len(os.sched_getaffinity(0)), _MOST)
    pids = [_fork(hook, files[first::number]) for first in range(number)]

    def wait() -> None:
        for pid in pids:
            os.waitpid(pid, 0)

    return wait


def _of_the_package() -> list[Path]:
    here = Path(__file__).parent
    files = [file for folder in pytest_tfkernel.__path__ for file in Path(folder).rglob("*.py")]
    return [*files, *(here / name for name in _PLUGINS)]


def _tests(config: pytest.Config) -> list[Path]:
    """The modules that workers collect."""
    if not config.getoption("tx", None):
        return []
    found = []
    for argument in config.args:
        path = config.invocation_params.dir / argument.partition("::")[0]
        found += [path] if path.is_file() else [*path.rglob("test_*.py"), *path.rglob("conftest.py")]
    return found


def _fork(hook: Any, files: list[Path]) -> int:
    pid = os.fork()
    if pid == 0:
        sys.dont_write_bytecode = False
        for file in files:
            # What can't be rewritten is told where it is imported.
            with contextlib.suppress(Exception):
                _rewrite(hook, file)
        os._exit(0)
    return pid


def _rewrite(hook: Any, file: Path) -> None:
    module = types.ModuleType(file.stem)
    module.__spec__ = importlib.util.spec_from_file_location(file.stem, file)
    # It is written before it is executed; without builtins it ends at its first import.
    vars(module)["__builtins__"] = {}
    hook.exec_module(module)
