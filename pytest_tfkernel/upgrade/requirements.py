"""What the two sides of an upgrade are: a version, what pip installs, or an interpreter."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from pytest_tfkernel.upgrade import requirement_files
from pytest_tfkernel.upgrade.errors import UpgradeError

RELEASES, NIGHTLIES = "tensorflow-cpu", "tf-nightly-cpu"
# A release has three numbers, a series two.
_SERIES = re.compile(r"\d+\.\d+")
_VERSION = re.compile(r"\d+\.\d+(\.\d+)*((a|b|rc|\.dev|\.post)\d+)*")
_ARCHIVES = (".whl", ".tar.gz", ".zip")
_WITH_EXTRAS = re.compile(r"(?P<path>[^\[\]]+)(?P<extras>\[[^\[\]]*\])?")


@dataclass(frozen=True)
class Wanted:
    """One side. `said` is what the user wrote; either `requirement`, as pip takes it, or `interpreter`, a path."""

    said: str
    requirement: str = ""
    interpreter: str = ""

    @property
    def identity(self) -> tuple[object, ...]:
        """The same for two that are written differently and mean the same."""
        if self.interpreter:
            # What lies beside it decides: environments have links to one interpreter.
            return os.path.realpath(Path(self.interpreter).parent), os.path.realpath(self.interpreter)
        try:
            found = Requirement(self.requirement)
        except InvalidRequirement:
            return (self.requirement,)
        return canonicalize_name(found.name), frozenset(found.extras), found.specifier, found.url, str(found.marker)


def read(word: str, package: str = RELEASES) -> Wanted:
    """What a word means; a version is one of the package. Raises UpgradeError."""
    said = word.strip()
    if not said or said.startswith("-"):
        raise UpgradeError(f"{word!r} is neither a version, nor what pip installs, nor an interpreter")
    if _VERSION.fullmatch(said):
        return Wanted(said, _of_version(said, package))
    path = Path(said)
    if "@" not in said and (said.endswith(_ARCHIVES) or (path.is_dir() and _is_installable(said))):
        return Wanted(said, _existing(said, said))
    # Not resolved: the interpreter of an environment is a link to one that has nothing of it.
    found = shutil.which(said)
    if found is not None:
        return Wanted(said, interpreter=str(Path(found).absolute()))
    if os.sep in said and "@" not in said:
        what = "isn't there" if not path.exists() else "can't be executed"
        raise UpgradeError(f"{said} {what}: name an interpreter, a version such as 2.20, or what pip installs")
    return Wanted(said, _checked(said))


def _is_installable(folder: str) -> bool:
    """Whether a folder is a project, and not only called as a package is. Raises UpgradeError for one of neither."""
    is_path = _is_path(folder)
    if is_path and requirement_files.declared(Path(folder)):
        return True
    for python in (Path(folder) / "bin/python", Path(folder) / "python"):
        if python.is_file() or python.is_symlink():
            raise UpgradeError(f"{folder} is the folder of an environment: name its interpreter, {python}")
    if is_path:
        raise UpgradeError(
            f"{folder} is a folder without a project: name an interpreter, a version such as 2.20, or what pip installs"
        )
    return False


def _of_version(version: str, package: str) -> str:
    if ".dev" in version and package == RELEASES:
        return f"{NIGHTLIES}=={version}"
    return f"{package}=={version}" + (".*" if _SERIES.fullmatch(version) else "")


def _checked(text: str) -> str:
    if text[:1].isdigit():
        raise UpgradeError(f"{text} is no version: write one such as 2.20 or 2.20.0")
    try:
        Requirement(text)
    except InvalidRequirement as error:
        why = str(error).splitlines()[0]
        raise UpgradeError(f"{text} is neither a version, nor an interpreter, nor what pip installs: {why}") from None
    return text


@dataclass(frozen=True)
class Installs:
    """What else goes into both environments: words for pip, whose paths are absolute.

    `sources` are files and folders that may change while their names stay, `files` those of requirements among them.
    """

    words: tuple[str, ...] = ()
    sources: tuple[Path, ...] = ()
    files: frozenset[str] = frozenset()

    @classmethod
    def of(cls, install: Sequence[str], files: Sequence[str] = (), editable: Sequence[str] = ()) -> Installs:
        """Of the options `--install`, `-r` and `-e`; a value of the first may also begin with one of the others.

        Raises UpgradeError for a path that isn't there, and for what pip would not take.
        """
        words: list[str] = []
        sources: list[Path] = []
        of_requirements: set[str] = set()
        for option, text in [*_split(install), *(("-r", one) for one in files), *(("-e", one) for one in editable)]:
            if option == "-r":
                path = _existing(text, f"-r {text}")
                words += [option, path]
                named = requirement_files.files(Path(path)) or [Path(path)]
                sources += named
                of_requirements |= {str(one) for one in named}
            elif option == "-e":
                words += [option, text if "://" in text else _existing(text, f"-e {text}")]
                # What is linked is what it is now, whatever it was; what it needs isn't.
                sources += requirement_files.declared(Path(_path_of(words[-1])))
            elif _is_path(text):
                words.append(_existing(text, text))
                sources.append(Path(_path_of(words[-1])))
            else:
                words.append(_checked(text))
        return cls(tuple(words), tuple(sources), frozenset(of_requirements))


def _split(install: Sequence[str]) -> list[tuple[str, str]]:
    found = []
    for text in install:
        try:
            words = shlex.split(text) if text.startswith("-") else [text.strip()]
        except ValueError as error:
            raise UpgradeError(f"--install={text}: {error}") from None
        if len(words) == 2 and words[0] in {"-r", "-e"}:  # noqa: PLR2004 - the option and its value
            found.append((words[0], words[1]))
        elif len(words) == 1 and words[0] and not words[0].startswith("-"):
            found.append(("", words[0]))
        else:
            raise UpgradeError(f"--install={text}: name a requirement or a path, or write -r FILE or -e PATH")
    return found


def _is_path(text: str) -> bool:
    """As pip has it: a folder without a separator in its name is the name of a project."""
    return "://" not in text and (os.sep in text or text.startswith(".") or text.endswith(_ARCHIVES))


def _path_of(text: str) -> str:
    found = _WITH_EXTRAS.fullmatch(text)
    return found["path"] if found is not None else text


def _existing(text: str, said: str) -> str:
    """The absolute path of what is there, with its extras."""
    found = _WITH_EXTRAS.fullmatch(text)
    path = Path(_path_of(text)).expanduser().absolute()
    if not path.exists():
        raise UpgradeError(f"{said}: {path} isn't there")
    return f"{path}{(found['extras'] if found is not None else None) or ''}"


def base_python(python: str | None) -> str:
    """The interpreter of which environments are made: this one's own, or one that is named. Raises UpgradeError."""
    if python is None:
        return sys.executable
    found = shutil.which(python)
    if found is None:
        raise UpgradeError(f"--python={python}: there is no such interpreter")
    return str(Path(found).absolute())
