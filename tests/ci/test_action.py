"""The scripts of our action, run as GitHub's runner runs them, with a `python` that notes what it is called with."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import documents

ACTION = Path(__file__).parents[2] / ".github/actions/tfkernel"
# Notes its words, but for a script on stdin, and ends as it is told.
PYTHON = """\
#!/bin/bash
if [ "$2" = - ]; then exec "$REAL_PYTHON" "$@"; fi
printf '%s\\0' "$@" > "$CALLED"
exit "${CODE:-0}"
"""
DANGER = """$(touch "$HACKED") `touch "$HACKED"`; touch "$HACKED"\n"; touch "$HACKED" #' | x"""


class Runner:
    """One step: its environment, and what came of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hacked = folder / "hacked"
        self.output = folder / "output"
        self.summary = folder / "summary.md"
        self._called = folder / "called"
        (folder / "bin").mkdir()
        (folder / "bin/python").write_text(PYTHON, encoding="utf-8")
        (folder / "bin/python").chmod(0o755)

    def run(self, script: str, *arguments: str, code: int = 0, **inputs: str) -> subprocess.CompletedProcess[str]:
        return self.start(script, *arguments, path=f"{self.folder}/bin:{os.environ['PATH']}", CODE=str(code), **inputs)

    def start(self, script: str, *arguments: str, path: str, **inputs: str) -> subprocess.CompletedProcess[str]:
        environ: Mapping[str, str] = {
            "PATH": path,
            "REAL_PYTHON": sys.executable,
            "CALLED": str(self._called),
            "HACKED": str(self.hacked),
            "GITHUB_ACTION_PATH": str(ACTION),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            **inputs,
        }
        command = [str(ACTION / script), *arguments]
        return subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, text=True, check=False)

    @property
    def words(self) -> list[str]:
        """What python was called with the last time."""
        return self._called.read_text(encoding="utf-8").split("\0")[:-1]


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


class TestInstall:
    def test_the_default_is_the_repository_of_the_action(self, runner: Runner) -> None:
        assert runner.run("install.sh", INPUT_INSTALL="").returncode == 0
        repository = ACTION.parents[2]
        assert runner.words == [
            "-I",
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--",
            f"{repository}[xdist]",
        ]
        assert (repository / "pyproject.toml").exists()

    @pytest.mark.parametrize("install", ["pytest-tfkernel[cpu]==1.0", "--index-url=http://x", DANGER])
    def test_an_input_is_one_requirement(self, runner: Runner, install: str) -> None:
        assert runner.run("install.sh", INPUT_INSTALL=install).returncode == 0
        assert runner.words[-2:] == ["--", install]
        assert not runner.hacked.exists()

    def test_what_pip_says_counts(self, runner: Runner) -> None:
        assert runner.run("install.sh", INPUT_INSTALL="x", code=1).returncode == 1


class TestSuite:
    def run(self, runner: Runner, code: int = 0, **inputs: str) -> subprocess.CompletedProcess[str]:
        defaults = {"INPUT_PYTHON": "", "INPUT_SIZE": "standard", "INPUT_REQUIRE": "", "INPUT_ARGS": ""}
        return runner.run("suite.sh", code=code, **{**defaults, "INPUT_REPORT": "a report", **inputs})

    def test_the_defaults_run_it_and_write_both_documents(self, runner: Runner) -> None:
        assert self.run(runner).returncode == 0
        report = runner.folder / "a report"
        assert runner.words == [
            *("-I", "-m", "pytest", "--tfkernel", "--tfkernel-size=standard"),
            f"--tfkernel-report={report}/run.json",
            f"--tfkernel-report={report}/run.html",
        ]
        assert runner.output.read_text(encoding="utf-8") == f"document={report}/run.json\n"

    def test_each_input_has_its_option(self, runner: Runner) -> None:
        self.run(
            runner,
            INPUT_PYTHON="/opt/my env/bin/python",
            INPUT_SIZE="full",
            INPUT_REQUIRE="gpu\n  oom-kill",
            INPUT_ARGS="-n 2 -k 'a or b' \"\"\n--co",
        )
        assert runner.words[3:5] == ["--tfkernel", "--tfkernel-size=full"]
        assert runner.words[7:] == [
            *("--tfkernel-python=/opt/my env/bin/python", "--tfkernel-require=gpu", "--tfkernel-require=oom-kill"),
            *("-n", "2", "-k", "a or b", "", "--co"),
        ]

    def test_no_input_is_a_command(self, runner: Runner) -> None:
        self.run(
            runner,
            INPUT_PYTHON=DANGER,
            INPUT_SIZE=DANGER,
            INPUT_REQUIRE=DANGER,
            INPUT_ARGS="$(touch $HACKED) `touch $HACKED`; touch $HACKED '\n*'",
            INPUT_REPORT='$(touch "$HACKED")',
        )
        assert f"--tfkernel-python={DANGER}" in runner.words
        assert runner.words[-6:] == ["$HACKED)", "`touch", "$HACKED`;", "touch", "$HACKED", "\n*"]
        assert not runner.hacked.exists()

    def test_quotes_that_do_not_match_are_one_line(self, runner: Runner) -> None:
        done = self.run(runner, INPUT_ARGS="-k 'a")
        assert done.returncode == 1
        assert done.stderr == "::error title=tfkernel::the input `args` can't be read: No closing quotation\n"
        with pytest.raises(FileNotFoundError):
            assert runner.words

    @pytest.mark.parametrize("code", [0, 1, 2, 4])
    def test_the_exit_code_is_that_of_pytest(self, runner: Runner, code: int) -> None:
        done = self.run(runner, code=code)
        assert done.returncode == code
        said = f"::error title=tfkernel::pytest ended with exit code {code}: the log says why\n"
        assert done.stdout == (said if code > 1 else "")

    def test_documents_of_an_earlier_run_are_not_taken_for_ours(self, runner: Runner) -> None:
        report = runner.folder / "a report"
        report.mkdir()
        for name in ("run.json", "run.json.incomplete", "run.html", "of another program"):
            (report / name).touch()
        self.run(runner, code=4)
        assert [path.name for path in report.iterdir()] == ["of another program"]


class TestCompare:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> str:
        good = documents.document(tensorflow="2.20.0")
        documents.write(tmp_path / "ref.json", good)
        documents.write(tmp_path / "better.json", documents.document(tensorflow="2.21.0"))
        documents.write(tmp_path / "worse.json", documents.with_verdict(good, 0, verdict="FAIL", reason="it lives"))
        # Not a link to the interpreter: that one would not find its own packages.
        (tmp_path / "real").mkdir()
        (tmp_path / "real/python").write_text(f'#!/bin/bash\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
        (tmp_path / "real/python").chmod(0o755)
        return f"{tmp_path}/real:{os.environ['PATH']}"

    @pytest.mark.parametrize(("changed", "code"), [("better.json", 0), ("worse.json", 1)])
    def test_the_comparison_is_in_the_log_and_in_the_summary(
        self, runner: Runner, folder: str, changed: str, code: int
    ) -> None:
        done = runner.start("compare.sh", "ref.json", changed, path=folder)
        assert (done.returncode, done.stderr) == (code, "")
        assert "guarantee" in done.stdout.splitlines()[0]
        assert ("::error title=tfkernel::this run is worse than its reference" in done.stdout.splitlines()) == bool(
            code
        )
        assert runner.summary.read_text(encoding="utf-8").startswith("### ")

    def test_what_cannot_be_compared_is_told_apart(self, runner: Runner, folder: str) -> None:
        done = runner.start("compare.sh", "ref.json", "missing.json", path=folder)
        assert done.returncode == 2
        assert done.stdout == "::error title=tfkernel::this run can't be compared with its reference\n"
        assert done.stderr == "compare: missing.json doesn't exist\n"
        assert not runner.summary.exists()
