"""`--tfkernel-save`, `--tfkernel-report=FOLDER/`, and how the runs that were kept are named to later ones."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from inner import Inner
from pytest_tfkernel.report.saved import SavedRun, SavedRuns
from pytest_tfkernel.report.store import load

SMOKE = ("--tfkernel", "--tfkernel-size=smoke")


@pytest.fixture
def own(canned: Inner) -> Inner:
    """A folder with two tests."""
    canned.write("pytest.ini", "[pytest]\n")
    canned.write("test_own.py", "def test_one(): pass\ndef test_two(): pass\n")
    return canned


def saved(inner: Inner) -> list[SavedRun]:
    return SavedRuns(inner.folder / ".tfkernel").runs()


def test_runs_are_saved_and_found_by_number_name_and_as_the_last(own: Inner) -> None:
    # Two workers: only their controller writes.
    first = own.run(*SMOKE, "--tfkernel-save=before", "-n", "2")
    first.stdout.fnmatch_lines(["wrote */.tfkernel/0001_*_before.json: 4 trials, 17 verdicts, 0 tests"])
    own.run("--tfkernel-save", "-q")
    assert [(one.number, one.name, one.whole) for one in saved(own)] == [(1, "before", True), (2, "", True)]
    assert len(load(saved(own)[1].path).tests) == 2
    assert sorted(path.name for path in (own.folder / ".tfkernel").iterdir() if path.suffix != ".json") == [
        ".gitignore"
    ]

    own.write("test_own.py", "def test_one(): pass\ndef test_two(): assert False\n")
    # The last one is that before this run.
    result = own.run("--tfkernel-compare=last", "--tfkernel-save=after")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*of your 2 tests 1 fails that passed*"])
    for word in ("before", "1"):
        result = own.run(*SMOKE, f"--tfkernel-compare={word}", "-k", "tfkernel")
        result.stdout.fnmatch_lines(["*no guarantee lost, no behaviour changed"])
        assert result.ret == 0
    result = own.run("--tfkernel-compare=befor")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: tfkernel: befor is neither a file nor a saved run: did you mean before?"])
    assert [one.name for one in saved(own)] == ["before", "", "after"]


def test_the_folder_is_that_of_the_root_and_an_ini_file_can_ask_for_it(own: Inner) -> None:
    own.write("pytest.ini", "[pytest]\ntfkernel_save = nightly\ntfkernel_report = runs/\n")
    own.write("below/test_below.py", "import os\ndef test_one(tmp_path): os.chdir(tmp_path)\n")
    result = own.run("below", "--rootdir=.")
    result.stdout.fnmatch_lines(["wrote */runs/*_tf*-py*.json: 0 trials, 0 verdicts, 1 test"])
    assert [one.name for one in saved(own)] == ["nightly"]
    (kept,) = (own.folder / "runs").iterdir()
    assert load(kept).tests == load(saved(own)[0].path).tests
    # Processes of tests are of the run that has them.
    own.run("below", "--tfkernel-isolate")
    assert [one.number for one in saved(own)] == [1, 2]
    assert len(list((own.folder / "runs").iterdir())) == 2


def test_nothing_is_kept_of_a_run_of_nothing_or_of_one_that_does_not_begin(own: Inner) -> None:
    for words in (
        ("none.py",),
        ("--co",),
        ("-k", "nothing"),
        ("--tfkernel-report=bad.txt",),
        ("--tfkernel-compare=last",),
    ):
        own.run("--tfkernel-save", "--tfkernel-report=runs/", *words)
    assert saved(own) == []
    assert not list(own.folder.glob("runs/*"))


def test_a_run_that_is_cut_short_is_no_last_one(own: Inner) -> None:
    own.run("--tfkernel-save=whole")
    own.write("test_own.py", "import pytest\ndef test_one(): pass\ndef test_two(): pytest.exit('now')\n")
    own.run("--tfkernel-save=cut", "--tfkernel-report=runs/")
    assert [(one.name, one.whole) for one in saved(own)] == [("whole", True), ("cut", False)]
    assert [path.name.endswith(".json.incomplete") for path in (own.folder / "runs").iterdir()] == [True]
    own.write("test_own.py", "def test_one(): pass\ndef test_two(): pass\n")
    assert own.run("--tfkernel-compare=last").ret == 0


def test_a_path_behind_the_option_is_no_name(own: Inner) -> None:
    for word in ("test_own.py", "test_own.py::test_one"):
        result = own.run("--tfkernel-save", word)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([f"ERROR: --tfkernel-save {word}: is that a name or a path?*"])
    assert own.run("--tfkernel-save=", "test_own.py").ret == 0
    assert saved(own)[0].name == ""


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """Another file system there."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"needs to mount: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_folder_on_another_file_system_is_one_like_others(own: Inner) -> None:
    with mounted(own.folder / ".tfkernel", "size=4m"):
        assert own.run("--tfkernel-save").ret == 0
        assert own.run("--tfkernel-save", "--tfkernel-compare=last").ret == 0
        assert [one.number for one in saved(own)] == [1, 2]


def test_a_folder_that_cannot_be_written_is_said_before_the_first_test(own: Inner) -> None:
    with mounted(own.folder / ".tfkernel", "ro,size=64k"):
        result = own.run("--tfkernel-save")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: tfkernel: */.tfkernel can't be written: Read-only file system; leave*"])
    assert "passed" not in result.stdout.str()


def test_what_was_edited_by_hand_is_one_line(own: Inner) -> None:
    own.run("--tfkernel-save=mine")
    (run,) = saved(own)
    run.path.write_text(json.dumps({"format": "something else"}))
    result = own.run("--tfkernel-compare=mine", "--tfkernel-save")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: tfkernel: *_mine.json is not a run document: make one with *"])
    assert saved(own) == [run]
