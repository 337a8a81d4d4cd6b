"""PASS, FAIL and UNKNOWN, as pytest counts them and as a person reads them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest

from inner import Inner, counts
from pytest_tfkernel.report.store import load

PREFIX = "tfkernel::"
FAILED = f"{PREFIX}session-is-rebuilt[forkserver-graph_add-sigkill-idle]"
UNKNOWN = f"{PREFIX}nothing-is-left[forkserver-graph_add-sigkill-idle]"

# Of the trial with sigkill and graph_add: one FAIL, one UNKNOWN, and the rest PASS.
MIXED = """
import dataclasses
import observations

honest = observations.honest

def mixed(setting):
    seen = honest(setting)
    if setting.example == "graph_add":
        second = dataclasses.replace(seen.second, operations_after=8)
        seen = dataclasses.replace(seen, second=second, audit=None)
    return seen

observations.honest = mixed
"""
MIXED_SELECTION = ("--tfkernel", "-k", "forkserver-graph_add-sigkill-idle or forkserver-gpu_matmul-sigkill-idle")

# No trial finds anything to look at.
DARK = """
import dataclasses
import observations

honest = observations.honest

def dark(setting):
    seen = honest(setting)
    return dataclasses.replace(seen, first=dataclasses.replace(seen.first, operations_before=None, error="it is dark"))

observations.honest = dark
"""
STARTS_BLANK = f"{PREFIX}starts-blank[forkserver-graph_add-none-idle]"


@pytest.fixture(scope="module")
def mixed_inner(make_inner: Callable[..., Inner], tensorflow_python: str) -> Inner:
    inner = make_inner(canned=True)
    inner.write("conftest.py", MIXED)
    return inner


@pytest.fixture(scope="module")
def mixed(mixed_inner: Inner) -> pytest.RunResult:
    return mixed_inner.run(*MIXED_SELECTION, "--junitxml=junit.xml")


class TestMixedRun:
    def test_unknown_has_a_count_of_its_own(self, mixed: pytest.RunResult) -> None:
        assert (mixed.ret, counts(mixed)) == (1, {"passed": 10, "failed": 1, "unknown": 1})

    def test_unknown_has_a_letter_of_its_own(self, mixed: pytest.RunResult) -> None:
        (line,) = [line for line in mixed.outlines if line.startswith("forkserver-graph_add-sigkill-idle ")]
        assert line.split()[1] == "....FU"

    def test_trial_is_named_before_its_verdicts(self, mixed: pytest.RunResult) -> None:
        mixed.stdout.fnmatch_lines(["forkserver-gpu_matmul-sigkill-idle ......*"])

    def test_matrix_counts_and_names_the_worst(self, mixed: pytest.RunResult) -> None:
        lines = mixed.outlines
        start = next(number for number, line in enumerate(lines) if line.strip("= ") == "tfkernel")
        assert lines[start + 1 : start + 4] == [
            "forkserver  graph_add    gpu_matmul",
            "  sigkill   FAIL 1 of 6  PASS 6",
            "2 trials with 0 cold starts, 12 verdicts: 10 PASS, 1 FAIL, 0 KNOWN, 1 UNKNOWN",
        ]

    def test_each_fail_and_unknown_has_its_reason_and_the_line_to_type(self, mixed: pytest.RunResult) -> None:
        lines = mixed.outlines
        start = lines.index("FAIL session-is-rebuilt [forkserver-graph_add-sigkill-idle]")
        assert lines[start + 1 : start + 6] == [
            "  8 operations, not 7 as before",
            f'  pytest "{FAILED}"',
            "UNKNOWN nothing-is-left [forkserver-graph_add-sigkill-idle]",
            "  nothing looked for what was left",
            f'  pytest "{UNKNOWN}"',
        ]

    def test_failure_shows_what_must_hold_and_the_post_mortem(self, mixed: pytest.RunResult) -> None:
        lines = mixed.outlines
        start = lines.index("FAIL: 8 operations, not 7 as before")
        assert lines[start + 1].startswith("What must hold: The next process has an empty graph")
        assert lines[start + 2 : start + 4] == [
            "kernel 4211 died after 1.5 s of SIGKILL (cause: signal; killed by: us)",
            "--- last cell",
        ]

    def test_failure_shows_nothing_of_our_source(self, mixed: pytest.RunResult) -> None:
        assert "Traceback" not in "".join(line for line in mixed.outlines if "pytest_tfkernel" in line)
        mixed.stdout.no_fnmatch_line("*collection.py*")

    def test_short_summary_says_why(self, mixed: pytest.RunResult) -> None:
        assert f"FAILED {FAILED} - FAIL: 8 operations, not 7 as before" in mixed.outlines or (
            # pytest 8.0 has no reason for a failure that is text.
            f"FAILED {FAILED}" in mixed.outlines
        )

    def test_junit_has_unknown_as_a_skip_with_its_reason(self, mixed: pytest.RunResult, mixed_inner: Inner) -> None:
        suite = ET.parse(mixed_inner.folder / "junit.xml").getroot().find("testsuite")
        assert suite is not None
        assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["12", "1", "0", "1"]
        (skip,) = suite.iter("skipped")
        assert skip.get("message") == "nothing looked for what was left"
        assert "site-packages" not in (skip.text or "")
        (case,) = [case for case in suite.iter("testcase") if case.find("skipped") is not None]
        assert f"{PREFIX}{case.get('name')}" == UNKNOWN

    def test_output_without_colour_has_no_escapes(self, mixed: pytest.RunResult) -> None:
        assert "\x1b" not in mixed.stdout.str()

    def test_colour_marks_verdicts_and_changes_no_text(self, mixed_inner: Inner, mixed: pytest.RunResult) -> None:
        coloured = mixed_inner.run(*MIXED_SELECTION, "--color=yes").stdout.str()
        assert "\x1b[31mFAIL 1 of 6" in coloured
        assert "\x1b[32mPASS 6" in coloured
        assert "\x1b[33mUNKNOWN\x1b[0m" in coloured

    def test_quiet_still_has_the_matrix(self, mixed_inner: Inner) -> None:
        result = mixed_inner.run(*MIXED_SELECTION, "-q")
        result.stdout.fnmatch_lines(["....FU......*", "*  sigkill   FAIL 1 of 6  PASS 6"])
        result.stdout.no_fnmatch_line("tfkernel: kernels are*")

    def test_verbose_has_the_words(self, mixed_inner: Inner) -> None:
        lines = [line.split() for line in mixed_inner.run(*MIXED_SELECTION, "-v").outlines]
        assert [FAILED, "FAILED"] in [line[:2] for line in lines]
        assert [UNKNOWN, "UNKNOWN"] in [line[:2] for line in lines]

    def test_output_without_a_terminal_reporter(self, mixed_inner: Inner) -> None:
        result = mixed_inner.run(*MIXED_SELECTION, "-p", "no:terminal")
        assert (result.ret, result.stdout.str().strip()) == (1, "")


class TestHeader:
    def test_says_what_kernels_are_and_what_can_be_checked(self, mixed: pytest.RunResult) -> None:
        mixed.stdout.fnmatch_lines(
            ["tfkernel: kernels are Python *, TensorFlow * (*)", "tfkernel: can check: TensorFlow*"]
        )

    def test_says_what_cannot_be_checked_and_why(self, canned: Inner) -> None:
        canned.write("conftest.py", NO_GPU)
        result = canned.run(STARTS_BLANK)
        result.stdout.fnmatch_lines(
            ["tfkernel: can't check GPUs: no card in the slot", "nothing about GPUs was checked: no card in the slot"]
        )

    def test_is_not_there_without_the_suite(self, inner: Inner) -> None:
        inner.run("--co").stdout.no_fnmatch_line("tfkernel:*")


NO_GPU = """
import pytest
from pytest_tfkernel.model.trials import Capability

capabilities = lambda *_: (Capability("tensorflow", "TensorFlow", True), Capability("gpu", "GPUs", False, "no card in the slot"))
pytest.MonkeyPatch().setattr("pytest_tfkernel.plugin.suite.hooks.of_all", capabilities)
"""


class TestNothingPassed:
    def test_run_of_nothing_but_unknown_is_an_error(self, canned: Inner) -> None:
        canned.write("conftest.py", DARK)
        result = canned.run(STARTS_BLANK)
        assert (result.ret, counts(result)) == (1, {"unknown": 1})
        result.stdout.fnmatch_lines(["*a new kernel could not be looked at: it is dark", "no verdict is PASS, *error"])

    def test_so_it_is_over_workers(self, canned: Inner) -> None:
        canned.write("conftest.py", DARK)
        assert canned.run(STARTS_BLANK, "-n", "1").ret == 1

    def test_tests_of_the_user_that_pass_do_not_change_that(self, canned: Inner) -> None:
        canned.write("conftest.py", DARK)
        canned.write("test_mine.py", "def test_mine(): pass\n")
        result = canned.run(STARTS_BLANK, "test_mine.py")
        assert (result.ret, counts(result)) == (1, {"unknown": 1, "passed": 1})


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("KernelStartError('out of processes')", "out of processes"),
        ("SpecError('no such folder')", "no such folder"),
        ("SupervisorGoneError('somebody ended it')", "somebody ended it"),
        ("OSError(28, 'No space left on device')", "OSError: [[]Errno 28[]] No space left on device"),
        ("BlockingIOError(11, 'Try again')", "BlockingIOError: [[]Errno 11[]] Try again"),
    ],
)
def test_trial_that_cannot_be_played_is_unknown_with_its_reason(canned: Inner, error: str, reason: str) -> None:
    canned.write("conftest.py", NOT_STARTED.replace("ERROR", error))
    result = canned.run(STARTS_BLANK, "--tfkernel-report=run.json")
    # Nothing passed, so the run is an error all the same.
    assert (result.ret, counts(result)) == (1, {"unknown": 1})
    result.stdout.fnmatch_lines([f"  the trial could not be played: {reason}", "no verdict is PASS, *error"])
    result.stdout.no_fnmatch_line("*Traceback*")
    (verdict,) = load(canned.folder / "run.json").verdicts
    assert verdict.verdict == "UNKNOWN"


NOT_STARTED = """
import observations
from pytest_tfkernel.model.errors import KernelStartError, SpecError, SupervisorGoneError

def honest(setting):
    raise ERROR

observations.honest = honest
"""


def test_rerun_judges_the_same_kill(canned: Inner) -> None:
    # pytest-rerunfailures and their like run the protocol of an item again.
    canned.write(
        "conftest.py",
        "from _pytest.runner import runtestprotocol\n\ndef pytest_runtest_protocol(item, nextitem):\n"
        "    runtestprotocol(item, nextitem=nextitem, log=False)\n",
    )
    result = canned.run(STARTS_BLANK)
    assert counts(result) == {"passed": 1}
    assert len(canned.played()) == 1
