"""`tox -e upgrade`: two environments, two runs, one comparison. Neither pip nor TensorFlow is called here."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import documents
from pytest_tfkernel.report.document import Document

SCRIPT = Path(__file__).parents[2] / ".ci/upgrade.py"
OLD, NEW = documents.document(tensorflow="2.20.0"), documents.document(tensorflow="2.21.0")
WORSE = documents.with_verdict(NEW, 0, verdict="FAIL", reason="it lives")


class Commands:
    """Stands in for the runs of commands: notes them, and writes the documents that pytest would have written."""

    def __init__(self, *written: Document | None) -> None:
        self.called: list[tuple[str, ...]] = []
        self.codes = {"pytest": 0, "pip": 0}
        self._written = list(written)

    def __call__(self, *command: str) -> int:
        self.called.append(command)
        module = command[2]
        if module == "pytest_tfkernel":
            return subprocess.run(command, check=False).returncode
        if module == "pytest":
            path = next(word.partition("=")[2] for word in command if word.startswith("--tfkernel-report="))
            found = self._written.pop(0)
            if found is not None:
                documents.write(Path(path), found)
        return self.codes.get(module, 0)

    def words(self, module: str) -> list[tuple[str, ...]]:
        return [command for command in self.called if command[2] == module]


Load = Callable[[Commands], ModuleType]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    def load(commands: Commands) -> ModuleType:
        spec = importlib.util.spec_from_file_location("upgrade", SCRIPT)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setattr(module, "run", commands)
        return module

    monkeypatch.setenv("TFKERNEL_UPGRADE_FOLDER", str(tmp_path / "runs"))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return load


def test_versions_and_requirements_get_environments(load: Load, tmp_path: Path) -> None:
    commands = Commands(OLD, NEW)
    assert load(commands).main(["2.20", "tf-nightly-cpu"]) == 0
    runs = tmp_path / "runs"
    assert [command[-1] for command in commands.words("venv")] == [str(runs / "ref-env"), str(runs / "changed-env")]
    assert [command[-2:] for command in commands.words("pip")] == [
        ("--", "tensorflow-cpu==2.20.*"),
        ("--", "tf-nightly-cpu"),
    ]
    assert [command[0] for command in commands.words("pip")] == [
        str(runs / f"{name}-env/bin/python") for name in ("ref", "changed")
    ]


@pytest.mark.parametrize(
    ("wanted", "requirement"),
    [
        ("2.21", "tensorflow-cpu==2.21.*"),
        ("2.21.0", "tensorflow-cpu==2.21.0"),
        ("2.22.0rc0", "tensorflow-cpu==2.22.0rc0"),
        ("tensorflow==2.21.*", "tensorflow==2.21.*"),
    ],
)
def test_a_version_is_one_of_tensorflow_cpu(load: Load, wanted: str, requirement: str) -> None:
    commands = Commands(OLD, NEW)
    load(commands).main([wanted, wanted])
    assert [command[-1] for command in commands.words("pip")] == [requirement] * 2


def test_an_interpreter_is_taken_as_it_is(load: Load, tmp_path: Path) -> None:
    link = tmp_path / "python"
    link.symlink_to(sys.executable)
    commands = Commands(OLD, NEW)
    assert load(commands).main([str(link), str(link)]) == 0
    assert commands.words("venv") == commands.words("pip") == []
    # The link, and not where it leads: beside that there is nothing of an environment.
    assert all(f"--tfkernel-python={link}" in command for command in commands.words("pytest"))


def test_other_words_go_to_pytest(load: Load) -> None:
    commands = Commands(OLD, NEW)
    load(commands).main(["2.20", "2.21", "--tfkernel-size=smoke", "-n", "4"])
    assert [command[-3:] for command in commands.words("pytest")] == [("--tfkernel-size=smoke", "-n", "4")] * 2


def test_the_comparison_is_printed_and_counts(load: Load, capfd: pytest.CaptureFixture[str]) -> None:
    assert load(Commands(OLD, WORSE)).main(["2.20", "2.21"]) == 1
    assert capfd.readouterr().out.startswith("2.20.0 -> 2.21.0: 1 guarantee lost")


def test_failures_in_both_are_no_regression(load: Load) -> None:
    commands = Commands(documents.with_verdict(OLD, 0, verdict="FAIL", reason="it lives"), WORSE)
    commands.codes["pytest"] = 1
    assert load(commands).main(["2.20", "2.21"]) == 0


@pytest.mark.parametrize("code", [2, 3, 4, 5, -9])
def test_a_pytest_that_could_not_run_ends_it(load: Load, code: int) -> None:
    commands = Commands(OLD, NEW)
    commands.codes["pytest"] = code
    assert load(commands).main(["2.20", "2.21"]) == code
    assert len(commands.words("pytest")) == 1
    assert commands.words("pytest_tfkernel") == []


def test_documents_of_an_earlier_run_are_not_compared(load: Load) -> None:
    assert load(Commands(OLD, NEW)).main(["2.20", "2.21"]) == 0
    assert load(Commands(OLD, None)).main(["2.20", "2.21"]) == 2


def test_what_cannot_be_installed_is_no_regression(load: Load, capsys: pytest.CaptureFixture[str]) -> None:
    commands = Commands(OLD, NEW)
    commands.codes["pip"] = 1
    with pytest.raises(SystemExit) as ended:
        load(commands).main(["99.1", "2.21"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "upgrade: 99.1 can't be installed\n"
    assert commands.words("pytest") == []


@pytest.mark.parametrize("words", [[], ["2.20"], ["2.20", ""], ["--help"], ["2.20", "--tfkernel-size=smoke"]])
def test_without_two_it_says_how(load: Load, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert load(Commands()).main(words) == 2
    assert "tox -e upgrade -- REF CHANGED" in capsys.readouterr().err


def test_github_gets_it_too(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# Before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert load(Commands(OLD, WORSE)).main(["2.20", "2.21"]) == 1
    assert summary.read_text(encoding="utf-8").startswith(
        "# Before\n### \u274c 2.20.0 \\-&gt; 2.21.0\\: 1 guarantee lost"
    )
