"""The suite, in a session whose own tests are isolated."""

from __future__ import annotations

import re

import pytest

from inner import Inner, counts

SETTING = "subprocess-planted-leaks-sigkill-idle"
OWN = """
def test_passes(): pass
def test_dies():
    import os
    os.kill(os.getpid(), 11)
"""


@pytest.mark.parametrize("more", [(), ("-n", "2"), ("-k", "planted or test_")])
def test_the_suite_runs_here_while_own_tests_are_isolated(canned: Inner, more: tuple[str, ...]) -> None:
    canned.write("test_own.py", OWN)
    run = canned.run("--tfkernel", "--tfkernel-size=smoke", "--tfkernel-isolate", "test_own.py", *more)
    outcomes = counts(run)
    assert outcomes.pop("failed") == 1
    assert sum(outcomes.values()) > 1
    played = [setting for _, setting in canned.played()]
    assert SETTING in played
    assert len(played) == len(set(played)), "a trial is played once, whoever collects"
    assert (len(played) == 1) == ("-k" in more)
    text = run.stdout.str()
    # What follows it there is of newer versions of pytest.
    assert "FAILED test_own.py::test_dies" in text
    assert "\nthe process of the test died of SIGSEGV\n" in text
    assert re.search(r"^2 tests in \d process(es)? \(", text, re.MULTILINE)


def test_ids_of_the_suite_can_be_pasted_beside_own_tests(canned: Inner) -> None:
    one = f"tfkernel::audit-is-trusted[{SETTING}]"
    canned.write("test_own.py", "def test(): pass\n")
    run = canned.run("--tfkernel-isolate", one, "test_own.py")
    assert sum(counts(run).values()) == 2
    assert "1 test in 1 process (1 forked" in run.stdout.str()
    # With no path beside them, none of one's own are run.
    for words in ((one,), ("--tfkernel", "-k", "planted")):
        run = canned.run("--tfkernel-isolate", *words)
        assert sum(counts(run).values()) == 1
        assert "1 test in" not in run.stdout.str()
