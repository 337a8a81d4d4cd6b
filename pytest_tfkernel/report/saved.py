"""Saved runs: documents in the folder `.tfkernel`, each with a number, and a name if it was given one.

All that there is to know of them stands in their names, so that 10,000 of them are found without opening one:
`0007_20260101T031500Z_tf2.21.0-py3.11_nightly.json`. They are the user's: what was renamed or removed by hand is taken
as it is.
"""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel.report.document import Start
from pytest_tfkernel.report.naming import claim, stem_of
from pytest_tfkernel.report.store import INCOMPLETE, DocumentError

FOLDER = ".tfkernel"
LAST = "last"
_HINT = "--tfkernel-save keeps one"

_FILE = re.compile(r"([0-9]{1,12})(?:_[0-9]{8}T[0-9]{6}Z_[^_]*)?(?:_(.+))?\.json(?:\.incomplete)?")
_NUMBER = re.compile(r"[0-9]{1,12}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")
# What is taken for a path, whether it is there or not.
_ENDINGS = (".json", ".html", INCOMPLETE)
_MOST_NAMES = 10


@dataclass(frozen=True)
class SavedRun:
    """One of them; where it is not `whole`, its run was cut short, or goes on."""

    number: int
    name: str
    path: Path
    whole: bool


class SavedRuns:
    """Those of one folder, which needn't exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def nearest(cls) -> SavedRuns:
        """Those of the working folder, or of the nearest one above it that has some."""
        try:
            here = Path.cwd()
        except OSError:
            # It was removed.
            return cls(Path(FOLDER))
        above = (folder / FOLDER for folder in here.parents)
        # By a short name, where that will do: people read it.
        folders = (Path(FOLDER), *above)
        return cls(next((one for one in folders if one.is_dir()), Path(FOLDER)))

    def runs(self) -> list[SavedRun]:
        """All of them, by their numbers; only names are read. Raises DocumentError."""
        try:
            with os.scandir(self.folder) as entries:
                found = [(match, entry.name) for entry in entries if (match := _FILE.fullmatch(entry.name))]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DocumentError(f"{self.folder} can't be read: {error.strerror}") from None
        runs = [
            SavedRun(int(match[1]), match[2] or "", self.folder / name, not name.endswith(INCOMPLETE))
            for match, name in found
        ]
        return sorted(runs, key=lambda one: (one.number, one.whole, one.path.name))

    def find(self, word: str) -> Path:
        """The document that a path, a number, a name (its latest run) or `last` stands for. Raises DocumentError.

        A path that isn't there is given back, for its reader to say so.
        """
        return self.find_all(word)[-1]

    def find_all(self, word: str) -> list[Path]:
        """The same, but all runs of a name."""
        path = Path(word)
        if _is_path(word):
            return [path]
        runs = self.runs()
        if not runs:
            if word == LAST or _NUMBER.fullmatch(word):
                raise DocumentError(f"{word}: no run was saved in {self.folder} yet; {_HINT}")
            return [path]
        if word == LAST:
            return [self.last(1)[0].path]
        if _NUMBER.fullmatch(word):
            return [self._numbered(int(word), runs)]
        # One that was cut short is found by its name only where no other is.
        named = [one for one in runs if one.name == word]
        found = [one.path for one in named if one.whole] or [one.path for one in named]
        if not found:
            raise DocumentError(self._unknown(word, runs))
        return found

    def last_two(self) -> tuple[Path, Path]:
        """The last two whole ones. Raises DocumentError, also where a later run was cut short: it would stay hidden."""
        ref, changed = self.last(2)
        latest = self.runs()[-1]
        if not latest.whole and latest.number > changed.number:
            raise DocumentError(
                f"{changed.path.name} is from an older run than {latest.path.name}, whose run did not finish: name the"
                " two, or remove that one"
            )
        return ref.path, changed.path

    def last(self, count: int) -> list[SavedRun]:
        """The last whole ones, in their order. Raises DocumentError where they are fewer."""
        found = [one for one in self.runs() if one.whole]
        if len(found) < count:
            needed = "two are needed" if count > 1 else "one is needed"
            have = f"{len(found) or 'no'} whole run{'s' if len(found) != 1 else ''}"
            raise DocumentError(f"{have} saved in {self.folder}, and {needed}: {_HINT}")
        return found[-count:]

    def claim(self, name: str, start: Start) -> Path:
        """A place for the next run, with a number that no other session gets. Raises DocumentError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._hide()
            number = self._free(1)
            while True:
                path = self._claim(number, name, start)
                if path is not None:
                    return path
                number = self._free(number + 1)
        except OSError as error:
            raise DocumentError(
                f"{self.folder} can't be written: {error.strerror}; leave --tfkernel-save out, or make room there"
            ) from None

    def _hide(self) -> None:
        """No version control needs to know of them; whoever wants it to has a file of their own there."""
        try:
            with (self.folder / ".gitignore").open("x", encoding="utf-8") as file:
                file.write("*\n")
        except FileExistsError:
            return

    def _free(self, least: int) -> int:
        runs = self.runs()
        return max(least, runs[-1].number + 1 if runs else 1)

    def _claim(self, number: int, name: str, start: Start) -> Path | None:
        """The place, or None where another session has that number: names may differ, and it must not be in two."""
        mark = self.folder / f".{number:04}"
        try:
            os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
        except FileExistsError:
            return None
        try:
            path = self.folder / f"{number:04}_{stem_of(start)}{f'_{name}' if name else ''}.json"
            taken = any(one.number == number for one in self.runs())
            return path if not taken and claim(path) else None
        finally:
            mark.unlink()

    def _numbered(self, number: int, runs: list[SavedRun]) -> Path:
        found = [one for one in runs if one.number == number]
        whole = [one for one in found if one.whole]
        if len(whole) > 1:
            names = " and ".join(one.path.name for one in whole)
            raise DocumentError(f"{number}: several saved runs have this number, {names}: name the file")
        if not found:
            raise DocumentError(self._unknown(str(number), runs))
        return (whole or found)[-1].path

    def _unknown(self, word: str, runs: list[SavedRun]) -> str:
        names = list(dict.fromkeys(one.name for one in reversed(runs) if one.name))
        near = difflib.get_close_matches(word, names, 1)
        if near:
            return f"{word} is neither a file nor a saved run: did you mean {near[0]}?"
        have = f"numbers {runs[0].number} to {runs[-1].number}"
        few = ", ".join(names[:_MOST_NAMES]) + (" and others" if len(names) > _MOST_NAMES else "")
        return f"{word} is neither a file nor a saved run: {self.folder} has {have}{f', named {few}' if few else ''}"


def check_name(name: str) -> str:
    """Why a run can't be saved by this name; empty where it can."""
    if _NUMBER.fullmatch(name):
        return "is a number, which each saved run has anyway: give it a name"
    if name == LAST:
        return "stands for the last run of all: give it another name"
    if _NAME.fullmatch(name) is None or name.endswith(_ENDINGS):
        return "is no name for a saved run: letters, digits, `.`, `_`, `+` and `-`, at most 80, and no ending of a file"
    return ""


def _is_path(word: str) -> bool:
    if not word or os.sep in word or word.endswith(_ENDINGS):
        return True
    try:
        return Path(word).exists() and not Path(word).is_dir()
    except (OSError, ValueError):
        return True
