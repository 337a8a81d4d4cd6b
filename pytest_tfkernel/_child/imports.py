"""Which threads came with the import of which module."""

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable, FrozenSet, Iterable, Optional, Tuple

Thread = Tuple[str, str]  # its number and its name


class ThreadsOfImports:
    """While it is entered, collects in `threads` those that the import of `modules` starts.

    Wherever that import happens: as a rule it is deep inside of another one. `list_threads` says
    which there are.
    """

    def __init__(self, modules: Iterable[str], list_threads: Callable[[], FrozenSet[Thread]]) -> None:
        self._awaited = set(modules)
        self._list_threads = list_threads
        self.threads: FrozenSet[Thread] = frozenset()

    def __enter__(self) -> "ThreadsOfImports":
        sys.meta_path.insert(0, self)
        return self

    def __exit__(self, *_: object) -> None:
        sys.meta_path.remove(self)

    def find_spec(self, name: str, *_: object) -> Optional[ModuleSpec]:
        """As a finder of the import system: what the others find, but with eyes on it."""
        if name not in self._awaited:
            return None
        self._awaited.discard(name)
        spec = importlib.util.find_spec(name)
        loader: Any = None if spec is None else spec.loader
        if not hasattr(loader, "exec_module"):
            return spec
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            del loader.exec_module
            before = self._list_threads()
            execute(module)
            self.threads |= self._list_threads() - before

        loader.exec_module = exec_module
        return spec
