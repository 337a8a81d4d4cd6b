"""What a person sees while trials are played."""

from __future__ import annotations

import re

import pytest

from inner import Inner, counts
from pytest_tfkernel.plugin.suite.progress import SuiteProgress

OWN = """\
import pytest

@pytest.mark.parametrize("number", range(4))
def test_own(number):
    assert number != 2
"""
LINE = re.compile(r"(\S+-idle) \.+(?:  \[ *(\d+)%\] (\d+) of (\d+) trials(?:, about \d+ s left)?| +\[100%\])")


@pytest.fixture
def canned(inner: Inner) -> Inner:
    canned = Inner(inner.folder, inner.log, canned=True, warm=inner.warm)
    canned.write("test_own.py", OWN)
    return canned


@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["alone", "workers"])
def test_each_trial_has_a_line_that_says_how_far_the_run_is(canned: Inner, arguments: tuple[str, ...]) -> None:
    result = canned.run("--tfkernel", "--tfkernel-size=smoke", "test_own.py", "--tb=no", "-k", "not oom", *arguments)
    lines = [line for line in result.outlines if "-idle " in line]
    matches = [LINE.fullmatch(line) for line in lines]
    assert all(matches), lines
    trials = [match for match in matches if match]
    assert len({match[1] for match in trials}) == len(trials) == 3
    told = [(int(match[2]), int(match[3]), match[4]) for match in trials if match[2]]
    assert told == sorted(told)
    assert {total for _, _, total in told} == {"3"}
    # Own tests stand on lines of their own.
    played = result.stdout.str().rpartition("items")[2].partition("= tfkernel =")[0]
    own = "".join(line.removeprefix("test_own.py") for line in played.splitlines()[1:] if "-idle " not in line)
    assert sorted(re.sub(r"\[.*\]|[\s=]", "", own)) == [".", ".", ".", "F"]
    assert counts(result)["failed"] == 1


def test_a_longer_output_of_pytest_is_left_as_it_is(canned: Inner) -> None:
    result = canned.run("--tfkernel", "--tfkernel-size=smoke", "-v", "-n", "2")
    assert " trials" not in result.stdout.str().partition("= tfkernel =")[0]
    assert result.stdout.str().count("PASSED") == counts(result)["passed"]


def test_short_summary_keeps_its_words(canned: Inner) -> None:
    result = canned.run("--tfkernel", "--tfkernel-size=smoke", "-rA", "-n", "2", "--tb=no")
    assert result.stdout.str().count("PASSED tfkernel::") == counts(result)["passed"]


def test_a_run_that_is_cut_short_says_how_much_is_missing(canned: Inner) -> None:
    result = canned.run("--tfkernel", "--tfkernel-size=smoke", "test_own.py", "-x", "--tb=no")
    assert counts(result) == {"passed": 2, "failed": 1}
    (line,) = [line for line in result.outlines if line.endswith("not run")]
    found = re.fullmatch(r"tfkernel: (\d+) of (\d+) not run", line)
    assert found
    assert int(found[2]) - int(found[1]) == 3
    assert "not run" not in canned.run("tfkernel::graph-add", "--tfkernel-size=smoke").stdout.str()


def test_without_a_terminal_nothing_is_shown(canned: Inner) -> None:
    assert canned.run("--tfkernel", "--tfkernel-size=smoke", "-p", "no:terminal").ret == 0


def test_nothing_is_known_of_the_time_before_something_is_done(pytestconfig: pytest.Config) -> None:
    progress = SuiteProgress(pytestconfig)
    progress.pytest_xdist_node_collection_finished(None, [f"tfkernel::a[one-{number}]" for number in range(30)])  # type: ignore[arg-type]
    assert progress.words(0) == "[  0%] 0 of 30 trials"
    assert re.fullmatch(r"\[ 50%\] 0 of 30 trials, about \d+ s left", progress.words(15))
