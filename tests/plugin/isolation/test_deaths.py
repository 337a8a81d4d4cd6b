"""What is told of a death: in which phase it was, what ended the process, and its last words."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mortal import MORTAL
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer
from pytest_tfkernel.plugin.isolation import deaths
from pytest_tfkernel.plugin.isolation.expected import Expected
from pytest_tfkernel.plugin.isolation.peers import ProcessDeath

ITEM = cast("Any", SimpleNamespace(nodeid="a.py::b", location=("a.py", 1, "b"), keywords={"b": 1}))
SEGV = Expected(frozenset(), frozenset([ExitStatus(signal=11)]))
DEATH = ProcessDeath(MORTAL)


def told(when: str, outcome: str = "passed") -> pytest.TestReport:
    report = pytest.TestReport("a.py::b", ("a.py", 1, "b"), {}, cast("Any", outcome), None, cast("Any", when))
    report.user_properties = [("a", 1)]
    return report


@pytest.mark.parametrize(
    ("last", "phase"),
    [
        (None, "setup"),
        (told("setup"), "call"),
        (told("setup", "failed"), "teardown"),
        (told("setup", "skipped"), "teardown"),
        (told("call"), "teardown"),
        (told("call", "failed"), "teardown"),
        (told("call", "rerun"), "setup"),
    ],
)
def test_the_phase_is_that_after_the_last_report(last: pytest.TestReport | None, phase: str) -> None:
    report = deaths.report(ITEM, last, DEATH, 1.5)
    assert (report.when, report.outcome, report.duration) == (phase, "failed", 1.5)
    assert str(report.longrepr).startswith("the process of the test died of SIGSEGV\n")


@pytest.mark.parametrize(
    ("last", "status", "outcome", "words"),
    [
        (told("setup"), ExitStatus(signal=11), "passed", "None"),
        (told("setup"), ExitStatus(signal=9), "failed", "the test was to die of SIGSEGV: the process of the test died"),
        (None, ExitStatus(signal=11), "failed", "to die of SIGSEGV in its call, and not in its setup"),
        (told("call"), ExitStatus(signal=11), "failed", "to die of SIGSEGV in its call, and not in its teardown"),
    ],
)
def test_a_test_may_be_to_die_in_its_call_only(
    last: pytest.TestReport | None, status: ExitStatus, outcome: str, words: str
) -> None:
    report = deaths.report(ITEM, last, ProcessDeath(replace(MORTAL, exit_status=status)), 1.5, SEGV)
    assert report.outcome == outcome
    assert words in str(report.longrepr)


@pytest.mark.parametrize(
    ("when", "outcome", "expected"),
    [("call", "passed", "failed"), ("setup", "passed", "passed"), ("call", "skipped", "skipped")],
)
def test_a_test_that_was_to_die_and_lives_fails(when: str, outcome: str, expected: str) -> None:
    report = told(when, outcome)
    deaths.of_the_living(report, SEGV)
    assert report.outcome == expected


def test_a_death_after_the_last_report_is_added_to_it() -> None:
    report = told("teardown")
    deaths.spoil(report, deaths.late(DEATH, passed=True))
    assert report.outcome == "failed"
    assert str(report.longrepr).startswith("died after passing: the process of the test died of SIGSEGV")
    deaths.spoil(report, deaths.late(DEATH, passed=False))
    assert str(report.longrepr).count("died after") == 2


def test_a_person_reads_what_ended_it_and_its_last_words() -> None:
    found = replace(
        MORTAL, stack="Fatal Python error", stdout="beyond", exit_status=ExitStatus(signal=9), cause=Cause.OOM_KILL
    )
    text = deaths.described(
        ProcessDeath(replace(found, killer=Killer.OOM_KILLER), {"stdout": "words", "log": "logged"})
    )
    assert text.splitlines() == [
        "the process of the test died of SIGKILL: out of memory",
        "cause: out of memory; killed by: the OOM killer; process 123, 2.0 s, 1.5 s of CPU time, at most 64 MiB of memory",
        "Fatal Python error",
        "--- captured stdout",
        "words",
        "--- captured log",
        "logged",
        "--- stdout that pytest has not captured",
        "beyond",
    ]


@pytest.mark.parametrize(
    ("death", "words"),
    [
        (
            ProcessDeath(replace(MORTAL, exit_status=ExitStatus(code=74))),
            "descriptor 3, by which it tells pytest of its tests, was",
        ),
        (ProcessDeath(MORTAL, internal="KeyError: 3"), "pytest itself has failed there: KeyError: 3"),
        (ProcessDeath(replace(MORTAL, exit_status=None, usage=None)), "died of an unknown exit status"),
        (ProcessDeath(replace(MORTAL, note="a note")), "SIGSEGV: a note"),
    ],
)
def test_a_reason_that_is_known_is_in_the_first_line(death: ProcessDeath, words: str) -> None:
    assert words in deaths.described(death).splitlines()[0]


def test_a_stack_shows_no_frame_of_pytest_and_no_frame_again_and_again() -> None:
    mine, theirs = '  File "/x/test_a.py", line 3 in f', '  File "/y/_pytest/runner.py", line 1 in g'
    stack = "\n".join(
        ["Thread 1:", *[mine] * 9, theirs, "", "Thread 2:", theirs, mine, "Timeout (0:00:01)!", "Thread 1:", mine]
    )
    shown = deaths.described(ProcessDeath(replace(MORTAL, stack=stack))).splitlines()[2:]
    assert shown == ["Thread 1:", *[mine] * 3, "  the same 6 more times", "", "Thread 2:", theirs, mine]
