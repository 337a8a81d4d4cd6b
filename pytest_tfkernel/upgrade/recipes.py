"""What an environment is to have, and what says of one that it has it."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

import msgspec

from pytest_tfkernel.upgrade.requirements import Installs

FORMAT = "pytest-tfkernel environment"
SCHEMA = 1
_LONGEST_NAME = 40
_IGNORED = {".git", "__pycache__", ".tox", ".venv", ".tfkernel-upgrade", "node_modules", ".pytest_cache"}


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """What an environment was made for. `sources` are the states of files and folders by path; `made` is in UTC."""

    format: str = FORMAT
    schema: int = SCHEMA
    requirements: list[str]
    installs: list[str]
    python: str
    plugin: str
    sources: dict[str, str]
    made: str


@dataclass(frozen=True)
class Recipe:
    """What an environment is to have: requirements, what else is installed, and the plugin as this wheel.

    `imported` is a module that must be importable there; what of it is compiled then need not be by the first trial.
    """

    requirements: tuple[str, ...]
    installs: Installs
    python: str
    plugin: Path
    imported: str = ""

    @property
    def name(self) -> str:
        """That of its folder: the same for the same."""
        key = "\0".join([*self.requirements, "", *self.installs.words, "", os.path.realpath(self.python)])
        slug = re.sub(r"[^A-Za-z0-9.]+", "-", "-".join(self.requirements)).strip("-.")[:_LONGEST_NAME]
        return f"{slug}-{hashlib.sha256(key.encode('utf-8', 'backslashreplace')).hexdigest()[:8]}"

    @property
    def words(self) -> tuple[str, ...]:
        """All of it, as pip takes it: in one command, so that what doesn't go together is told."""
        return (*self.requirements, str(self.plugin), *self.installs.words)

    def marker(self, now: dt.datetime) -> Marker:
        """As it is now."""
        return Marker(
            requirements=[*self.requirements],
            installs=[*self.installs.words],
            python=self.python,
            plugin=_state(self.plugin),
            sources={str(path): _state(path) for path in self.installs.sources},
            made=now.isoformat(timespec="seconds"),
        )


def _state(path: Path) -> str:
    """Differs when a file, or one of a folder, does."""
    try:
        if path.is_file():
            return hashlib.sha256(path.read_bytes()).hexdigest()
        digest = hashlib.sha256()
        for root, folders, files in os.walk(path):
            folders[:] = sorted(set(folders) - _IGNORED)
            for name in sorted(files):
                if not name.endswith(".pyc"):
                    found = (Path(root) / name).lstat()
                    digest.update(f"{root}/{name} {found.st_size} {found.st_mtime_ns}\n".encode("utf-8", "replace"))
        return digest.hexdigest()
    except OSError:
        return ""
