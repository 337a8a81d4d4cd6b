"""What pytest's own process makes, by its audit events (PEP 578): exact, however many workers there are.

An audit hook can't be taken out again: after the session it does nothing.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pytest_tfkernel._child import system
from pytest_tfkernel.model.resources import Kind

_SHARED = "/dev/shm/"  # noqa: S108 - where Linux keeps shared memory
_SEMAPHORES = f"{_SHARED}sem."


class Claims:
    """Notes each path that is made, in the dict that is `current`; from whichever thread it is.

    Counted are the folder for temporary files and that of shared memory; anywhere else, what `tempfile` makes
    and the names of Unix sockets. Paths that begin with one of `pytests` never count, and those below a folder
    of `projects` only in the latter case.
    """

    def __init__(self, pytests: Sequence[str] = (), projects: Sequence[Path] = ()) -> None:
        self.current: dict[str, Kind] = {}
        # Told of each of them as well.
        self.listener: Callable[[str, Kind], None] | None = None
        self._is_outside = True
        found = tempfile.gettempdir()
        self._counted = (f"{found.rstrip('/')}/", f"{os.path.realpath(found).rstrip('/')}/", _SHARED)
        # Folders of `tmp_path` are kept on purpose.
        self._pytests = (*(f"{path}pytest-of-" for path in self._counted), *pytests)
        # One that is the folder for temporary files itself, or lies above it, would hide all of them.
        self._projects = tuple(f"{path}/" for path in projects if not self._counted[1].startswith(f"{path}/"))
        self._readers: dict[str, Callable[[tuple[Any, ...]], None]] = {
            "open": self._open,
            # Of native code, but it says so.
            "sqlite3.connect": lambda arguments: self._note(arguments[0]),
            "os.mkdir": lambda arguments: self._note(arguments[0]),
            "os.symlink": lambda arguments: self._note(arguments[1]),
            "os.link": lambda arguments: self._note(arguments[1]),
            "os.rename": self._rename,
            "os.truncate": self._truncate,
            "socket.bind": self._bind,
            "tempfile.mkdtemp": self._tempfile,
            "tempfile.mkstemp": self._tempfile,
        }

    def turn(self, current: dict[str, Kind], *, outside: bool) -> None:
        """Note in this dict from now on. `outside` of tests, files are the reports of other plugins."""
        self._is_outside = outside
        self.current = current

    def start(self) -> None:
        """Listen from now on."""
        sys.addaudithook(self._hear)

    def stop(self) -> None:
        """Listen no more."""
        self._readers.clear()

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        reader = self._readers.get(event)
        if reader is not None:
            # Raised here, an error would end what the test is doing.
            with contextlib.suppress(Exception):
                reader(arguments)

    def _open(self, arguments: tuple[Any, ...]) -> None:
        path, _, flags = arguments
        if flags & os.O_CREAT and not isinstance(path, int):
            self._note(path)

    def _rename(self, arguments: tuple[Any, ...]) -> None:
        """What is made under another name or elsewhere, and moved when it is complete, was made all the same."""
        source = _absolute(arguments[0])
        if source in self.current or not source.startswith(self._counted):
            self._note(arguments[1])

    def _truncate(self, arguments: tuple[Any, ...]) -> None:
        """Shared memory is made without an event, and then given its size through its descriptor."""
        if isinstance(arguments[0], int):
            path = system.link(f"/proc/self/fd/{arguments[0]}")
            if path.startswith(_SHARED):
                self._add(path, self.current.get(path, Kind.SHARED_MEMORY))

    def _bind(self, arguments: tuple[Any, ...]) -> None:
        address = arguments[1]
        # Abstract names begin with a null byte and are no files; other families have tuples.
        if isinstance(address, (str, bytes)) and address and address[0] not in {"\0", 0}:
            self._claim(_absolute(address), Kind.SOCKET)

    def _tempfile(self, arguments: tuple[Any, ...]) -> None:
        self._claim(_absolute(arguments[0]), Kind.FILE)

    def _note(self, given: Any) -> None:
        if self._is_outside:
            return
        path = _absolute(given)
        if path.startswith(_SEMAPHORES):
            self._claim(path, Kind.SEMAPHORE)
        elif path.startswith(_SHARED):
            self._claim(path, Kind.SHARED_MEMORY)
        elif path.startswith(self._counted) and not path.startswith(self._projects):
            self._claim(path, Kind.FILE)

    def _claim(self, path: str, kind: Kind) -> None:
        is_bytecode = "/__pycache__" in path
        if not is_bytecode and not f"{path}/".startswith(self._pytests) and not system.exists(path):
            self._add(path, kind)

    def _add(self, path: str, kind: Kind) -> None:
        self.current[path] = kind
        if self.listener is not None:
            self.listener(path, kind)


def _absolute(path: Any) -> str:
    return system.absolute(os.fsdecode(path))
