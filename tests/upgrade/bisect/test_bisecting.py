"""A bisection as a whole: over small packages, with environments that take no time; and over runs by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from packaging.version import Version

import documents
from projects import Project, canned
from pytest_tfkernel.upgrade.bisect.bisecting import Bisecting, CandidateRun
from pytest_tfkernel.upgrade.bisect.candidates import Candidate, Releases
from pytest_tfkernel.upgrade.bisect.criteria import Criterion
from pytest_tfkernel.upgrade.bisect.telling import BisectionAnswer
from pytest_tfkernel.upgrade.building import BuiltEnvironment, InstallError
from pytest_tfkernel.upgrade.errors import UpgradeError
from pytest_tfkernel.upgrade.installing import InstallFailure
from pytest_tfkernel.upgrade.progress import Progress

FOUND, CANNOT = 0, 2


class ByHand:
    """Plays candidates as a history has them: a letter each. `kept` are the environments that are there."""

    def __init__(self, history: str) -> None:
        self.kept: set[Path] = set()
        self.most = 0
        self.made = 0
        self._history = history
        self.said: list[str] = []

    def run(self) -> BisectionAnswer:
        candidates = tuple(Candidate(Version(f"1.{number}"), f"x==1.{number}") for number in range(len(self._history)))
        progress = Progress(self.said.append, watched=False)
        return Bisecting(Releases(candidates), Criterion.of(None), progress, self._play, self._remove).run()

    def _play(self, one: Candidate, what: str) -> CandidateRun:
        letter = self._history[one.version.minor]
        if letter == "n":
            raise InstallError("no network", InstallFailure("no network", is_general=True))
        if letter == "i":
            raise UpgradeError(f"{what} can't be installed")
        self.made += 1
        folder = Path(str(one))
        self.kept.add(folder)
        # That of the one that is tried now, too.
        self.most = max(self.most, len(self.kept))
        outcome = {"p": "passed", "f": "failed", "s": "skipped"}[letter]
        document = documents.with_test(documents.document(0, tests=1), 0, outcome=outcome)
        return CandidateRun((document,), BuiltEnvironment(folder, folder / "python"))

    def _remove(self, environment: BuiltEnvironment) -> None:
        self.kept.remove(environment.folder)


@pytest.mark.parametrize(
    ("history", "last", "first", "skipped"),
    [
        ("ppppffff", "1.3", "1.4", []),
        ("pf", "1.0", "1.1", []),
        ("fffp", "1.2", "1.3", []),
        ("pppifff", "1.2", "1.4", ["1.3"]),
        ("ppsspff", "1.4", "1.5", ["1.2", "1.3"]),
    ],
)
def test_both_sides_of_the_change_are_kept_and_no_other(
    history: str, last: str, first: str, skipped: list[str]
) -> None:
    played = ByHand(history)
    told = played.run()
    assert (told.last, told.first, [*told.skipped]) == (last, first, skipped)
    # The name stands before it.
    assert {*told.skipped.values()} <= {"can't be installed", "skipped"}
    assert played.kept == {Path(last), Path(first)}
    assert played.most <= 3
    assert set(told.tried) >= {"1.0", f"1.{len(history) - 1}", last, first}


def test_ends_that_do_not_differ_or_say_nothing_are_a_line() -> None:
    with pytest.raises(UpgradeError, match=r"1\.0 and 1\.2 don't differ in outcome: passed"):
        ByHand("pfp").run()
    with pytest.raises(UpgradeError, match=r"1\.0: nothing can be told of an end: skipped"):
        ByHand("sff").run()
    with pytest.raises(UpgradeError, match="1.2, try 2 of 4 can't be installed"):
        ByHand("pfi").run()


def test_what_holds_for_all_others_too_ends_it() -> None:
    with pytest.raises(InstallError, match="no network"):
        ByHand("pnf").run()


def releases(project: Project, name: str, values: str, module: str) -> None:
    for number, value in enumerate(values):
        source = f"value = {value}\n" if value != "x" else "raise ImportError('built for another one')\n"
        project.release(f"2.{10 + number}.0", source, name, module)


def test_the_release_that_broke_a_test_is_found(project: Project) -> None:
    releases(project, "tensorflow-cpu", "112", "tensorflow")
    said = project("--bisect", "2.10", "2.12", "--", "tests/test_mine.py::test_value")
    assert said.code == FOUND
    assert said.out.splitlines()[:3] == [
        "first differs in 2.12.0; 2.11.0 is as 2.10.0 was",
        "  2.11.0: passed",
        "  2.12.0: failed: AssertionError: assert 2 == 1 + where 2 = tensorflow.value",
    ]
    again = said.out.splitlines()[-1]
    assert again == "again: pytest-tfkernel upgrade --bisect 2.11.0 2.12.0 -- tests/test_mine.py::test_value"
    assert "upgrade: 2.11.0 is as 2.10.0\n" in said.err
    assert [name.rpartition("-")[0] for name in project.environments()] == [
        "tensorflow-cpu-2.11.0",
        "tensorflow-cpu-2.12.0",
    ]


@pytest.mark.soak
def test_another_package_may_be_to_blame(project: Project) -> None:
    releases(project, "tiny", "1x2", "tiny")
    project.write(
        "tests/test_mine.py",
        "import tensorflow, tiny\ndef test_it(): assert (tensorflow.value, tiny.value) == (2, 1)\n",
    )
    words = ("--bisect", "--package=tiny", "2.10", "2.12", "--tensorflow=2.21", "--json")
    said = project(*words, "--", "tests/test_mine.py::test_it")
    assert said.code == FOUND
    # A file that can't be imported is none that was seen to fail.
    told = json.loads(said.out)
    assert (told["last"], told["first"], told["between"]) == ("2.10.0", "2.12.0", ["2.11.0"])
    assert "built for another one" in told["skipped"]["2.11.0"]
    assert "--package=tiny --tensorflow=2.21" in told["command"]


def test_a_guarantee_is_played_alone(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in canned(tmp_path).items():
        monkeypatch.setenv(name, text)
    said = project("--bisect", "2.18", "2.21", "--size=smoke", "--", "graph-add")
    assert said.code == CANNOT
    assert said.line == "upgrade: 2.18.1 and 2.21.0 don't differ in outcome: PASS"
