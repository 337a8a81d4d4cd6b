"""One upgrade from its beginning to its answer: environments, the suite in both, your tests in each, the comparison."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.commands import Answer
from pytest_tfkernel.model.resources import printable
from pytest_tfkernel.report.compare.command import shown
from pytest_tfkernel.report.compare.pairs import Side
from pytest_tfkernel.report.document import Document
from pytest_tfkernel.report.store import DocumentError, load
from pytest_tfkernel.upgrade import installing, requirements
from pytest_tfkernel.upgrade.answering import Rules, answer, summarize, write
from pytest_tfkernel.upgrade.building import Builder
from pytest_tfkernel.upgrade.commands import Commands
from pytest_tfkernel.upgrade.environments import Environments
from pytest_tfkernel.upgrade.errors import UpgradeError
from pytest_tfkernel.upgrade.folder import UpgradeFolder
from pytest_tfkernel.upgrade.merging import joined, of_label
from pytest_tfkernel.upgrade.progress import Progress, to_stderr
from pytest_tfkernel.upgrade.requirements import Installs, Wanted
from pytest_tfkernel.upgrade.running import PytestRuns, RunPlaces, SuiteWishes
from pytest_tfkernel.upgrade.sides import Preparing, UpgradeSide
from pytest_tfkernel.upgrade.wishes import SUITE_ID, check_rest, ingredients, setup, suite_wishes

_NAMES = ("ref", "changed")


@dataclass(frozen=True)
class UpgradeWishes:
    """What was asked for. `tests` are words for the pytest of your tests, `suite` is None where it isn't run."""

    ref: Wanted
    changed: Wanted
    suite: SuiteWishes | None
    tests: tuple[str, ...]
    rules: Rules
    ingredients: tuple[Installs, str]


def _wishes(options: argparse.Namespace) -> UpgradeWishes:
    """Read and check the options, before anything is made. Raises UpgradeError, CompareError or DocumentError."""
    for name in ("on", "nightlies", "package", "tensorflow"):
        if getattr(options, name):
            raise UpgradeError(f"usage error: --{name} is for --bisect")
    ids = tuple(word for word in options.rest if word.startswith(SUITE_ID))
    tests = tuple(word for word in options.rest if not word.startswith(SUITE_ID))
    check_rest(tests)
    if options.no_suite and (ids or not tests):
        what = "ids of it are named" if ids else "no tests are named: write `-- tests`"
        raise UpgradeError(f"usage error: --no-suite, and {what}")
    ref, changed = requirements.read(options.ref), requirements.read(options.changed)
    if ref.identity == changed.identity:
        raise UpgradeError(f"usage error: {ref.said} and {changed.said} are one and the same: nothing could differ")
    rules = Rules.of(options.fail_on, options.expect, options.page)
    suite = None if options.no_suite else suite_wishes(options, ids)
    return UpgradeWishes(ref, changed, suite, tests, rules, ingredients(options))


def run(options: argparse.Namespace) -> Answer:
    """The whole of it. Raises UpgradeError, CompareError, DocumentError or TFKernelError."""
    asked = _wishes(options)
    progress = to_stderr()
    installer = installing.choose(options.installer)
    with UpgradeFolder(options.folder) as folder, Launcher() as launcher:
        made_of = setup(asked.ingredients, folder, suite=asked.suite is not None, tests=bool(asked.tests))
        commands = Commands(launcher)
        environments = Environments(folder.environments, Builder(installer, commands, progress), progress)
        preparing = Preparing(made_of, environments, launcher)
        try:
            for name in ("suite", *(f"tests-{one}" for one in _NAMES)):
                RunPlaces.of(folder.runs, name).clear()
            pair = preparing.both(asked.ref, asked.changed, commands.stop, fresh=options.fresh)
            runs = PytestRuns(folder.runs, commands, progress)
            documents, notes = _play(asked, pair, runs)
        finally:
            progress.clear()
        # Where nothing can be compared, they are why.
        for note in notes:
            progress.say(note)
        paths = [folder.runs / f"{name}.json" for name in _NAMES]
        for path, document in zip(paths, documents, strict=True):
            write(path, document)
        ref, changed = (Side(_short(path), one) for path, one in zip(paths, documents, strict=True))
        found = answer(asked.rules, ref, changed)
        _tell(progress, summarize(found), ref, changed, asked)
        return found.exit_code, shown(found, options), ""


def _tell(progress: Progress, trouble: str, ref: Side, changed: Side, asked: UpgradeWishes) -> None:
    if trouble:
        progress.say(trouble)
    progress.say(f"wrote {ref.name} and {changed.name}")
    if asked.rules.page is not None:
        progress.say(f"wrote {asked.rules.page}")


def _play(
    asked: UpgradeWishes, pair: tuple[UpgradeSide, UpgradeSide], runs: PytestRuns
) -> tuple[list[Document], list[str]]:
    """The document of each side, and what a person must know beside."""
    suites: list[Document | None] = [None, None]
    if asked.suite is not None:
        suites = [*_suite(asked.suite, pair, runs)]
    tests: list[Document | None] = [None, None]
    notes: list[str] = []
    if asked.tests:
        for number, side in enumerate(pair):
            what = f"your tests with {side.name} ({number + 1} of 2)"
            found = runs.tests(side.python, asked.tests, f"tests-{_NAMES[number]}", what)
            tests[number] = found.document
            notes += [f"with {side.name}, {name} can't be collected: {why}" for name, why in found.far.uncollected]
    return [joined(suite, own) for suite, own in zip(suites, tests, strict=True)], notes


def _suite(asked: SuiteWishes, pair: tuple[UpgradeSide, UpgradeSide], runs: PytestRuns) -> Iterator[Document]:
    labels = labels_of(pair)
    selected = [labelled(one, label) for one in asked.selected for label in labels]
    wanted = SuiteWishes(asked.options, asked.workers, tuple(dict.fromkeys(selected)))
    whole = runs.suite(wanted, [side.python for side in pair])
    for label in labels:
        yield of_label(whole, label)


def labels_of(pair: tuple[UpgradeSide, UpgradeSide]) -> tuple[str, str]:
    """What both are called in one run."""
    ref, changed = (side.interpreter.label for side in pair)
    return ref, changed if changed != ref else f"{changed}-2"


def labelled(nodeid: str, label: str) -> str:
    """An id of a run with one interpreter, in one with several."""
    name, bracket, setting = nodeid.partition("[")
    return nodeid if "/" in setting or not bracket else f"{name}[{label}/{setting}"


def left_by(options: argparse.Namespace) -> str:
    """What can be done with what an interrupted upgrade has written, in words that go on a sentence."""
    words = ": run again, it goes on with the environments that are ready"
    runs = options.folder / "runs"
    found = [RunPlaces.of(runs, name) for name in ("tests-ref", "tests-changed")]
    paths = [place.document if place.document.exists() else place.aside for place in found]
    if all(path.exists() for path in paths):
        words += f"; `pytest-tfkernel compare {shlex.join(map(str, paths))}` compares what your tests did so far"
    suite = RunPlaces.of(runs, "suite")
    path = suite.document if suite.document.exists() else suite.aside
    if _labels(path):
        kernels = shlex.join(f"--kernel={one}" for one in _labels(path))
        words += f"; `pytest-tfkernel compare {shlex.quote(str(path))} {kernels}` what the suite saw"
    return printable(words)


def _labels(path: Path) -> list[str]:
    """Those of a run with several kernels."""
    try:
        return [one.label for one in load(path).environment.kernels]
    except DocumentError:
        return []


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)
