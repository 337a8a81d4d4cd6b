"""The runs of pytest: the suite with interpreters in turns, and your own tests in an environment."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel.model.processes import ExitStatus
from pytest_tfkernel.report.document import Document
from pytest_tfkernel.report.store import INCOMPLETE, DocumentError, load
from pytest_tfkernel.report.tracebacks import last_error
from pytest_tfkernel.upgrade import progress as progresses
from pytest_tfkernel.upgrade.commands import CommandLine, Runs
from pytest_tfkernel.upgrade.errors import UpgradeError
from pytest_tfkernel.upgrade.progress import Far, Progress

# For the pytest of your tests; in the suite's they would take out a part of it, or ask for what isn't there.
_FOR_TESTS = dict.fromkeys(("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD"))
# pytest's own: everything passed; something failed, which the comparison weighs.
_PLAYED = (0, 1)
# It didn't begin: it was asked for what isn't there, or there is nothing.
_USAGE, _NOTHING = 4, 5
_LONGEST = 600
_UNKNOWN = re.compile(r"\S.*? -m pytest: error: (.*)")


@dataclass(frozen=True)
class SuiteWishes:
    """What of the suite is run: options of its own, workers of pytest-xdist, ids, or what fits a word of `-k`."""

    options: tuple[str, ...] = ()
    workers: int = 0
    selected: tuple[str, ...] = ()
    keyword: str = ""


@dataclass(frozen=True)
class RunPlaces:
    """Where a run leaves its document, its log, and how far it is."""

    document: Path
    log: Path
    progress: Path

    @classmethod
    def of(cls, folder: Path, name: str) -> RunPlaces:
        """Those of a run of this name."""
        return cls(folder / f"{name}.json", folder / f"{name}.log", folder / f"{name}.progress")

    @property
    def aside(self) -> Path:
        """What a run that was cut short leaves."""
        return self.document.with_name(self.document.name + INCOMPLETE)

    def clear(self) -> None:
        """What an earlier run has left must not be taken for this one's."""
        for path in (self.document, self.aside, self.log, self.progress):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


@dataclass(frozen=True)
class TestsRun:
    """What came of your own tests; `far` says how far they came, and what could not be collected."""

    document: Document
    far: Far


class PytestRuns:
    """Runs pytest, and reads what it has seen."""

    def __init__(self, folder: Path, commands: Runs, progress: Progress) -> None:
        self._folder = folder
        self._commands = commands
        self._progress = progress

    def suite(
        self, wishes: SuiteWishes, pythons: Sequence[str], name: str = "suite", what: str = "the suite"
    ) -> Document:
        """Run the suite in kernels of these interpreters. Raises UpgradeError."""
        places = RunPlaces.of(self._folder, name)
        # Whatever lies around: no ini file, no conftest, no cache.
        alone = ["-c", os.devnull, f"--rootdir={self._folder}", "--noconftest", "-p", "no:cacheprovider"]
        begin = [sys.executable, *(["-I"] if sys.flags.isolated else []), "-m", "pytest", "-p", "tfkernel", *alone]
        words = [*begin, "--tfkernel", *wishes.options, *(["-n", str(wishes.workers)] if wishes.workers else [])]
        words += [f"--tfkernel-python={one}" for one in pythons]
        words += ["-k", wishes.keyword] if wishes.keyword else []
        command = CommandLine((*words, *_told(places), *wishes.selected), _FOR_TESTS, self._folder)
        return self._run(command, places, what).document

    def tests(self, python: str, words: Sequence[str], name: str, what: str) -> TestsRun:
        """Run your own tests with the pytest of an interpreter. Raises UpgradeError."""
        places = RunPlaces.of(self._folder, name)
        # What still can be collected is compared.
        begin = [python, "-m", "pytest", "-p", "tfkernel", "--continue-on-collection-errors"]
        command = CommandLine((*begin, *words, *_told(places)), _inside(Path(python)), Path.cwd())
        found = self._run(command, places, what)
        if not found.document.tests and found.far.uncollected:
            path, why = found.far.uncollected[0]
            raise UpgradeError(f"{what} can't be run: {path} can't be collected: {why}; see {places.log}")
        return found

    def _run(self, command: CommandLine, places: RunPlaces, what: str) -> TestsRun:
        places.clear()
        with self._progress.begin(what) as step:
            step.detail = lambda: str(progresses.read(places.progress))
            status = self._commands.run(command, places.log, step.tick)
            return TestsRun(_document(status, places, what), progresses.read(places.progress))


def _told(places: RunPlaces) -> list[str]:
    return [f"--tfkernel-report={places.document}", f"--tfkernel-progress={places.progress}"]


def _inside(python: Path) -> dict[str, str | None]:
    """What `activate` of an environment sets; of an interpreter that is in none, nothing."""
    if not (python.parent.parent / "pyvenv.cfg").exists():
        return {}
    path = os.pathsep.join(filter(None, [str(python.parent), os.environ.get("PATH")]))
    return {"PATH": path, "VIRTUAL_ENV": str(python.parent.parent)}


def _document(status: ExitStatus, places: RunPlaces, what: str) -> Document:
    """What was seen, if only a part of it."""
    if status.code not in {_USAGE, _NOTHING}:
        with contextlib.suppress(DocumentError):
            found = load(places.document if places.document.exists() else places.aside)
            if status.code in _PLAYED or found.verdicts or found.tests:
                return found
    said = "there is no such test" if status.code == _NOTHING else reason(places.log)
    raise UpgradeError(f"{what} can't be run: pytest ended with {_ended(status)}: {said}; see {places.log}")


def _ended(status: ExitStatus) -> str:
    return f"exit code {status.code}" if status.code is not None else str(status)


def reason(log: Path) -> str:
    """What pytest says of why it could not run, in one line."""
    try:
        lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError as error:
        return f"{error.strerror}"
    lines = [line for line in lines if line]
    usage = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    # Of an option that isn't known it tells first what it knows.
    usage = [unknown[1] for line in lines if (unknown := _UNKNOWN.match(line))] or usage
    conftest = [line for line in lines if line.startswith("ImportError while loading conftest")]
    raised = last_error(lines)
    found = [*(usage or conftest[:1]), *([raised] if raised else [])] or lines[-1:] or ["it said nothing"]
    words = " ".join(" ".join(found).split())
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}..."
