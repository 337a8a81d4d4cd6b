"""The folder of a report: one command at a time writes to it, and nothing that is there is written over."""

from __future__ import annotations

import fcntl
import itertools
import os
from pathlib import Path
from types import TracebackType

from pytest_tfkernel.gpu_report import index
from pytest_tfkernel.gpu_report.writing import ReportError
from pytest_tfkernel.report.store import INCOMPLETE

_SHOWN = 3


class Folder:
    """Claimed until `close`; made where it wasn't there. A context manager. Raises ReportError where it can't be."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._descriptor = _open(self.path)
        try:
            self._claim()
            self._check()
        except ReportError:
            self.close()
            raise

    @property
    def index(self) -> Path:
        """Where the index is, or will be."""
        return self.path / index.NAME

    def name_for(self, part: str) -> str:
        """The stem of the next files of a part: none of that name is there."""
        for number in itertools.count(1):
            stem = part if number == 1 else f"{part}-{number}"
            if not any(os.path.lexists(self.path / name) for name in (stem, *names(stem))):
                return stem
        raise AssertionError

    def close(self) -> None:
        """Let others have it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def __enter__(self) -> Folder:  # noqa: PYI034 - typing.Self is of Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _claim(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ReportError(
                f"{self.path} is being written by another gpu-report: wait, or name another folder"
            ) from None
        except OSError:
            pass  # there are file systems without locks

    def _check(self) -> None:
        try:
            found = sorted(one.name for one in self.path.iterdir())
        except OSError as error:
            raise ReportError(f"{self.path} can't be read: {error.strerror}") from None
        # Of a command that was killed before its first index was in its place.
        found = [name for name in found if not name.startswith(f"{index.NAME}.")]
        if found and index.NAME not in found:
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            shown = ", ".join(found[:_SHOWN])
            raise ReportError(f"{self.path} has files that are not from a report ({shown}{more}): name a new folder")


def names(stem: str) -> tuple[str, str, str]:
    """The files of an attempt at a part: its document, that document while it isn't whole, and what was printed."""
    return f"{stem}.json", f"{stem}.json{INCOMPLETE}", f"{stem}.log"


def _open(path: Path) -> int:
    try:
        path.mkdir(exist_ok=True)
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileExistsError, NotADirectoryError):
        raise ReportError(f"{path} is not a folder, or is below a file: name another one") from None
    except FileNotFoundError:
        raise ReportError(
            f"{path} can't be made: there is no folder {path.parent}; make it, or name another one"
        ) from None
    except OSError as error:
        raise ReportError(f"{path} can't be used: {error.strerror}; name another folder") from None
    except ValueError as error:
        raise ReportError(f"{path} is a name that no folder can have: {error}") from None
