"""`--tfkernel-report`: a run document of the suite and of the tests of one's own."""

from __future__ import annotations

import collections
import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from inner import Inner, counts
from pytest_tfkernel.report.document import Document
from pytest_tfkernel.report.store import load

REPORT = "--tfkernel-report=run.json"
SMOKE = ("--tfkernel", "--tfkernel-size=smoke")

OWN = """
import os, pytest

def test_passes(): pass

def test_fails(): assert 1 == 2, "<b>one</b> \\x1b[31mtwo\\nthree"

def test_raises(): raise OSError("no such thing")

@pytest.mark.skip
def test_is_skipped(): pass

@pytest.mark.xfail
def test_is_expected_to_fail(): 1 / 0

@pytest.mark.xfail
def test_fails_not_as_expected(): pass

@pytest.fixture
def broken(): raise KeyError("setup")

def test_has_a_broken_fixture(broken): pass

@pytest.fixture
def breaks_later():
    yield
    raise ValueError("teardown")

def test_is_torn_down_badly(breaks_later): pass
"""
OUTCOMES = {
    "test_passes": ("passed", None),
    "test_fails": ("failed", "AssertionError"),
    "test_raises": ("failed", "OSError"),
    "test_is_skipped": ("skipped", None),
    "test_is_expected_to_fail": ("xfailed", None),
    "test_fails_not_as_expected": ("xpassed", None),
    "test_has_a_broken_fixture": ("error", "KeyError"),
    "test_is_torn_down_badly": ("error", "ValueError"),
}


def written(inner: Inner, name: str = "run.json") -> Document:
    return load(inner.folder / name)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_has_each_trial_once_each_verdict_and_the_machine(canned: Inner, workers: tuple[str, ...]) -> None:
    result = canned.run(*SMOKE, REPORT, *workers)
    result.stdout.fnmatch_lines(["wrote */tests/run.json: 4 trials, 17 verdicts, 0 tests"])
    run = written(canned)
    assert run.complete
    assert run.end is not None
    assert (run.end.exit_code, run.end.collected, run.end.unreported) == (0, 17, [])
    assert len({trial.setting for trial in run.trials}) == len(run.trials) == 4
    assert len({(one.guarantee, one.setting) for one in run.verdicts}) == 17
    (kernel,) = run.environment.kernels
    # The label is there in a run with one kernel too; what is of the machine has none.
    for settings in ([one.setting for one in run.trials], [one.setting for one in run.verdicts]):
        assert {one.kernel for one in settings} == {kernel.label, None}
    assert {one.setting.example for one in run.trials if one.setting.kernel is None} == {"planted-leaks"}
    assert kernel.python == ".".join(map(str, sys.version_info[:3]))
    assert run.environment.machine.cpus >= 1
    assert REPORT in run.environment.options
    assert [name for name in os.listdir(canned.folder) if name.startswith("run")] == ["run.json"]


def test_large_numbers_come_from_workers_as_they_are(canned: Inner) -> None:
    canned.write("conftest.py", LARGE)
    assert counts(canned.run(*SMOKE, REPORT, "-n", "1")) == {"passed": 17}
    assert {moment.memory for trial in written(canned).trials for moment in trial.timeline} == {2**40, -(2**40)}


# More than execnet takes for an integer.
LARGE = """
import dataclasses
import observations
from pytest_tfkernel.model.trials import Moment, Observation

honest = observations.honest

def large(setting):
    seen = honest(setting)
    moments = (Moment("started", 0.0, memory=2**40), Moment("cell", 0.1, memory=-(2**40)))
    return dataclasses.replace(seen, timeline=moments) if isinstance(seen, Observation) else seen

observations.honest = large
"""


# One FAIL, and two UNKNOWN: where nobody looked, and a scenario that was not played.
MIXED = """
import dataclasses
import observations

honest = observations.honest

def mixed(setting):
    seen = honest(setting)
    if setting.example == "graph_add" and seen.second is not None:
        second = dataclasses.replace(seen.second, operations_after=6)
        seen = dataclasses.replace(seen, second=second, audit=None)
    return seen

observations.honest = mixed
"""
CHOSEN = "forkserver-graph_add-sigkill-idle or forkserver-variable_assign-sigkill-idle or eager-needs-graph"


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "workers"])
def test_has_every_verdict_whatever_it_is(canned: Inner, workers: tuple[str, ...]) -> None:
    canned.write("conftest.py", MIXED)
    result = canned.run("--tfkernel", "-k", CHOSEN, REPORT, *workers)
    found = counts(result)
    run = written(canned)
    told = collections.Counter(one.verdict for one in run.verdicts)
    assert told == {"PASS": found["passed"], "FAIL": 1, "UNKNOWN": 2}
    assert (found["failed"], found["unknown"]) == (1, 2)
    assert run.end is not None
    assert (run.end.collected, run.end.unreported) == (sum(found.values()), [])
    reasons = {one.guarantee: one.reason for one in run.verdicts if one.verdict != "PASS"}
    assert reasons == {
        "session-is-rebuilt": "6 operations, not 7 as before",
        "nothing-is-left": "nothing looked for what was left",
        "eager-needs-graph": "not played",
    }


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "workers"])
def test_has_the_tests_of_ones_own(inner: Inner, workers: tuple[str, ...]) -> None:
    inner.write("test_own.py", OWN)
    inner.run(REPORT, *workers)
    run = written(inner)
    assert {one.item.partition("::")[2]: (one.outcome, one.error_type) for one in run.tests} == OUTCOMES
    (failed,) = (one for one in run.tests if one.item.endswith("test_fails"))
    assert (failed.error_message or "").startswith("<b>one</b> \x1b[31mtwo\n  three")
    places = {one.item.partition("::")[2]: (one.file, one.line) for one in run.tests}
    assert places["test_fails"] == ("test_own.py", 1 + OWN.splitlines().index("def test_passes(): pass") + 2)
    assert {file for file, _ in places.values()} == {"test_own.py"}


def test_has_both_where_both_are_run(canned: Inner) -> None:
    canned.write("test_own.py", "def test_passes(): pass\n")
    canned.run(*SMOKE, REPORT, "test_own.py")
    assert (len(written(canned).verdicts), len(written(canned).tests)) == (17, 1)


def test_leaks_are_there_where_the_gate_is_on(inner: Inner) -> None:
    inner.write("test_own.py", "import tempfile\n\ndef test_leaks(): tempfile.mkstemp()\n")
    (inner.folder / "tmp").mkdir()
    inner.run(REPORT, "--tfkernel-gate", TMPDIR=str(inner.folder / "tmp"))
    (test,) = written(inner).tests
    assert test.outcome == "error"
    assert [leak.kind for leak in test.leaks] == ["temporary-file"]


def test_what_was_collected_and_not_reported_is_listed_and_red(inner: Inner) -> None:
    inner.write("test_own.py", "def test_one(): pass\ndef test_two(): pass\n")
    inner.write("conftest.py", "def pytest_runtest_protocol(item): return True if item.name == 'test_two' else None\n")
    result = inner.run(REPORT)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["collected, but never reported: test_own.py::test_two"])
    assert written(inner).end.unreported == ["test_own.py::test_two"]  # type: ignore[union-attr]


def test_worker_that_crashes_leaves_an_equal_account(inner: Inner) -> None:
    inner.write("test_own.py", "import os\n" + "".join(f"def test_{n}(): pass\n" for n in range(20)))
    inner.write("test_crash.py", "import os\ndef test_crashes(): os._exit(3)\n")
    inner.run(REPORT, "-n", "2")
    run = written(inner)
    assert run.end is not None
    assert len(run.tests) + len(run.end.unreported) == run.end.collected == 21
    (crashed,) = (one for one in run.tests if one.item.endswith("test_crashes"))
    assert crashed.outcome == "failed"
    assert "crashed" in (crashed.error_message or "")


def test_killed_run_leaves_a_readable_document_and_the_older_one(inner: Inner) -> None:
    inner.write("test_own.py", "def test_one(): pass\n")
    inner.run(REPORT)
    before = (inner.folder / "run.json").read_bytes()
    inner.write("test_own.py", "import os, signal\ndef test_one(): pass\ndef test_two(): os.kill(os.getpid(), 9)\n")
    assert inner.run(REPORT).ret == -signal.SIGKILL
    assert (inner.folder / "run.json").read_bytes() == before
    left = written(inner, "run.json.incomplete")
    assert not left.complete
    assert [one.item for one in left.tests] == ["test_own.py::test_one"]


def test_older_document_stays_where_nothing_runs(inner: Inner) -> None:
    reports = (REPORT, "--tfkernel-report=run.html", "--tfkernel-report=link/run.json")
    inner.write("test_own.py", "def test_one(): pass\n")
    (inner.folder / "link").symlink_to(".")
    inner.run(*reports)
    before = {name: (inner.folder / name).read_bytes() for name in ("run.json", "run.html")}
    result = inner.run(*reports, "typo.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines([f"kept the older */{name}: nothing ran that could be written" for name in before])
    assert {name: (inner.folder / name).read_bytes() for name in before} == before
    assert not list(inner.folder.glob("*.incomplete"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("run.txt", "give a name that ends in .json or .html"),
        ("nowhere/run.json", "can't be written: there is no such folder; make it, or name another one"),
        ("nowhere/run.html", "can't be written: there is no such folder; make it, or name another one"),
        ("n" * 300 + ".html", "can't be written: File name too long; make room, or name another place"),
        ("folder.json", "is a folder: name a file"),
    ],
    ids=range(5),
)
def test_place_where_none_can_be_is_one_clear_error(inner: Inner, name: str, words: str) -> None:
    (inner.folder / "folder.json").mkdir()
    result = inner.run(f"--tfkernel-report={name}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = filter(None, result.errlines)
    assert line.startswith("ERROR: tfkernel: ")
    assert words in line


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A disk of 64 KB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.decode().strip()}")
    return folder


def test_full_disk_is_told_and_loses_neither_verdicts_nor_the_older_document(canned: Inner, small: Path) -> None:
    older = small / "run.json"
    older.write_text("an older one")
    try:
        result = canned.run("--tfkernel", f"--tfkernel-report={older}", "-n", "2")
        result.stdout.fnmatch_lines(["no run document: *No space left on device*", "* verdicts: *PASS*"])
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        assert older.read_text() == "an older one"
    finally:
        subprocess.run(["umount", small], check=True)


def test_nothing_is_written_where_nothing_is_run(canned: Inner) -> None:
    assert canned.run(*SMOKE, REPORT, "--co", "-q").ret == 0
    assert not (canned.folder / "run.json").exists()


def test_rerun_is_one_verdict(inner: Inner) -> None:
    pytest.importorskip("pytest_rerunfailures")
    inner = dataclasses.replace(inner, plugins=("rerunfailures",))
    inner.write("test_own.py", "tries = []\ndef test_one():\n    tries.append(1)\n    assert len(tries) > 1\n")
    assert counts(inner.run(REPORT, "--reruns=2"))["passed"] == 1
    assert [one.outcome for one in written(inner).tests] == ["passed"]


def test_junit_xml_has_properties_of_each_verdict(canned: Inner) -> None:
    canned.run(*SMOKE, "--junitxml=run.xml")
    text = (canned.folder / "run.xml").read_text()
    assert text.count('name="tfkernel.guarantee"') == text.count('name="tfkernel.verdict" value="PASS"') == 17
    assert 'name="tfkernel.fault" value="sigkill"' in text
