"""The folder of upgrades: one at a time works in it, and version control doesn't see it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from pytest_tfkernel.upgrade.errors import UpgradeError

DEFAULT = ".tfkernel-upgrade"
_IGNORE = ".gitignore"
# What is seen of a folder that is somebody else's.
_SHOWN = 3
_OURS = {_IGNORE, "environments", "runs"}


class UpgradeFolder:
    """Claimed until `close`; made where it wasn't there. A context manager. Raises UpgradeError where it can't be."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.environments = self.path / "environments"
        self.runs = self.path / "runs"
        self._descriptor = -1
        try:
            self._claim()
        except FileNotFoundError as error:
            why = error.strerror if self.path.parent.is_dir() else f"there is no folder {self.path.parent}"
            raise UpgradeError(f"{path} can't be made: {why}") from None
        except FileExistsError:
            raise UpgradeError(f"{path} is not a folder: name another one with --folder") from None
        except OSError as error:
            raise UpgradeError(f"{path} can't be used: {error.strerror}; name another one with --folder") from None
        except ValueError as error:
            raise UpgradeError(f"{path} is a name that no folder can have: {error}") from None

    def _claim(self) -> None:
        if self.path.is_dir():
            theirs = sorted(one.name for one in self.path.iterdir() if one.name not in _OURS)
            if theirs and not (self.path / _IGNORE).exists():
                shown = ", ".join(theirs[:_SHOWN])
                raise UpgradeError(
                    f"{self.path} has files that are not of an upgrade ({shown}): name another folder with --folder"
                )
        self.path.mkdir(exist_ok=True)
        self._descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise UpgradeError(
                f"another upgrade works in {self.path}: wait until it is done, or name another folder with --folder"
            ) from None
        except OSError:
            pass  # there are file systems without locks
        try:
            (self.path / _IGNORE).write_text("*\n", encoding="utf-8")
            self.environments.mkdir(exist_ok=True)
            self.runs.mkdir(exist_ok=True)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Let others have it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def __enter__(self) -> UpgradeFolder:  # noqa: PYI034 - typing.Self is of Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
