"""`pytest --tfkernel`: the suite in any folder, whatever else is there."""

from __future__ import annotations

import pytest

from inner import Inner, counts, ran
from pytest_tfkernel.plugin.suite.collection import pairs

ALL = len(list(pairs("standard")))
FEW = len(list(pairs("smoke")))
# For what has nothing to do with how many items there are.
SMOKE = ("--tfkernel", "--tfkernel-size=smoke")
ONE = "tfkernel::graph-add[forkserver-graph_add-none-idle]"
TESTS = "def test_mine(): pass\n\ndef test_mine_too(): pass\n"


def test_runs_the_suite_in_an_empty_folder(canned: Inner) -> None:
    result = canned.run("--tfkernel")
    assert (result.ret, ran(result)) == (0, ALL)


def test_leaves_tests_of_the_folder_alone(canned: Inner) -> None:
    canned.write("test_mine.py", TESTS)
    assert ran(canned.run(*SMOKE)) == FEW


def test_leaves_testpaths_alone(canned: Inner) -> None:
    canned.write("pytest.ini", "[pytest]\ntestpaths = mine\n")
    canned.write("mine/test_mine.py", TESTS)
    assert ran(canned.run(*SMOKE)) == FEW


@pytest.mark.parametrize("path", [".", "mine", "mine/test_mine.py"])
def test_runs_named_paths_too(canned: Inner, path: str) -> None:
    canned.write("mine/test_mine.py", TESTS)
    assert ran(canned.run(*SMOKE, path)) == FEW + 2


def test_runs_a_named_test_too(canned: Inner) -> None:
    canned.write("mine/test_mine.py", TESTS)
    assert ran(canned.run(*SMOKE, "mine/test_mine.py::test_mine")) == FEW + 1


def test_without_it_nothing_of_ours_runs(canned: Inner) -> None:
    canned.write("test_mine.py", TESTS)
    result = canned.run()
    assert counts(result) == {"passed": 2}
    result.stdout.no_fnmatch_line("tfkernel:*")


def test_help_says_what_it_does(inner: Inner) -> None:
    result = inner.run("--help")
    text = " ".join(word for line in result.outlines for word in line.split())
    assert "--tfkernel run the conformance suite" in text
    assert "name paths beside it to run your own tests too" in text


class TestHostileConfiguration:
    def test_names_of_tests_that_the_user_chose_change_nothing(self, canned: Inner) -> None:
        canned.write(
            "pytest.ini", "[pytest]\npython_functions = check_*\npython_classes = Check\npython_files = *.txt\n"
        )
        assert ran(canned.run(*SMOKE)) == FEW

    def test_strict_options_are_met(self, canned: Inner) -> None:
        canned.write(
            "pytest.ini",
            "[pytest]\naddopts = --strict-markers --strict-config -p no:cacheprovider --import-mode=importlib -W error\n",
        )
        assert ran(canned.run(*SMOKE)) == FEW

    def test_fixtures_and_hooks_of_the_user_are_for_their_tests(self, canned: Inner) -> None:
        canned.write(
            "conftest.py",
            "import pytest\n\n@pytest.fixture(autouse=True)\ndef hostile(): raise RuntimeError('mine')\n\n"
            "@pytest.fixture(autouse=True, scope='session')\ndef hostile_too(): raise RuntimeError('mine')\n",
        )
        assert ran(canned.run(*SMOKE)) == FEW

    def test_a_hook_that_sorts_and_marks_items_is_met(self, canned: Inner) -> None:
        canned.write(
            "conftest.py",
            "import pytest\n\ndef pytest_collection_modifyitems(config, items):\n    items.sort(key=lambda item: item.name)\n"
            "    for item in items:\n        item.add_marker(pytest.mark.slow)\n        item.fspath, item.path, item.location, item.keywords\n",
        )
        canned.write("pytest.ini", "[pytest]\nmarkers = slow: takes time\n")
        assert ran(canned.run(*SMOKE)) == FEW
        assert len(canned.played()) == len({setting for _, setting in canned.played()})

    def test_a_timeout_of_the_user_does_not_cut_trials_short(self, inner: Inner, tensorflow_python: str) -> None:
        pytest.importorskip("pytest_timeout")
        inner.write("pytest.ini", "[pytest]\ntimeout = 0.01\n")
        inner.write("test_mine.py", "import select\n\ndef test_mine(): select.select([], [], [], 20)\n")
        result = inner.run("tfkernel::runner-death-leaves-nothing[subprocess-daemon-runner-death-idle]", "test_mine.py")
        assert counts(result) == {"passed": 1, "failed": 1}

    @pytest.mark.parametrize("arguments", [("-p", "xdist", "-n", "0"), ("-p", "no:xdist"), ("-p", "no:terminal")])
    def test_plugins_that_are_there_twice_or_not_at_all(self, canned: Inner, arguments: tuple[str, ...]) -> None:
        assert canned.run(*SMOKE, *arguments).ret == 0

    def test_a_virtual_environment_in_the_folder_is_met(self, canned: Inner) -> None:
        canned.write(".venv/pyvenv.cfg", "")
        canned.write(".venv/lib/test_theirs.py", "raise RuntimeError('not to be imported')\n")
        assert ran(canned.run(*SMOKE, "--import-mode=importlib")) == FEW


class TestOptionsOfPytest:
    def test_collect_only_lists_ids_and_plays_nothing(self, canned: Inner) -> None:
        result = canned.run("--tfkernel", "--collect-only", "-q")
        ids = [line for line in result.outlines if line.startswith("tfkernel::")]
        assert (result.ret, len(ids), len(set(ids))) == (0, ALL, ALL)
        assert ONE in ids
        assert canned.played() == []

    def test_collect_only_shows_items_below_their_collector(self, canned: Inner) -> None:
        result = canned.run(ONE, "--co")
        assert result.ret == 0
        result.stdout.fnmatch_lines(["*SuiteCollector tfkernel*", "*GuaranteeItem graph-add*"])
        assert canned.played() == []

    def test_k_selects_by_guarantee_and_setting(self, canned: Inner) -> None:
        result = canned.run("--tfkernel", "-k", "starts-blank and sigkill-idle and forkserver")
        assert counts(result) == {"passed": 3}
        assert len(canned.played()) == 3

    def test_m_selects_none_of_ours_by_a_mark_of_the_users(self, canned: Inner) -> None:
        canned.write("pytest.ini", "[pytest]\nmarkers = mine: mine\n")
        canned.write("test_mine.py", "import pytest\n\n@pytest.mark.mine\ndef test_mine(): pass\n")
        assert ran(canned.run(*SMOKE, ".", "-m", "mine")) == 1
        assert ran(canned.run(*SMOKE, ".", "-m", "not mine")) == FEW

    def test_x_stops_at_the_first_failure(self, canned: Inner) -> None:
        canned.write("test_mine.py", "def test_mine(): assert False\n")
        result = canned.run("-x", "test_mine.py", "--tfkernel")
        assert (result.ret, counts(result)) == (1, {"failed": 1})
        assert canned.played() == []

    def test_lf_runs_what_failed_last(self, canned: Inner) -> None:
        canned.write("broken.py", BROKEN)
        arguments = ("-p", "broken", "--tfkernel", "-k", "sigkill-idle")
        assert counts(canned.run(*arguments))["failed"] == 1
        result = canned.run(*arguments, "--lf")
        assert counts(result)["failed"] == 1
        assert "passed" not in counts(result)
        # A FAIL was seen.
        result.stdout.no_fnmatch_line("*nothing was shown*")

    def test_verbose_names_each_item_once(self, canned: Inner) -> None:
        result = canned.run(ONE, "-v")
        assert [line.split()[:2] for line in result.outlines if "none-idle" in line] == [[ONE, "PASSED"]]

    def test_durations_and_junit_have_place_for_ours(self, canned: Inner) -> None:
        result = canned.run(ONE, "--durations=3", "-vv", "--junitxml=junit.xml", "-rA")
        assert result.ret == 0
        assert "graph-add[forkserver-graph_add-none-idle]" in (canned.folder / "junit.xml").read_text()

    def test_a_trial_is_played_in_the_set_up_of_its_first_item(self, canned: Inner) -> None:
        canned.write(
            "slow.py",
            # What `--durations` is made of, without anything that takes time.
            "import os\n"
            "def played():\n"
            "    return os.path.exists(os.environ['TRIALS_LOG'])\n"
            "def pytest_runtest_logstart(nodeid):\n    print('before', played())\n"
            "def pytest_runtest_call(item):\n    print('call', played())\n",
        )
        result = canned.run(ONE, "-p", "slow", "-s", "--tfkernel-report=run.json")
        result.stdout.fnmatch_lines(["*before False", "*call True", "wrote *: 1 trial, 1 verdict, 0 tests"])

    @pytest.mark.parametrize("option", ["--setup-only", "--setup-plan"])
    def test_where_nothing_is_called_nothing_is_played(self, canned: Inner, option: str) -> None:
        canned.run(ONE, option)
        assert canned.played() == []

    def test_what_goes_wrong_in_a_set_up_is_an_error_and_no_verdict(self, canned: Inner) -> None:
        canned.write(
            "bad.py",
            "import observations\ndef broken(setting): raise RuntimeError('of the player')\nobservations.honest = broken\n",
        )
        result = canned.run(ONE, "-p", "bad", "--tfkernel-report=run.json")
        assert (result.ret, counts(result)) == (1, {"errors": 1})
        result.stdout.fnmatch_lines(["*RuntimeError: of the player", "collected, but never reported: *"])


# One judge has a reason to say FAIL.
BROKEN = """
import dataclasses
import observations

honest = observations.honest

def broken(setting):
    seen = honest(setting)
    if str(setting) == "forkserver-graph_add-sigkill-idle":
        seen = dataclasses.replace(seen, second=dataclasses.replace(seen.second, operations_after=8))
    return seen

observations.honest = broken
"""
