"""Isolated tests beside other plugins: each says of them what it says of a plain run.

Those that aren't installed with the others are installed by `tox -e neighbours`.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from inner import Inner, counts
from warm import BY_REQUEST, without

ISOLATED = ("--tfkernel-isolate=file", "--tfkernel-isolate=test")
# They register themselves, so none of them is there but where a test is about it; those that `inner` knows aren't either.
EXTRA = (
    "benchmark",
    "forked",
    "html",
    "hypothesispytest",
    "isolate",
    "metadata",
    "pytest_cov",
    "pytest_mock",
    "randomly",
    "sugar",
    "syrupy",
)
UNWANTED = without(*EXTRA, *BY_REQUEST)
# Notes each report that reaches pytest's own process.
CONFTEST = """
import json, os

def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Reports())

class Reports:
    def pytest_runtest_logreport(self, report):
        with open(os.environ["REPORTS"], "a") as file:
            file.write(json.dumps([report.nodeid, report.when, report.outcome]) + "\\n")
"""
Reports = list[tuple[str, str, str]]


def run(inner: Inner, *arguments: str, plugins: tuple[str, ...] = ()) -> tuple[pytest.RunResult, Reports]:
    """A run with no plugins but these beside those that always are, and the reports in their order."""
    unwanted = without(*(name for name in EXTRA if name not in plugins))
    path = inner.folder.parent / "reports"
    path.unlink(missing_ok=True)
    inner.write("conftest.py", CONFTEST)
    inner = Inner(inner.folder, inner.log, plugins=plugins, warm=inner.warm)
    result = inner.run(*unwanted, "-p", "no:cacheprovider", *arguments, REPORTS=str(path))
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return result, [tuple(json.loads(line)) for line in lines]


def assert_same(inner: Inner, *arguments: str, plugins: tuple[str, ...] = (), fresh: Path | None = None) -> None:
    """Isolated tests are told of as those of a plain run, in the same order; a file that is `fresh` is removed before."""
    found = []
    for mode in ((), *((word,) for word in ISOLATED)):
        if fresh is not None:
            fresh.unlink(missing_ok=True)
        found.append(run(inner, *mode, *arguments, plugins=plugins))
    (plain, reports), *isolated = found
    assert reports
    for result, told in isolated:
        assert told == reports
        assert counts(result) == counts(plain)
        assert result.ret == plain.ret
        assert header(plain) <= header(result)


def header(result: pytest.RunResult) -> set[str]:
    """What is said before tests are collected."""
    lines = result.stdout.lines
    return set(lines[: next((n for n, line in enumerate(lines) if line.startswith("collect")), 0)])


def coverage(inner: Inner, *arguments: str) -> str:
    """What coverage prints, run as a person runs it."""
    # The coverage around us has nothing to say there.
    environment = {name: text for name, text in inner.environment.items() if not name.startswith("COVERAGE")}
    command = [sys.executable, "-m", "coverage", *arguments]
    done = subprocess.run(command, cwd=inner.folder, env=environment, capture_output=True, text=True, check=False)
    sys.stdout.write(done.stdout + done.stderr)
    return done.stdout


def needs(distribution: str) -> None:
    try:
        version(distribution)
    except PackageNotFoundError:
        pytest.skip(f"{distribution} is not installed: run tox -e neighbours")


ONE = """
import os, pytest

@pytest.fixture(scope="module")
def resource(): yield os.getpid()

def test_first(resource): assert resource == os.getpid()
@pytest.mark.parametrize("number", [1, 2])
def test_numbers(number, resource): assert number != 2

class TestClass:
    def test_method(self): pass
    @pytest.mark.skip
    def test_skipped(self): pass

@pytest.mark.xdist_group("group")
def test_grouped(): pass
"""
TWO = """
import os, signal, pytest

def test_before(): pass
def test_dies(): os.kill(os.getpid(), signal.SIGKILL)
@pytest.mark.xfail
def test_after(): assert 0
@pytest.mark.xdist_group(name="group")
def test_grouped(): pass
"""
BOTH = {"passed": 6, "failed": 2, "skipped": 1, "xfailed": 1}


@pytest.mark.parametrize(
    "dist",
    [
        "loadfile",
        "loadgroup",
        "each",
        *(pytest.param(one, marks=pytest.mark.soak) for one in ("load", "loadscope", "worksteal")),
    ],
)
def test_workers_of_xdist_isolate_their_tests(inner: Inner, dist: str) -> None:
    inner.write("test_one.py", ONE)
    inner.write("test_two.py", TWO)
    result, reports = run(inner, "--tfkernel-isolate", "-n", "2", "--dist", dist)
    times = 2 if dist == "each" else 1
    assert counts(result) == {name: number * times for name, number in BOTH.items()}
    text = result.stdout.str()
    assert "the process of the test died of SIGKILL" in text
    assert "INTERNALERROR" not in text
    assert len([one for one in reports if one[1] == "teardown"]) == 10 * times


def test_ids_have_the_group_that_xdist_gives_them(inner: Inner) -> None:
    inner.write("test_one.py", ONE)
    found = []
    for mode in ((), ISOLATED[:1]):
        _, reports = run(inner, *mode, "-n", "2", "--dist", "loadgroup")
        found.append(sorted({nodeid for nodeid, _, _ in reports}))
    assert found[0] == found[1]


def test_a_worker_of_xdist_that_is_killed_loses_what_a_plain_run_loses(inner: Inner) -> None:
    # The fixture is of the process of the test, whose supervisor is a child of the worker: a fresh interpreter.
    inner = Inner(inner.folder, inner.log)
    inner.write(
        "test_kill.py",
        """
        import os, signal, pathlib, pytest

        def worker():
            pid = os.getpid()
            while "-c\\0import sys;exec(eval(sys.stdin.readline()))" not in pathlib.Path(f"/proc/{pid}/cmdline").read_text():
                pid = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            return pid

        def test_before(): pass
        def test_kills():
            os.kill(worker(), signal.SIGKILL)
            signal.pause()
        def test_after(): pass
        def test_last(): pass
        """.replace("\n        ", "\n"),
    )
    found = []
    for mode in ((), ISOLATED[:1]):
        result, reports = run(inner, *mode, "-n", "1")
        assert "crashed while running 'test_kill.py::test_kills'" in result.stdout.str()
        # What the worker had told of the test that has killed it may have gone with it.
        found.append((counts(result), sorted(one for one in reports if "test_kills" not in one[0])))
    assert found[0] == found[1]
    assert found[0][0] == {"passed": 3, "failed": 1}


MODULE = """
def first(): return 1
def second(): return 2
def lost(): return 3
def branch(yes):
    if yes:
        return 4
    return 5
"""
USES = """
import os, signal, module

def test_first(): module.first()
def test_dies():
    module.lost()
    os.kill(os.getpid(), signal.SIGKILL)
def test_second(): module.second()
def test_branch(): module.branch(True)
"""


def lines_of(folder: Path, name: str = "module.py") -> tuple[list[int], set[str]]:
    """Which lines of a file were measured, and in which contexts."""
    from coverage import CoverageData

    data = CoverageData(str(folder / ".coverage"))
    data.read()
    found = data.contexts_by_lineno(str(folder / name))
    return sorted(found), set(itertools.chain.from_iterable(found.values()))


@pytest.mark.parametrize("mode", ISOLATED)
def test_coverage_run_measures_them(inner: Inner, mode: str) -> None:
    inner.write("module.py", MODULE)
    inner.write("test_uses.py", USES)
    inner.write(".coveragerc", "[run]\nbranch = true\nsource = .\ndynamic_context = test_function\n")
    said = coverage(inner, "run", "-m", "pytest", *UNWANTED, "-p", "no:cacheprovider", mode)
    assert "1 failed, 3 passed" in said
    assert sorted(path.name for path in inner.folder.glob(".coverage*")) == [".coverage", ".coveragerc"]
    lines, contexts = lines_of(inner.folder)
    # Of the test that was killed the lines are lost, and no others.
    assert lines == [2, 3, 4, 5, 6, 7]
    assert {"test_uses.test_first", "test_uses.test_second", "test_uses.test_branch"} <= contexts


@pytest.mark.parametrize("distributed", [(), ("-n", "2")])
@pytest.mark.parametrize("mode", ISOLATED)
def test_pytest_cov_measures_them(inner: Inner, mode: str, distributed: tuple[str, ...]) -> None:
    needs("pytest-cov")
    inner.write("module.py", MODULE)
    inner.write(
        "test_uses.py", USES.replace("def test_branch", "import pytest\n@pytest.mark.no_cover\ndef test_branch")
    )
    arguments = ("--cov=.", "--cov-context=test", *distributed)
    found = []
    for words in ((), (mode,)):
        deselected = () if words else ("--deselect", "test_uses.py::test_dies")
        result, _ = run(inner, *words, *arguments, *deselected, plugins=("pytest_cov",))
        assert counts(result) == ({"passed": 3, "failed": 1} if words else {"passed": 3})
        assert sorted(path.name for path in inner.folder.glob(".coverage*")) == [".coverage"]
        found.append(lines_of(inner.folder))
    assert found[0] == found[1]
    assert "test_uses.py::test_first|run" in found[1][1]


def test_lines_of_processes_that_tests_start_are_measured(inner: Inner) -> None:
    inner.write("module.py", MODULE)
    inner.write(
        "test_starts.py",
        "import multiprocessing, os, subprocess, sys, module\n"
        "def test_forks():\n"
        "    child = multiprocessing.get_context('fork').Process(target=module.first)\n"
        "    child.start(); child.join()\n"
        "def test_starts(): subprocess.run([sys.executable, '-c', 'import module; module.second()'], check=True)\n"
        "def test_exits():\n"
        "    module.lost()\n"
        "    os._exit(0)\n",
    )
    inner.write(".coveragerc", "[run]\nsource = .\npatch = subprocess, fork, _exit\n")
    coverage(inner, "run", "-m", "pytest", *UNWANTED, "-p", "no:cacheprovider", "--tfkernel-isolate")
    coverage(inner, "combine", "--quiet")
    assert lines_of(inner.folder)[0] == [2, 3, 4, 5]


def test_timeouts_of_tests_are_those_of_pytest_timeout(inner: Inner) -> None:
    inner.write(
        "test_slow.py",
        "import signal, pytest\n@pytest.mark.timeout(0.2)\ndef test_hangs(): signal.pause()\ndef test_after(): pass\n",
    )
    assert_same(inner, "--timeout", "60")


def test_tests_are_run_again(inner: Inner) -> None:
    tried = inner.folder / "tried"
    inner.write(
        "test_flaky.py",
        "import os, pathlib, pytest\ntried = pathlib.Path('tried').absolute()\n"
        "@pytest.mark.flaky(reruns=2)\n"
        "def test_flaky():\n    with tried.open('a') as file: file.write('x')\n    assert tried.read_text() != 'x'\n"
        "@pytest.mark.flaky(reruns=1)\ndef test_fails(): assert 0\n"
        "def test_passes(): pass\n",
    )
    assert_same(inner, plugins=("rerunfailures",), fresh=tried)


def test_coroutines_and_fake_file_systems(inner: Inner) -> None:
    inner.write(
        "test_several.py",
        "import asyncio, os, pytest, pytest_asyncio\n"
        "@pytest_asyncio.fixture\nasync def three():\n    await asyncio.sleep(0)\n    yield 3\n"
        "@pytest.mark.asyncio\nasync def test_three(three): assert three == 3\n"
        "@pytest.mark.asyncio\nasync def test_four(three): assert three == 4\n"
        "def test_fake(fs):\n    fs.create_file('/x/y')\n    assert os.path.exists('/x/y')\n"
        "def test_real(): assert not os.path.exists('/x/y')\n",
    )
    assert_same(inner, "-W", "ignore", plugins=("asyncio", "fakefs"))


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_order_of_a_seed_is_the_same(inner: Inner, seed: str) -> None:
    needs("pytest-randomly")
    inner.write("test_one.py", ONE)
    draws = "import random\ndef test_draws(record_property): assert random.random() < 0.5\n"
    inner.write("test_draws.py", draws)
    assert_same(inner, "-p", "randomly", f"--randomly-seed={seed}", plugins=("randomly",))


def test_examples_of_hypothesis_are_kept(inner: Inner) -> None:
    needs("hypothesis")
    inner.write(
        "test_given.py",
        "from hypothesis import given, strategies as st\n"
        "@given(st.integers())\ndef test_holds(number): assert number == number\n"
        "@given(st.integers())\ndef test_fails(number): assert number < 10\n",
    )
    run(inner, ISOLATED[0], plugins=("hypothesispytest",))
    assert any((inner.folder / ".hypothesis" / "examples").iterdir())
    assert_same(inner, plugins=("hypothesispytest",))


@pytest.mark.parametrize("distributed", [(), ("-n", "2")])
@pytest.mark.parametrize("mode", ISOLATED)
def test_snapshots_of_syrupy(inner: Inner, mode: str, distributed: tuple[str, ...]) -> None:
    needs("syrupy")
    inner.write(
        "test_one.py", "def test_a(snapshot): assert 1 == snapshot\ndef test_b(snapshot): assert 2 == snapshot\n"
    )
    inner.write("test_two.py", "def test_c(snapshot): assert 3 == snapshot\n")
    kept = inner.folder / "__snapshots__"

    def said(*arguments: str) -> str:
        return run(inner, mode, *distributed, *arguments, plugins=("syrupy",))[0].stdout.str()

    assert "3 snapshots generated." in said("--snapshot-update")
    written = read(kept)
    assert "3 snapshots passed." in said()
    with (kept / "test_two.ambr").open("a") as file:
        file.write("# name: test_old\n  9\n# ---\n")
    assert "1 snapshot unused." in said()
    # Whose process has died has told nothing of what it has used: nothing is taken for unused.
    inner.write("test_three.py", "import os\ndef test_dies(snapshot):\n    assert 4 == snapshot\n    os._exit(1)\n")
    said("--snapshot-update")
    assert "test_old" in read(kept)["test_two.ambr"]
    (inner.folder / "test_three.py").unlink()
    assert "1 unused snapshot deleted." in said("--snapshot-update")
    assert read(kept) == written


def read(folder: Path) -> Mapping[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.ambr")}


@pytest.mark.parametrize("mode", ISOLATED)
def test_benchmarks_are_not_measured_and_it_is_said(inner: Inner, mode: str) -> None:
    needs("pytest-benchmark")
    inner.write("test_speed.py", "def test_speed(benchmark): assert benchmark(lambda: 3) == 3\n")
    result, _ = run(inner, mode, plugins=("benchmark",))
    assert counts(result) == {"passed": 1}
    assert "tfkernel isolation: benchmarks run once each, and are not measured" in result.stdout.str()
    result, _ = run(inner, mode, "--benchmark-disable", plugins=("benchmark",))
    assert "benchmarks run once" not in result.stdout.str()


def test_pages_of_pytest_html_and_mocks(inner: Inner) -> None:
    needs("pytest-html")
    needs("pytest-mock")
    inner.write("test_one.py", ONE)
    inner.write(
        "test_mocks.py",
        "import os\n"
        "def test_mocked(mocker):\n    mocker.patch('os.getcwd', return_value='/x')\n    assert os.getcwd() == '/x'\n"
        "def test_not_mocked(): assert os.getcwd() != '/x'\n",
    )
    plugins = ("html", "metadata", "pytest_mock")
    assert_same(inner, "--html=page.html", "--self-contained-html", plugins=plugins)
    page = (inner.folder / "page.html").read_text(encoding="utf-8")
    assert all(name in page for name in ("test_first", "test_not_mocked", "test_skipped"))


def test_sugar_shows_them_all(inner: Inner) -> None:
    needs("pytest-sugar")
    inner.write("test_one.py", ONE)
    for mode in ISOLATED:
        result, reports = run(inner, mode, "--force-sugar", plugins=("sugar",))
        assert len({nodeid for nodeid, _, _ in reports}) == 6
        assert [line.split() for line in result.outlines[-6:] if "ed" in line][0:1] == [["4", "passed"]]
