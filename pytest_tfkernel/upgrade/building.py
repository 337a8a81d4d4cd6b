"""Puts into an environment what it is to have; what goes wrong is said in the words of the installer."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel.upgrade import conflicts, installing
from pytest_tfkernel.upgrade.commands import CommandLine, Runs
from pytest_tfkernel.upgrade.errors import UpgradeError
from pytest_tfkernel.upgrade.installing import Installer, InstallFailure
from pytest_tfkernel.upgrade.progress import Progress, ProgressStep
from pytest_tfkernel.upgrade.recipes import Recipe

_PACKAGES = "lib/python*/site-packages"
_LIKELY = re.compile(r"tensorflow|^tf_")


@dataclass(frozen=True)
class BuiltEnvironment:
    """One that is whole. `python` is its interpreter."""

    folder: Path
    python: Path


class InstallError(UpgradeError):
    """Something could not be installed; `failure` says what."""

    def __init__(self, text: str, failure: InstallFailure) -> None:
        super().__init__(text)
        self.failure = failure


class Builder:
    """Makes environments with an installer. Raises UpgradeError, and InstallError of them, as all its methods."""

    def __init__(self, installer: Installer, commands: Runs, progress: Progress) -> None:
        self._installer = installer
        self._commands = commands
        self._progress = progress

    def build(self, found: BuiltEnvironment, recipe: Recipe, what: str) -> None:
        """Make one where there is nothing. `what` is what people call it."""
        with self._installing(what) as step:
            order = self._installer.create(recipe.python, found.folder)
            self._run(order, _log(found), step, recipe, what)
            self._install(found, recipe, what, recipe.words, step)
        if recipe.imported:
            with self._progress.begin(f"{what}: importing {recipe.imported}") as step:
                self._import(found, recipe, what, step)

    def renew(self, found: BuiltEnvironment, recipe: Recipe, what: str, anew: Sequence[str]) -> None:
        """Install what has changed, of which these have the version that they had."""
        with self._installing(what) as step:
            if anew:
                self._install(found, recipe, what, ("--force-reinstall", "--no-deps", *anew), step)
            self._install(found, recipe, what, recipe.words, step)

    def _installing(self, what: str) -> ProgressStep:
        return self._progress.begin(f"{what}: installing with {self._installer.name}")

    def _install(
        self, found: BuiltEnvironment, recipe: Recipe, what: str, words: Sequence[str], step: ProgressStep
    ) -> None:
        self._run(self._installer.install(found.python, words), _log(found), step, recipe, what)
        _check_there(found, recipe, what)
        twice = tensorflows(found.folder)
        if len(twice) > 1:
            raise UpgradeError(
                f"{what}: {' and '.join(twice)} are both the module tensorflow, and one has written over the other:"
                f" what you install wants another distribution than {', '.join(recipe.requirements)}: name that one"
            )

    def _run(self, order: Sequence[str], log: Path, step: ProgressStep, recipe: Recipe, what: str) -> None:
        status = self._commands.run(CommandLine(tuple(order), installing.NOT_OURS, Path.cwd()), log, step.tick)
        if status.code != 0:
            failure = installing.explain(_read(log), free=shutil.disk_usage(log.parent).free)
            whose = conflicts.whose(failure.why, recipe) if failure.is_conflict else ""
            raise InstallError(f"{what} can't be installed: {failure.why}{whose}", failure)

    def _import(self, found: BuiltEnvironment, recipe: Recipe, what: str, step: ProgressStep) -> None:
        log = _log(found)
        words = (str(found.python), "-I", "-c", f"import {recipe.imported}")
        line = CommandLine(words, installing.NOT_OURS, found.folder)
        if self._commands.run(line, log, step.tick).code != 0:
            why = installing.explain(_read(log)).why
            raise UpgradeError(f"{what}: {recipe.imported} can't be imported there: {why}")


def _log(found: BuiltEnvironment) -> Path:
    """Where the next command's words go; beside the environment, which may be removed."""
    log = found.folder.with_name(f"{found.folder.name}.log")
    with contextlib.suppress(OSError):
        log.unlink(missing_ok=True)
    return log


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def _check_there(found: BuiltEnvironment, recipe: Recipe, what: str) -> None:
    """An installer may have been told to install elsewhere, by settings that we don't know."""
    metadata = f"{'-'.join(recipe.plugin.name.split('-')[:2])}.dist-info"
    if not any(found.folder.glob(f"{_PACKAGES}/{metadata}")):
        raise UpgradeError(
            f"{what}: what is said to be installed isn't in {found.folder}: a setting has pip or uv put it elsewhere"
            f" (`{recipe.python} -m pip config list` tells those of pip)"
        )


def tensorflows(folder: Path) -> list[str]:
    """The distributions of an environment that have the module tensorflow, with their versions."""
    records = folder.glob(f"{_PACKAGES}/*.dist-info/RECORD")
    # Others have thousands of files.
    likely = [one for one in sorted(records) if _LIKELY.search(one.parent.name.lower())]
    return [one.parent.name.removesuffix(".dist-info").replace("-", " ") for one in likely if _has_tensorflow(one)]


def _has_tensorflow(record: Path) -> bool:
    try:
        with record.open(encoding="utf-8", errors="replace") as file:
            return any(line.startswith("tensorflow/__init__.py,") for line in file)
    except OSError:
        return False
