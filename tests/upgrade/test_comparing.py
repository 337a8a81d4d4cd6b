"""An upgrade as a whole: environments, runs in them, the comparison, and what is kept."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from packaging.version import Version

import documents
import wheels
from projects import Project, canned
from pytest_tfkernel._child import proc
from pytest_tfkernel.report.store import load
from pytest_tfkernel.upgrade import comparing, sides
from pytest_tfkernel.upgrade.indexes import Offer, PackageIndex

SAME, WORSE, CANNOT = range(3)


def test_own_tests_run_in_each_environment_and_the_answer_is_the_first_line(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    page = tmp_path / "page.html"
    # A file that can't be imported in one of both is told, and the others are compared.
    project.write("tests/test_broken.py", "import tensorflow\nassert tensorflow.value == 1\ndef test_it(): pass\n")
    said = project("2.18", "2.21", "--no-suite", f"--page={page}", "--", "tests")
    assert said.code == WORSE
    first = "2.18.1 -> 2.21.0: of your 3 tests 1 fails that passed, 1 not run; changed is incomplete"
    assert said.out.splitlines()[0] == first
    assert "  tests/test_mine.py::test_value: passed -> failed: AssertionError: assert 2 == 1" in said.out
    assert "TensorFlow of your tests: 2.18.1 -> 2.21.0" in said.out
    (line,) = [one for one in said.err.splitlines() if "with 2.21, tests/test_broken.py can't be collected: " in one]
    assert line.endswith("assert 2 == 1")
    for number, version in enumerate(("2.18", "2.21"), 1):
        assert f"upgrade: environment {number} of 2 ({version}): installing with uv\n" in said.err
    assert "upgrade: your tests with 2.18 (1 of 2), test 3 of 3, " in said.err
    assert "upgrade: your tests with 2.21 (2 of 2), test 2 of 2, " in said.err
    assert summary.read_text(encoding="utf-8").startswith("### \u274c 2.18.1")
    assert "1 fails that passed" in page.read_text(encoding="utf-8")
    assert (project.folder / ".tfkernel-upgrade/.gitignore").read_text() == "*\n"
    # Both documents are ordinary ones.
    for name, outcome in (("ref", "passed"), ("changed", "failed")):
        found = load(project.runs / f"{name}.json")
        assert found.complete
        assert [test.outcome for test in found.tests if "mine" in test.item] == [outcome, "passed"]
    environments = project.environments()
    assert len(environments) == 2
    # Where nothing at all can be imported, it is a line; and the environments are used again.
    project.write("conftest.py", "import tensorflow\nassert tensorflow.value == 1\n")
    again = project("2.18", "2.21", "--no-suite", "--", "tests")
    assert (again.code, again.out) == (CANNOT, "")
    assert "your tests with 2.21 (2 of 2) can't be run: " in again.line
    assert "ImportError while loading conftest" in again.line
    assert "environment 1 of 2 (2.18): used again, made less than a minute ago" in again.err
    assert "installing" not in again.err
    assert project.environments() == environments


def test_the_suite_plays_with_both_in_turns_and_its_ids_can_be_named(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in canned(tmp_path).items():
        monkeypatch.setenv(name, text)
    # What is known is no regression.
    known = [{"reason": "planned", "change": "lost", "test": "*::test_value"}]
    project.write("known.json", json.dumps(known))
    said = project("2.18", "2.21", "--size=smoke", "--expect=known.json", "--", "tests")
    assert said.code == SAME
    first = "2.18.1 -> 2.21.0: no guarantee lost, no behaviour changed; of your 2 tests none fails that passed; 1 difference"
    assert said.out.splitlines()[0] == f"{first} expected"
    assert "tests/test_mine.py::test_value: passed -> failed: AssertionError: assert 2 == 1" in said.out
    assert "[lost: planned]" in said.out
    assert "upgrade: the suite, trial 7 of 7, " in said.err
    for name, label in (("ref", "tf2.18.1-py"), ("changed", "tf2.21.0-py")):
        found = load(project.runs / f"{name}.json")
        (kernel,) = found.environment.kernels
        assert kernel.label.startswith(label)
        assert (len(found.trials), len(found.verdicts), len(found.tests)) == (4, 17, 2)
        assert not any("/" in one.item for one in found.verdicts)
        assert found.environment.pytest is not None
        assert found.environment.pytest.tensorflow == kernel.tensorflow
    one = "tfkernel::graph-add[forkserver-graph_add-sigkill-idle]"
    assert project("2.18", "2.21", "--", one).code == SAME
    assert [verdict.item for verdict in load(project.runs / "changed.json").verdicts] == [one]
    # What both would import is no comparison.
    wheels.build(tmp_path, "tensorflow", "2.9.9", {"tensorflow/__init__.py": ""})
    zipfile.ZipFile(tmp_path / "tensorflow-2.9.9-py3-none-any.whl").extractall(tmp_path / "elsewhere")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "elsewhere"))
    said = project("2.18", "2.21")
    assert said.code == CANNOT
    assert said.line.startswith("upgrade: TensorFlow 2.9.9 would be imported, and not 2.18.1 of ")


def test_what_cannot_be_installed_or_run_is_a_line(project: Project) -> None:
    found = project("2.18", "9.9", "--no-suite", "--", "tests")
    assert (found.code, found.out) == (CANNOT, "")
    assert "environment 2 of 2 (9.9) can't be installed: No solution found" in found.line
    # The other one is whole, or isn't there.
    assert all("2.18" in name for name in project.environments())
    found = project("2.18", "2.21", "--no-suite", "--", "tests", "-k", "nothing")
    assert (found.code, found.out) == (CANNOT, "")
    assert "your tests with 2.18 (1 of 2) can't be run: pytest ended with exit code 5: there is no such" in found.line


@pytest.mark.soak
def test_an_id_that_only_one_of_both_has_is_a_line(project: Project) -> None:
    project.write("tests/test_mine.py", "import tensorflow\nif tensorflow.value == 1:\n    def test_old(): pass\n")
    found = project("2.18", "2.21", "--no-suite", "--", "tests/test_mine.py::test_old")
    assert (found.code, found.out) == (CANNOT, "")
    assert "your tests with 2.21 (2 of 2) can't be run: pytest ended with exit code 4: not found: " in found.line
    assert "test_mine.py::test_old" in found.line


@pytest.mark.soak
def test_a_run_that_dies_is_compared_as_far_as_it_came(project: Project) -> None:
    dies = "import os, tensorflow\ndef test_it():\n    if tensorflow.value == 2:\n        os.kill(os.getpid(), 9)\n"
    project.write("tests/test_zombie.py", dies)
    found = project("2.18", "2.21", "--no-suite", "--", "tests")
    assert found.code == WORSE
    assert "1 not run; changed is incomplete" in found.out.splitlines()[0]


@pytest.mark.soak
def test_interpreters_are_taken_as_they_are(project: Project) -> None:
    assert project("2.18", "2.21", "--no-suite", "--", "tests").code == WORSE
    (old,) = project.folder.glob(".tfkernel-upgrade/environments/*2.18*/bin/python")
    found = project(str(old), "2.21", "--no-suite", "--", "tests")
    assert found.out.splitlines()[0] == "2.18.1 -> 2.21.0: of your 2 tests 1 fails that passed"
    bare = Path(sys.base_prefix) / "bin/python3"
    found = project(str(bare), "2.21", "--no-suite", "--", "tests")
    assert (found.code, found.out) == (CANNOT, "")
    assert f"{bare} has no pytest-tfkernel, with whose pytest your tests would run" in found.line
    found = project(str(bare), "2.21")
    assert (found.code, found.out) == (CANNOT, "")
    assert f"{bare} has no TensorFlow: `{bare} -m pip install tensorflow-cpu`" in found.line


def lives(pid: int) -> bool:
    # Those of a process that was killed have come to us.
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    stat = proc.read_stat(pid)
    return stat is not None and stat.state != "Z"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (
            "tensorflow-cpu==2.5.*",
            "; this is Python 3.11, and there are wheels for 3.8, 3.9: name one of those with --python",
        ),
        ("tensorflow_cpu", "; this is Python 3.11, and there are wheels for 3.8, 3.9: name one of those with --python"),
        ("msgspec>=0.19", ""),
    ],
)
def test_for_which_pythons_there_are_wheels_is_told_of_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, missing: str, said: str
) -> None:
    index = PackageIndex(())
    found = Offer((), {Version("2.5.0"): ("3.8", "3.9")})
    monkeypatch.setattr(index, "offer", lambda _: found)
    assert sides.offered(index, "tensorflow-cpu==2.5.*", missing, (3, 11, 7)) == said


def test_what_the_suite_saw_can_be_compared_by_the_line_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    path = tmp_path / "runs/suite.json.incomplete"
    seen = documents.document()
    kernels = [documents.kernel(one) for one in ("2.18.1", "2.21.0")]
    both = msgspec.structs.replace(seen, environment=msgspec.structs.replace(seen.environment, kernels=kernels))
    documents.write(path, both)
    words = comparing.left_by(argparse.Namespace(folder=tmp_path))
    assert f"`pytest-tfkernel compare {path} --kernel=tf2.18.1-py3.11 --kernel=tf2.21.0-py3.11` what the suite" in words
    path.write_text("half")
    assert "what the suite" not in comparing.left_by(argparse.Namespace(folder=tmp_path))


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.soak)])
def test_what_an_upgrade_has_written_when_it_ends_can_be_compared_and_the_next_goes_on(
    project: Project, tmp_path: Path, number: int, eventually: Callable[[Callable[[], object]], None]
) -> None:
    waits = "import time\ndef test_one(): pass\ndef test_two(): time.sleep(600)\n"
    project.write("tests/test_mine.py", waits)
    command = [sys.executable, "-m", "pytest_tfkernel", "upgrade", "2.18", "2.21", "--no-suite", "--", "tests"]
    aside = project.runs / "tests-ref.json.incomplete"

    def has_seen_one() -> bool:
        assert child.poll() is None
        return aside.exists() and "test_one" in aside.read_text()

    # The session of your tests is killed with it, and leaves its folder to the next one.
    places = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=places) as child:
        eventually(has_seen_one)
        refused = project("2.18", "2.21", "--no-suite", "--", "tests")
        assert refused.line.startswith("upgrade: another upgrade works in ")
        below = [one["pid"] for one in proc.descendants(child.pid)]
        assert below
        child.send_signal(number)
        out, err = child.communicate()
    eventually(lambda: not any(lives(pid) for pid in below))
    assert out == ""
    if number == signal.SIGINT:
        assert child.returncode == 130
        assert err.splitlines()[-1].startswith("upgrade: interrupted: run again, it goes on with the environments that")
    assert [test.item for test in load(aside).tests] == ["tests/test_mine.py::test_one"]
    assert len(project.environments()) == 2
