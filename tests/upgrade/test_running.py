"""What is run, and what is read of it; nobody runs pytest here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import documents
from pytest_tfkernel.model.processes import ExitStatus
from pytest_tfkernel.report.document import Document
from pytest_tfkernel.upgrade.commands import CommandLine
from pytest_tfkernel.upgrade.errors import UpgradeError
from pytest_tfkernel.upgrade.progress import Progress
from pytest_tfkernel.upgrade.running import PytestRuns, RunPlaces, SuiteWishes, reason


class Runs:
    """Stands in for what runs commands: writes what pytest would have written."""

    def __init__(self, status: ExitStatus, document: Document | None = None, log: str = "") -> None:
        self.commands: list[CommandLine] = []
        self._status = status
        self._document = document
        self._log = log
        self.progress = ""

    def run(self, command: CommandLine, log: Path, tick: Callable[[], object] = lambda: None) -> ExitStatus:
        self.commands.append(command)
        log.write_text(self._log, encoding="utf-8")
        path = next(word.partition("=")[2] for word in command.words if word.startswith("--tfkernel-report="))
        if self._document is not None:
            documents.write(Path(path), self._document)
        Path(path).with_suffix(".progress").write_text(self.progress, encoding="utf-8")
        tick()
        return self._status


OK = ExitStatus(code=0)


def runs(folder: Path, stand_in: Runs) -> PytestRuns:
    return PytestRuns(folder, stand_in, Progress(lambda _: None, watched=False))


def test_the_suite_runs_whatever_lies_around(tmp_path: Path) -> None:
    stand_in = Runs(OK, documents.document())
    wishes = SuiteWishes(("--tfkernel-size=smoke",), 2, ("tfkernel::a[b]",))
    assert runs(tmp_path, stand_in).suite(wishes, ("/old/python", "/new/python")).complete
    (command,) = stand_in.commands
    assert command.folder == tmp_path
    assert command.words[0] == sys.executable
    assert {"-c", "/dev/null", "--noconftest", "--tfkernel", "--tfkernel-size=smoke", "-n", "2"} <= set(command.words)
    assert [word for word in command.words if word.startswith("--tfkernel-python")] == [
        "--tfkernel-python=/old/python",
        "--tfkernel-python=/new/python",
    ]
    assert command.words[-1] == "tfkernel::a[b]"
    # `-k` for your tests would leave out a part of it, and nobody would know.
    assert command.environment == dict.fromkeys(("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD"))


def test_your_tests_run_where_you_are_with_the_pytest_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "env/bin").mkdir(parents=True)
    (tmp_path / "env/pyvenv.cfg").touch()
    stand_in = Runs(OK, documents.document())
    runs(tmp_path, stand_in).tests(str(tmp_path / "env/bin/python"), ("tests", "-k", "x"), "ref", "your tests")
    (command,) = stand_in.commands
    assert command.folder == tmp_path
    assert command.words[:3] == (str(tmp_path / "env/bin/python"), "-m", "pytest")
    assert command.words[6:9] == ("tests", "-k", "x")
    assert command.environment["VIRTUAL_ENV"] == str(tmp_path / "env")
    assert str(command.environment["PATH"]).startswith(f"{tmp_path}/env/bin:")


@pytest.mark.parametrize("status", [ExitStatus(code=2), ExitStatus(code=3), ExitStatus(signal=11)])
def test_what_a_run_that_was_cut_has_seen_counts(tmp_path: Path, status: ExitStatus) -> None:
    import msgspec

    cut = msgspec.structs.replace(documents.document(), complete=False, end=None)
    found = runs(tmp_path, Runs(status, cut)).tests("/python", (), "ref", "your tests")
    assert not found.document.complete
    assert len(found.document.tests) == 3


@pytest.mark.parametrize(
    ("status", "log", "said"),
    [
        (
            ExitStatus(code=4),
            "ERROR: file or directory not found: x\n\n",
            "exit code 4: file or directory not found: x;",
        ),
        (
            ExitStatus(code=4),
            "ERROR: usage: python -m pytest [options]\npython -m pytest: error: unrecognized arguments: -n\n  inifile: None",
            "exit code 4: unrecognized arguments: -n;",
        ),
        (ExitStatus(code=5), "no tests ran\n", "exit code 5: there is no such test;"),
        (ExitStatus(code=2), "words\n", "exit code 2: words;"),
        (ExitStatus(code=1), "No module named pytest\n", "exit code 1: No module named pytest;"),
        (ExitStatus(signal=9), "", "SIGKILL: it said nothing;"),
    ],
)
def test_one_that_has_seen_nothing_is_a_line(tmp_path: Path, status: ExitStatus, log: str, said: str) -> None:
    # What an earlier run has left is none of this one.
    documents.write(tmp_path / "ref.json", documents.document())
    with pytest.raises(UpgradeError) as refused:
        runs(tmp_path, Runs(status, None, log)).tests("/python", (), "ref", "your tests")
    assert f"your tests can't be run: pytest ended with {said} see {tmp_path}/ref.log" in str(refused.value)


def test_one_that_can_collect_nothing_says_why(tmp_path: Path) -> None:
    stand_in = Runs(ExitStatus(code=1), documents.document(0, tests=0))
    stand_in.progress = '{"uncollected": ["tests/test_a.py", "ImportError: gone"]}\n'
    with pytest.raises(
        UpgradeError, match="your tests can't be run: tests/test_a.py can't be collected: ImportError: gone"
    ):
        runs(tmp_path, stand_in).tests("/python", (), "ref", "your tests")


def test_a_conftest_that_cannot_be_imported_is_named_with_the_error(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "ImportError while loading conftest '/x/conftest.py'.\nconftest.py:1: in <module>\n    import y\n"
        "E   ModuleNotFoundError: No module named 'y'\n"
    )
    expected = "ImportError while loading conftest '/x/conftest.py'. ModuleNotFoundError: No module named 'y'"
    assert reason(log) == expected
    assert reason(tmp_path / "none") == "No such file or directory"


def test_places_are_cleared(tmp_path: Path) -> None:
    places = RunPlaces.of(tmp_path, "ref")
    for path in (places.document, places.aside, places.log, places.progress):
        path.touch()
    places.clear()
    assert list(tmp_path.iterdir()) == []
