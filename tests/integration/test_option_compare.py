"""`--tfkernel-compare`, `--tfkernel-fail-on` and `--tfkernel-expect`."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from inner import Inner, counts
from pytest_tfkernel.report.store import load

SMOKE = ("--tfkernel", "--tfkernel-size=smoke")
COMPARE = "--tfkernel-compare=ref.json"
OWN = "def test_one(): pass\ndef test_two(): pass\n"
BROKEN = "def test_one(): raise OSError('new')\ndef test_two(): pass\n"


@pytest.fixture(scope="module")
def reference(make_inner: Callable[..., Inner], tensorflow_python: str) -> Path:
    """A document of the suite and of two tests that passed."""
    inner = make_inner(canned=True)
    inner.write("test_own.py", OWN)
    inner.run(*SMOKE, "--tfkernel-report=ref.json", "test_own.py")
    return inner.folder / "ref.json"


@pytest.fixture
def ref(canned: Inner, reference: Path) -> Inner:
    """A folder with that document and these tests."""
    canned.write("test_own.py", OWN)
    shutil.copy(reference, canned.folder)
    return canned


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "workers"])
def test_same_run_is_no_regression(ref: Inner, workers: tuple[str, ...]) -> None:
    result = ref.run(*SMOKE, COMPARE, "test_own.py", *workers)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*tfkernel: comparison*",
            "* -> *no guarantee lost, no behaviour changed; of your 2 tests none fails that passed",
        ]
    )


def test_what_passed_and_fails_now_is_named(ref: Inner) -> None:
    ref.write("test_own.py", BROKEN)
    result = ref.run(*SMOKE, COMPARE, "test_own.py")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["* -> *of your 2 tests 1 fails that passed", "  test_own.py::test_one: passed -> failed: OSError: new"]
    )


def test_missing_test_makes_a_green_run_red(ref: Inner) -> None:
    ref.write("test_own.py", "def test_one(): pass\n")
    result = ref.run(*SMOKE, COMPARE, "test_own.py")
    assert counts(result)["passed"] == 18
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*test_own.py::test_two*"])


def test_expected_difference_has_its_reason_and_is_no_regression(ref: Inner) -> None:
    ref.write("test_own.py", "def test_one(): pass\n")
    ref.write("known.json", json.dumps([{"test": "*::test_two", "change": "missing", "reason": "it was removed"}]))
    result = ref.run(*SMOKE, COMPARE, "--tfkernel-expect=known.json", "test_own.py")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*test_own.py::test_two*it was removed*"])


def test_run_with_nothing_in_common_is_red(ref: Inner) -> None:
    ref.write("test_other.py", "def test_other(): pass\n")
    result = ref.run(COMPARE, "test_other.py")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["no comparison: *"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tfkernel-compare=nowhere.json"], "nowhere.json doesn't exist"),
        (["--tfkernel-compare=test_own.py"], "test_own.py is cut short, or not a run document"),
        ([COMPARE, "--tfkernel-fail-on=nonsense"], "--tfkernel-fail-on=nonsense"),
        ([COMPARE, "--tfkernel-expect=nowhere.json"], "nowhere.json"),
        (["--tfkernel-fail-on=slower:50%"], "add --tfkernel-compare=REF"),
        (["--tfkernel-compare="], "--tfkernel-compare= is empty"),
        ([COMPARE, "--tfkernel-expect="], "--tfkernel-expect= is empty"),
    ],
    ids=lambda one: one if isinstance(one, str) else one[-1],
)
def test_mistake_is_one_clear_error_before_the_first_test(ref: Inner, arguments: list[str], words: str) -> None:
    result = ref.run(*SMOKE, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = filter(None, result.errlines)
    assert line.startswith("ERROR: ")
    assert words in line


def test_ini_values_are_for_runs_that_are_compared_and_their_files_beside_it(ref: Inner) -> None:
    ref.write(
        "pytest.ini", "[pytest]\ntfkernel_fail_on = changed\ntfkernel_expect = known.toml\ntfkernel_report = r.json\n"
    )
    assert ref.run("test_own.py").ret == pytest.ExitCode.OK
    ref.write("below/test_below.py", "def test_below(): pass\n")
    below = dataclasses.replace(ref, folder=ref.folder / "below")
    (line,) = filter(None, below.run("--tfkernel-compare=../ref.json", "test_below.py").errlines)
    assert f"{ref.folder / 'known.toml'} " in line
    assert [path.name for path in ref.folder.rglob("r.json")] == ["r.json"]


def test_both_documents_can_be_compared_later(ref: Inner) -> None:
    ref.write("test_own.py", BROKEN)
    ref.run(*SMOKE, "--tfkernel-report=changed.json", COMPARE, "test_own.py")
    assert (ref.folder / "changed.json").exists()


@pytest.fixture
def other_python(tmp_path: Path) -> Path:
    """An environment with another TensorFlow, as far as anybody can tell without importing it."""
    folder = tmp_path / "other"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in ("tensorflow", "tensorflow_cpu-9.8.7.dist-info"):
        (packages / name).mkdir()
    (packages / "tensorflow/__init__.py").touch()
    return folder / "bin/python"


def test_another_tensorflow_of_kernels_is_not_credited_with_own_tests(ref: Inner, other_python: Path) -> None:
    ref.run(*SMOKE, "--tfkernel-report=changed.json", f"--tfkernel-python={other_python}", "test_own.py")
    run = load(ref.folder / "changed.json")
    assert [one.tensorflow for one in run.environment.kernels] == ["9.8.7"]
    own = run.environment.pytest
    assert own is not None
    assert own.tensorflow != "9.8.7"
    command = [sys.executable, "-m", "pytest_tfkernel", "compare", "ref.json", "changed.json"]
    said = subprocess.run(command, cwd=ref.folder, capture_output=True, text=True, check=True).stdout.splitlines()
    beside = f"beside TensorFlow {own.tensorflow}" if own.tensorflow else "without TensorFlow"
    assert said[0].endswith(
        f" -> 9.8.7: no guarantee lost, no behaviour changed; of your 2 tests, run {beside}, none fails that passed"
    )
    assert "run the pytest of each environment" in said[1]
