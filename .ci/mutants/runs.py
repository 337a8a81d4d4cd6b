"""Runs of tests on mutants, each in a fork of this process; no file is changed."""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

import swaps
from changes import Mutant

ROOT = Path(__file__).parents[2]
PACKAGE = "pytest_tfkernel"
# An endless loop is noticed by the CPU time that it takes, a wait without an end by the clock.
_CPU_SECONDS, _WALL_SECONDS = 60, 600
# Rewritten assertions would be compiled anew for each mutant, and pytest would rewrite our modules, too.
_WORDS = ("-x", "-q", "-p", "no:cacheprovider", "--assert=plain")
# No exit code of pytest's.
_UNTRIED = 77


def survivors(mutants: Sequence[Mutant], tests: Sequence[str], output: Path) -> list[Mutant]:
    """Those with which all tests pass. Raises ValueError when they don't as things are, with what they print then."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _become(tests, Swapped(mutants, writer), output)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as file:
        told = file.read().split()
    os.waitpid(pid, 0)
    if told[:1] != ["passed"]:
        raise ValueError(f"its tests fail as things are:\n{output.read_text(encoding='utf-8', errors='replace')}")
    for name in told[1 : told.index("left")]:
        # Once, and not in each fork.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    # Also those that survived there: what a test is given at its collection was made by the code as it is.
    left = [mutants[int(number)] for number in told[told.index("left") + 1 :]]
    return [one for one in left if _passes(_fork_with(one, tests))]


def _fork_with(mutant: Mutant, tests: Sequence[str]) -> int:
    pid = os.fork()
    if pid == 0:
        sys.meta_path.insert(0, Finder(mutant))
        _become(tests, _Tried(mutant))
    return pid


def _passes(pid: int) -> bool:
    return _end(pid) == 0


def _end(pid: int) -> int:
    """The wait status of a child; what it has left running ends with it."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    # Its pid is still its own, and so is the group.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


def _become(tests: Sequence[str], plugin: object, output: Path = Path(os.devnull)) -> NoReturn:
    code = 1
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        printed = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for descriptor, file in enumerate((null, printed, printed)):
            os.dup2(file, descriptor)
        code = int(pytest.main([*_WORDS, *tests], plugins=[plugin]))
    finally:
        os._exit(code)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS + 1))
    signal.alarm(_WALL_SECONDS)


class _Tried:
    """A run on one mutant, which was imported: it has its limits."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def pytest_configure(self) -> None:
        """Set them."""
        _limit()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """What most likely notices it comes first."""
        _own_first(items, self._mutant)


def _own_first(items: list[pytest.Item], mutant: Mutant) -> None:
    """The tests of its module before all others."""
    own = f"test_{Path(mutant.module).stem}.py"
    items.sort(key=lambda item: item.path.name != own)


class Swapped:
    """Collects once, and forks for each mutant whose functions can be swapped; tells what is left to try."""

    def __init__(self, mutants: Sequence[Mutant], told: int) -> None:
        self._mutants = mutants
        self._told = told
        self._parent = os.getpid()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """In the parent of all forks, do that; in a fork, go on."""
        pid = os.fork()
        if pid == 0:
            self._go_on()
            return None
        left = []
        if _end(pid) == 0:
            os.write(self._told, ("\n".join(["passed", *_of_others(), "left", ""])).encode())
            for number, mutant in enumerate(self._mutants):
                pid = os.fork()
                if pid == 0:
                    self._swap(mutant, session)
                    self._go_on()
                    return None
                if os.waitstatus_to_exitcode(_end(pid)) in (0, _UNTRIED):
                    left.append(str(number))
            os.write(self._told, "\n".join(left).encode())
        return True

    def _go_on(self) -> None:
        os.setsid()
        os.close(self._told)
        _limit()

    @staticmethod
    def _swap(mutant: Mutant, session: pytest.Session) -> None:
        path = ROOT / PACKAGE / mutant.module
        found = swaps.swaps(path.read_text(encoding="utf-8"), mutant.source, str(path))
        if found is None or not swaps.apply(found):
            os._exit(_UNTRIED)
        _own_first(session.items, mutant)


def _of_others() -> Iterator[str]:
    library = Path(os.__file__).parent
    places = (library, *(Path(folder) for folder in sys.path if folder.endswith("site-packages")))
    for name, module in tuple(sys.modules.items()):
        place = getattr(module, "__file__", None) or ""
        if name != "__main__" and any(Path(place).is_relative_to(folder) for folder in places):
            yield name


class Finder:
    """Finds the module that is changed, before anybody else does."""

    def __init__(self, mutant: Mutant) -> None:
        words = (PACKAGE, *mutant.module.removesuffix(".py").split("/"))
        self._name = ".".join(words[:-1] if words[-1] == "__init__" else words)
        self._path = str(ROOT / PACKAGE / mutant.module)
        self._source = mutant.source

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """The changed module, if it is asked for."""
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, self._path, loader=Loader(name, self._path, self._source))


class Loader(importlib.machinery.SourceFileLoader):
    """Gives the changed source in the place of the file's, and reads and writes no bytecode."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> Any:
        """Compiled anew."""
        return compile(self._source, self.get_filename(fullname), "exec", dont_inherit=True)
