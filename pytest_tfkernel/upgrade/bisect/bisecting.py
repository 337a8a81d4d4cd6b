"""One bisection from its beginning to its answer: each candidate gets an environment, and is run there once."""

from __future__ import annotations

import argparse
import difflib
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.commands import Answer
from pytest_tfkernel.model.resources import printable
from pytest_tfkernel.report.document import Document
from pytest_tfkernel.suite.guarantees import GUARANTEES
from pytest_tfkernel.upgrade import installing, requirements, wishes
from pytest_tfkernel.upgrade.bisect import candidates, criteria
from pytest_tfkernel.upgrade.bisect.bisection import Boundary, CandidateLook, Search
from pytest_tfkernel.upgrade.bisect.candidates import Candidate, Releases
from pytest_tfkernel.upgrade.bisect.criteria import Criterion
from pytest_tfkernel.upgrade.bisect.telling import BisectionAnswer, as_json, text
from pytest_tfkernel.upgrade.building import Builder, BuiltEnvironment, InstallError
from pytest_tfkernel.upgrade.commands import Commands
from pytest_tfkernel.upgrade.environments import Environments
from pytest_tfkernel.upgrade.errors import UpgradeError
from pytest_tfkernel.upgrade.folder import DEFAULT, UpgradeFolder
from pytest_tfkernel.upgrade.progress import Progress, to_stderr
from pytest_tfkernel.upgrade.requirements import RELEASES, Wanted
from pytest_tfkernel.upgrade.running import PytestRuns, SuiteWishes
from pytest_tfkernel.upgrade.sides import of_environment

_NO_TENSORFLOW = "none"
_GUARANTEES = tuple(one.id for one in GUARANTEES)


@dataclass(frozen=True)
class Subject:
    """What is looked at: of the suite, or words for the pytest of your tests. `guarantee` is its name, if it is one."""

    suite: SuiteWishes | None
    tests: tuple[str, ...] = ()
    guarantee: str = ""

    @classmethod
    def of(cls, options: argparse.Namespace) -> Subject:
        """Of the words after `--`, of which the first one is the id. Raises UpgradeError."""
        words = tuple(options.rest)
        if not words or words[0].startswith("-"):
            raise UpgradeError(
                "usage error: --bisect, and nothing to look at: write `-- ID`, an id of the suite, the name of a"
                " guarantee, or an id of one of your tests"
            )
        wishes.check_rest(words)
        name = words[0]
        if not name.startswith(wishes.SUITE_ID) and name not in _GUARANTEES:
            return cls(None, words)
        if len(words) > 1 or options.no_suite:
            raise UpgradeError(f"usage error: {name} is of the suite: nothing else goes with it")
        if name in _GUARANTEES:
            return cls(replace(wishes.suite_wishes(options), keyword=name), (), name)
        return cls(wishes.suite_wishes(options, (name,)))

    def check(self) -> None:
        """Refuse what isn't there, before an environment is made for it. Raises UpgradeError."""
        for name in self.suite.selected if self.suite is not None else ():
            guarantee = name.removeprefix(wishes.SUITE_ID).partition("[")[0]
            if guarantee not in _GUARANTEES:
                raise UpgradeError(f"usage error: {name}: {guarantee} is no guarantee{_likely(guarantee)}")
        if self.tests and "--pyargs" not in self.tests:
            path = self.tests[0].partition("::")[0]
            if not Path(path).exists():
                raise UpgradeError(f"usage error: {path} is neither a file nor a guarantee{_likely(path)}")

    def play(self, runs: PytestRuns, python: str, name: str, what: str) -> Document:
        """CandidateLook at it once, with an interpreter. Raises UpgradeError."""
        if self.suite is None:
            return runs.tests(python, self.tests, name, what).document
        return criteria.only(runs.suite(self.suite, (python,), name, what), self.guarantee)


def _likely(name: str) -> str:
    found = difflib.get_close_matches(name, _GUARANTEES, n=1)
    return f": do you mean {found[0]}?" if found else ""


@dataclass(frozen=True)
class CandidateRun:
    """What came of a candidate: its documents, and the environment that was made for it, if it was made now."""

    documents: tuple[Document, ...]
    environment: BuiltEnvironment | None


def run(options: argparse.Namespace) -> Answer:
    """The whole of it. Raises UpgradeError, CompareError, DocumentError or TFKernelError."""
    if options.page is not None or options.markdown or options.fail_on or options.expect:
        raise UpgradeError("usage error: --page, --markdown, --fail-on and --expect are for a comparison, not --bisect")
    if options.tensorflow and not options.package:
        raise UpgradeError("usage error: --tensorflow is for --package: REF and CHANGED are TensorFlow itself")
    subject, criterion = Subject.of(options), Criterion.of(options.on)
    subject.check()
    ref, changed = (requirements.read(one, options.package or RELEASES) for one in (options.ref, options.changed))
    ingredients, beside = wishes.ingredients(options), _beside(options)
    progress = to_stderr()
    with UpgradeFolder(options.folder) as folder, Launcher() as launcher:
        made_of = wishes.setup(
            ingredients, folder, suite=subject.suite is not None, tests=bool(subject.tests), beside=beside
        )
        releases = candidates.between(made_of.index, ref, changed, nightlies=options.nightlies)
        commands = Commands(launcher)
        environments = Environments(
            folder.environments, Builder(installing.choose(options.installer), commands, progress), progress
        )
        runs = PytestRuns(folder.runs, commands, progress)

        def play(one: Candidate, what: str) -> CandidateRun:
            recipe = made_of.recipe(one.requirement)
            is_new = options.fresh or not environments.has(recipe)
            environment = environments.get(recipe, what, fresh=options.fresh)
            try:
                of_environment(launcher, environment)
                found = [
                    subject.play(runs, str(environment.python), f"bisect-{one}", what) for _ in range(criterion.repeats)
                ]
            except BaseException:
                if is_new:
                    environments.remove(environment)
                raise
            return CandidateRun(tuple(found), environment if is_new else None)

        try:
            told = Bisecting(releases, criterion, progress, play, environments.remove).run()
        finally:
            progress.clear()
    told = replace(told, command=_again(options, told))
    return 0, as_json(told) if options.json else text(told), ""


def _beside(options: argparse.Namespace) -> tuple[str, ...]:
    """The TensorFlow that stays the same, where another package is looked at."""
    if options.package is None or options.tensorflow == _NO_TENSORFLOW:
        return ()
    wanted = requirements.read(options.tensorflow) if options.tensorflow else Wanted(RELEASES, RELEASES)
    if not wanted.requirement:
        raise UpgradeError(f"usage error: --tensorflow={options.tensorflow}: name a version or what pip installs")
    return (wanted.requirement,)


class Bisecting:
    """Plays candidates until the boundary is known; keeps at most two of the environments that it has made.

    `play` runs one, `remove` has an environment no more.
    """

    def __init__(
        self,
        releases: Releases,
        criterion: Criterion,
        progress: Progress,
        play: Callable[[Candidate, str], CandidateRun],
        remove: Callable[[BuiltEnvironment], object],
    ) -> None:
        self._candidates = releases.candidates
        self._absent = releases.absent
        self._criterion = criterion
        self._progress = progress
        self._play = play
        self._remove = remove
        self._search = Search(len(self._candidates))
        self._runs: dict[int, CandidateRun] = {}
        self._skipped: dict[int, str] = {}

    def run(self) -> BisectionAnswer:
        """Find it. Raises UpgradeError where the ends can't be told apart."""
        last = len(self._candidates) - 1
        self._progress.say(f"{last + 1} releases from {self._candidates[0]} to {self._candidates[last]}")
        for place in (0, last):
            self._end(place)
        while (inner := self._search.next()) is not None:
            self._inner(inner)
        return self._told(self._search.boundary())

    def _end(self, place: int) -> None:
        found = self._runs[place] = self._play(self._candidates[place], self._what(place))
        why = criteria.unknown(found.documents[0])
        if why:
            raise UpgradeError(f"{self._candidates[place]}: nothing can be told of an end: {why}")
        ref = self._runs[0]
        if place and self._criterion.look(ref.documents, ref.documents, found.documents) is CandidateLook.AS_REF:
            words = "; ".join(self._criterion.words(found.documents))
            raise UpgradeError(
                f"{self._candidates[0]} and {self._candidates[place]} don't differ in {self._criterion.word}: {words}"
            )

    def _inner(self, place: int) -> None:
        what = self._what(place)
        try:
            found = self._play(self._candidates[place], what)
        except UpgradeError as error:
            if isinstance(error, InstallError) and error.failure.is_general:
                raise
            self._skip(place, str(error).removeprefix(what).lstrip(": "))
            return
        why = criteria.unknown(found.documents[0])
        if why:
            self._skip(place, why)
        else:
            ref, changed = self._runs[0], self._runs[len(self._candidates) - 1]
            look = self._criterion.look(ref.documents, changed.documents, found.documents)
            self._search.note(place, look)
            self._progress.say(f"{self._candidates[place]} is {self._words(look)}")
        self._runs[place] = found
        self._tidy()

    def _skip(self, place: int, why: str) -> None:
        self._search.note(place, CandidateLook.SKIPPED)
        self._skipped[place] = why
        self._progress.say(f"{self._candidates[place]} is skipped: {why}")

    def _tidy(self) -> None:
        """Keep the environments of both sides of what is left."""
        keep = self._search.ends
        for place, one in self._runs.items():
            if place not in keep and one.environment is not None:
                self._remove(one.environment)
                self._runs[place] = replace(one, environment=None)

    def _what(self, place: int) -> str:
        return f"{self._candidates[place]}, try {len(self._runs) + len(self._skipped) + 1} of {self._search.most}"

    def _words(self, look: CandidateLook) -> str:
        ref, changed = self._candidates[0], self._candidates[-1]
        if look is CandidateLook.OTHER:
            return f"neither as {ref} nor as {changed}"
        return f"as {ref if look is CandidateLook.AS_REF else changed}"

    def _told(self, boundary: Boundary) -> BisectionAnswer:
        names = [str(one) for one in self._candidates]
        last, first = self._runs[boundary.last], self._runs[boundary.first]
        return BisectionAnswer(
            ref=names[0],
            changed=names[-1],
            last=names[boundary.last],
            first=names[boundary.first],
            on=self._criterion.word,
            before=tuple(self._criterion.words(last.documents)),
            after=tuple(self._criterion.words(first.documents)),
            releases=len(names),
            tried=tuple(names[place] for place in [*self._runs]),
            skipped={names[place]: why for place, why in sorted(self._skipped.items())},
            between=tuple(names[place] for place in boundary.between),
            absent=dict(self._absent),
            odd=tuple((names[place], self._words(self._search.look(place))) for place in boundary.odd),
            untried=boundary.untried,
        )


def _again(options: argparse.Namespace, told: BisectionAnswer) -> str:
    """The line that looks at both sides of the change again."""
    words = ["pytest-tfkernel", "upgrade", "--bisect", told.last, told.first]
    for name in ("package", "tensorflow", "on", "python", "installer", "size"):
        value = getattr(options, name)
        words += [f"--{name}={value}"] if value else []
    for name in ("install", "requirement", "editable", "provisioner", "require", "allow"):
        words += [f"--{name}={value}" for value in getattr(options, name)]
    words += [f"--workers={options.workers}"] if options.workers else []
    words += [f"--folder={options.folder}"] if str(options.folder) != DEFAULT else []
    words += ["--nightlies"] if options.nightlies else []
    return printable(shlex.join([*words, "--", *options.rest]))
