"""pytest-xdist: each kill happens once, and everybody's tests are handed out as they should be."""

from __future__ import annotations

import collections

import pytest

from inner import Inner, counts, ran
from pytest_tfkernel.plugin.suite.collection import pairs
from pytest_tfkernel.suite.settings import settings, slow_first

pytest.importorskip("xdist")

SETTINGS = sorted({str(setting) for setting, _ in pairs("standard")})

# Each test says which worker ran it.
TESTS = """
import os
from pathlib import Path
import pytest

@pytest.fixture(autouse=True)
def told(request):
    with Path(__file__).with_name("told.txt").open("a") as file:
        file.write(f"{os.environ['PYTEST_XDIST_WORKER']} {request.node.name.partition('@')[0]}\\n")

class TestOne:
    @pytest.mark.parametrize("number", range(6))
    def test_one(self, number): pass

class TestTwo:
    @pytest.mark.parametrize("number", range(6))
    def test_two(self, number): pass

@pytest.mark.parametrize("number", range(6))
@pytest.mark.xdist_group("mine")
def test_group(number): pass
"""


# How items are kept together has to do with their number in no mode; loadfile is loadscope with other words.
@pytest.mark.parametrize(
    ("mode", "size"),
    [
        ("load", "standard"),
        *((mode, "smoke") for mode in ("loadgroup", "worksteal")),
        *(pytest.param(mode, "smoke", marks=pytest.mark.soak) for mode in ("loadscope", "loadfile")),
    ],
)
def test_each_trial_is_played_once_in_every_mode(canned: Inner, mode: str, size: str) -> None:
    result = canned.run("--tfkernel", f"--tfkernel-size={size}", "-n", "2", "--dist", mode)
    assert (result.ret, ran(result)) == (0, len(list(pairs(size))))
    assert sorted(setting for _, setting in canned.played()) == sorted({str(setting) for setting, _ in pairs(size)})
    assert {worker for worker, _ in canned.played()} == {"gw0", "gw1"}


def test_each_trial_is_played_once_without_workers(canned: Inner) -> None:
    canned.run("--tfkernel")
    assert sorted(setting for _, setting in canned.played()) == SETTINGS


def test_every_worker_plays_all_where_that_was_asked_for(canned: Inner) -> None:
    result = canned.run(
        "--tfkernel", "-k", "starts-blank and sigkill-idle and forkserver", "--dist", "each", "--tx", "2*popen"
    )
    assert counts(result) == {"passed": 6}
    assert collections.Counter(worker for worker, _ in canned.played()) == {"gw0": 3, "gw1": 3}


def test_long_trials_are_played_first(canned: Inner) -> None:
    canned.run("--tfkernel", "-n", "2")
    first = dict(reversed(canned.played()))
    assert set(first.values()) == {str(setting) for setting in slow_first(settings("standard"))[:2]}


def _workers(inner: Inner, name: str) -> set[str]:
    lines = (inner.folder / "told.txt").read_text().splitlines()
    return {line.split()[0] for line in lines if line.split()[1].startswith(name)}


@pytest.mark.parametrize("mode", ["loadscope", pytest.param("loadfile", marks=pytest.mark.soak), "loadgroup"])
def test_tests_of_the_user_stay_together_as_the_mode_says(canned: Inner, mode: str) -> None:
    canned.write("test_mine.py", TESTS)
    result = canned.run(".", "--tfkernel", "-n", "2", "--dist", mode, "-k", "mine or none-idle", "-v")
    assert counts(result)["passed"] > 18
    assert len((canned.folder / "told.txt").read_text().splitlines()) == 18
    if mode == "loadgroup":
        if "@mine" not in result.stdout.str():
            pytest.skip("this pytest-xdist can't name groups on this pytest: it writes to Item._nodeid, which is gone")
        assert len(_workers(canned, "test_group")) == 1
    elif mode == "loadscope":
        assert [len(_workers(canned, name)) for name in ("test_one", "test_two")] == [1, 1]
    else:
        assert len(_workers(canned, "test_")) == 1


def test_unknown_has_its_own_count_over_workers(canned: Inner) -> None:
    canned.write("conftest.py", NOBODY_LOOKED)
    result = canned.run(
        "--tfkernel", "-n", "1", "-k", "forkserver-graph_add-sigkill-idle and (nothing-is-left or starts-blank)"
    )
    assert counts(result)["unknown"] == 1
    assert counts(result)["passed"] == 1
    result.stdout.fnmatch_lines(["UNKNOWN nothing-is-left *", "  nothing looked for what was left", "  pytest *"])


NOBODY_LOOKED = """
import dataclasses
import observations

honest = observations.honest
observations.honest = lambda setting: dataclasses.replace(honest(setting), audit=None)
"""
