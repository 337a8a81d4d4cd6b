"""KNOWN: what fails as a table says, ours or that of `--tfkernel-known`."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest

from inner import Inner, counts
from pytest_tfkernel.model.defects import Defect
from pytest_tfkernel.report.store import load

HEARD = "tfkernel::interrupt-is-heard[forkserver-interrupt-is-heard-interrupt-running]"
REBUILT = "tfkernel::session-is-rebuilt[forkserver-graph_add-sigkill-idle]"
# Interrupts that come to something, and a session that isn't rebuilt.
ODD = """
import dataclasses
import observations
from facts import saw

honest = observations.honest

def odd(setting):
    if setting.example == "interrupt-is-heard":
        first, second = {"outcome": "FIRST", "struck": True}, {"outcome": "heard", "struck": True}
        return saw(setting, {"pids": [7, 7], "first": first, "second": second})
    seen = honest(setting)
    if setting.example == "graph_add":
        seen = dataclasses.replace(seen, second=dataclasses.replace(seen.second, operations_after=8))
    return seen

observations.honest = odd
"""
MINE = {"guarantee": "session-is-rebuilt", "trial": "*-graph_add-*", "observed": "8 operations*", "reason": "issue 7"}
FITS_NOTHING = {"guarantee": "starts-blank", "until": "1.15", "reason": "issue 8"}
SELECTION = ("--tfkernel", "-k", "interrupt-is-heard or forkserver-graph_add-sigkill-idle")
EVERYTHING = (
    *SELECTION,
    *("-n", "1", "--color=yes", "--tfkernel-known=known.json", "--tfkernel-report=run.json", "--junitxml=junit.xml"),
)


def write(inner: Inner, first: str, *entries: object) -> None:
    inner.write("conftest.py", ODD.replace("FIRST", first))
    inner.write("known.json", json.dumps(entries))


@pytest.fixture(scope="module")
def known_inner(make_inner: Callable[..., Inner], tensorflow_python: str) -> Inner:
    inner = make_inner(canned=True)
    write(inner, "swallowed", MINE, FITS_NOTHING)
    return inner


@pytest.fixture(scope="module")
def known(known_inner: Inner) -> pytest.RunResult:
    """A run over a worker, in which one thing is known by our table, and one by the user's."""
    return known_inner.run(*EVERYTHING)


class TestRun:
    def test_is_not_red_and_counts_them_apart(self, known: pytest.RunResult) -> None:
        plain = known.stdout.str()
        assert known.ret == 0
        assert "7 verdicts: 5 PASS, 0 FAIL, 2 KNOWN, 0 UNKNOWN" in plain
        assert "\x1b[35mKNOWN 1\x1b[0m" in plain
        assert "\x1b[35mKNOWN 1 of 6\x1b[0m" in plain

    def test_says_what_was_seen_and_what_is_known(self, known: pytest.RunResult) -> None:
        text = known.stdout.str()
        assert "8 operations, not 7 as before; known: issue 7" in text
        assert "the interrupt was not heard: swallowed; known: TensorFlow swallows a SIGINT" in text

    def test_says_which_entry_of_the_user_fits_nothing(self, known: pytest.RunResult) -> None:
        (line,) = [line for line in known.outlines if "nothing here fits it" in line]
        assert line.endswith("entry 2: guarantee starts-blank (issue 8)")

    def test_junit_has_them_as_skips_with_their_reasons(self, known: pytest.RunResult, known_inner: Inner) -> None:
        suite = ET.parse(known_inner.folder / "junit.xml").getroot().find("testsuite")
        assert suite is not None
        assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["7", "0", "0", "2"]
        skips = {case.get("name"): case.find("skipped") for case in suite.iter("testcase")}
        skip = skips[REBUILT.removeprefix("tfkernel::")]
        assert skip is not None
        assert skip.get("message") == "8 operations, not 7 as before; known: issue 7"

    def test_document_has_the_defect(self, known: pytest.RunResult, known_inner: Inner) -> None:
        verdicts = {one.item: one for one in load(known_inner.folder / "run.json").verdicts}
        rebuilt, heard = verdicts[REBUILT], verdicts[HEARD]
        assert (rebuilt.verdict, heard.verdict) == ("KNOWN", "KNOWN")
        assert rebuilt.defect == Defect("entry 1", "issue 7", table="known.json")
        assert heard.defect is not None
        assert heard.defect.id == "first-interrupt-is-swallowed"

    def test_later_one_without_the_table_is_worse(self, known: pytest.RunResult, known_inner: Inner) -> None:
        result = known_inner.run(*SELECTION, "--tfkernel-compare=run.json")
        assert (result.ret, counts(result)) == (1, {"passed": 5, "failed": 1, "known": 1})
        result.stdout.fnmatch_lines(["* -> *no guarantee lost, 1 guarantee newly failing, no behaviour changed"])


def test_what_is_known_alone_has_shown_something(canned: Inner) -> None:
    write(canned, "swallowed")
    result = canned.run(HEARD, "-v")
    assert (result.ret, counts(result)) == (0, {"known": 1})
    (line,) = [line for line in result.outlines if line.startswith(HEARD)]
    assert line.split()[1] == "KNOWN"
    result.stdout.no_fnmatch_line("no verdict is PASS*")
    letters = canned.run(HEARD).outlines
    assert [line.split()[1] for line in letters if line.startswith("forkserver-interrupt")] == ["K"]


def test_what_holds_though_it_never_did_is_told_as_mended(canned: Inner) -> None:
    write(canned, "heard")
    result = canned.run(HEARD, COLUMNS="400")
    assert (result.ret, counts(result)) == (0, {"passed": 1})
    result.stdout.fnmatch_lines(
        [
            "PASS interrupt-is-heard *",
            "*mended: first-interrupt-is-swallowed is listed as always seen, * update the table *",
        ]
    )


def test_what_fails_in_another_way_than_is_known_is_red(canned: Inner) -> None:
    write(canned, "ValueError: no")
    assert canned.run(HEARD).ret == 1


def test_ini_value_is_for_runs_of_the_suite_and_beside_the_ini_file(canned: Inner) -> None:
    canned.write("pytest.ini", "[pytest]\ntfkernel_known = known.json\n")
    canned.write("test_mine.py", "def test_mine(): pass\n")
    assert canned.run("test_mine.py").ret == 0
    canned.write("below/test_below.py", "def test_below(): pass\n")
    result = canned.run("--tfkernel", "-k", "starts-blank", "below")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = filter(None, result.errlines)
    assert line.startswith(f"ERROR: --tfkernel-known: {canned.folder / 'known.json'} can't be read")
