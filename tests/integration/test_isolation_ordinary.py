"""Isolated tests are told of as tests of a plain run are, word by word."""

from __future__ import annotations

import dataclasses
import difflib
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import ordinary
from inner import Inner
from warm import Warm

Compare = Callable[..., pytest.RunResult]
_HAS_SUBTESTS = int(pytest.__version__.partition(".")[0]) >= 9
# Before, what a stopped session has still to tear down comes after all that plugins say at its end.
_STOPS_IN_ORDER = tuple(map(int, pytest.__version__.split(".")[:2])) >= (8, 3)
_LOGS = ("-o", "log_cli=true", "-o", "log_cli_level=INFO", "-W", "ignore::pytest.PytestUnknownMarkWarning")


@pytest.fixture
def make(tmp_path: Path, warm: Warm) -> Callable[[str, dict[str, str]], Inner]:
    """Make a folder with these files, which both runs have as `tests`."""

    def make_one(name: str, files: dict[str, str]) -> Inner:
        (tmp_path / name).mkdir()
        inner = dataclasses.replace(Inner.make(tmp_path / name), warm=warm)
        for path, text in files.items():
            inner.write(path, text)
        return inner

    return make_one


@pytest.fixture
def compare(make: Callable[[str, dict[str, str]], Inner], tmp_path: Path) -> Compare:
    """Run the same, plain and isolated, and compare all that is told; the answer is the isolated run.

    The first call writes the files; each run has a folder of its own, with its own cache.
    """
    folders: dict[str, Inner] = {}

    def told(inner: Inner, run: pytest.RunResult) -> tuple[list[str], list[str], list[str]]:
        xml = inner.folder / "junit.xml"
        here = str(tmp_path / inner.folder.parent.name)
        out, err = (ordinary.words(one.str().replace(here, "HERE")) for one in (run.stdout, run.stderr))
        lines = [line.replace(here, "HERE") for line in ordinary.junit(xml)] if xml.exists() else []
        return out, err, lines

    def run(*arguments: str, files: dict[str, str] | None = None, mode: str = "file") -> pytest.RunResult:
        if files is not None:
            folders.update({name: make(name, files) for name in ("plain", "apart")})
        plain = folders["plain"].run("--junit-xml=junit.xml", *arguments)
        isolated = folders["apart"].run("--junit-xml=junit.xml", f"--tfkernel-isolate={mode}", *arguments)
        assert "tfkernel isolation: a process for each" in isolated.stdout.str() or "-q" in arguments
        assert isolated.ret == plain.ret
        first, second = told(folders["plain"], plain), told(folders["apart"], isolated)
        for one, other in zip(first, second, strict=True):
            difference = list(difflib.unified_diff(one, other, "plain", "isolated", lineterm="", n=1))
            if difference:
                pytest.fail("\n".join(difference), pytrace=False)
        return isolated

    return run


def test_everything_is_told_as_in_a_plain_run(compare: Compare) -> None:
    files = ordinary.FILES | ({"test_subtests.py": ordinary.SUBTESTS} if _HAS_SUBTESTS else {})
    run = compare("-rA", "--doctest-modules", "--durations=3", "--durations-min=900", "--log-file=log.txt", files=files)
    assert run.stdout.str().count("seen by all") == 1
    assert run.stdout.str().count("[sessionfinish]") == 1
    native = ("--tb=native", "-q", "-o", "junit_family=xunit1", "-o", "junit_logging=all")
    compare(*native, "--ignore=test_unit.py", "-k", "not module and not bad_suite")


@pytest.mark.uncovered
def test_each_test_apart_is_told_as_in_a_plain_run(compare: Compare) -> None:
    # What is set up for a module is set up for each of its tests.
    # Of a path that is coloured, the folder of the run is not to be seen.
    left_out = "--deselect=test_fixtures.py::test_module", "--deselect=test_outcomes.py::test_yields_twice"
    compare("-v", "--color=yes", *left_out, files=ordinary.FILES, mode="test")


@pytest.mark.parametrize(
    "arguments",
    [
        ("-s", "-v", *(["--maxfail=7"] if _STOPS_IN_ORDER else [])),
        ("--capture=tee-sys", *_LOGS),
        ("--capture=sys", "-x", "test_outcomes.py"),
        ("--setup-show", "-q", "-p", "no:logging", "test_unit.py", "nested"),
        (
            "-W",
            "error",
            "-p",
            "no:cacheprovider",
            "-o",
            "markers=odd",
            "surrogates.py",
            "test_outcomes.py",
            "-k",
            "warns or skip or surrogate",
        ),
    ],
    ids=lambda words: words[0],
)
def test_what_is_shown_while_tests_run(compare: Compare, arguments: tuple[str, ...]) -> None:
    compare(*arguments, files=ordinary.FILES | {"surrogates.py": ordinary.SURROGATES})


BROKEN = {
    "test_import.py": "import not_there\n",
    "test_raises.py": "print('said'); raise ValueError('x')\n",
    "test_fine.py": "def test_y(): pass\ndef test_z(): assert 0\n",
    "deeper/test_exits.py": "import pytest; pytest.exit('in collection')\n",
}


def test_what_can_not_be_collected_is_told_as_in_a_plain_run(compare: Compare) -> None:
    compare("--ignore=deeper", files=BROKEN)
    compare("--ignore=deeper", "--continue-on-collection-errors", "--keep-duplicates", "test_fine.py", ".")
    # Errors of usage: what is wrong is said, and the exit status is that of pytest.
    compare("test_fine.py", "test_fine.py::test_nothing")
    compare("deeper")


CHOSEN = {
    "test_a.py": """
        import os, pytest

        @pytest.fixture(scope="module", autouse=True)
        def per_module():
            yield
            print("module torn down")
        def test_1(): pass
        def test_2(tmp_path):
            (tmp_path / "kept").touch()
            if not os.path.exists("good"): pytest.fail("not yet")
        def test_3(): pass
    """,
    "test_b.py": "def test_4(): pass\n",
    "test_c.py": "def test_5(tmp_path): (tmp_path / 'kept').touch(); assert 0\ndef test_6(tmp_path): pass\n",
}


def test_the_cache_chooses_and_remembers_as_in_a_plain_run(compare: Compare, tmp_path: Path) -> None:
    compare("--cache-clear", files={name: textwrap.dedent(text) for name, text in CHOSEN.items()})
    run = compare("--lf", "-o", "tmp_path_retention_policy=failed")
    assert "skipped 1 file" in run.stdout.str()
    compare("--sw", "-q")
    for name in ("plain", "apart"):
        (tmp_path / name / "tests/good").touch()
        (tmp_path / name / "tests/test_new.py").write_text("def test_7(): pass\n", encoding="utf-8")
    compare("--nf", "--maxfail=1", "-p", "no:logging")
    compare("--ff", "-v", "--lfnf=none")
    kept = [_kept(tmp_path / name) for name in ("plain", "apart")]
    assert kept[0] == kept[1] != []
    caches = [sorted((tmp_path / name / "tests/.pytest_cache/v/cache").iterdir()) for name in ("plain", "apart")]
    for one, other in zip(*caches, strict=True):
        assert one.name == other.name
        assert one.name == "stepwise" or one.read_bytes() == other.read_bytes()


def _kept(folder: Path) -> list[str]:
    """What `tmp_path` has left of each run, by the number of the run."""
    found = folder.glob("pytest-of-*/pytest-[0-9]*/**/kept")
    return sorted("/".join(path.parts[-3:]) for path in found if not path.parent.is_symlink())


TORN_DOWN = """
import pytest

@pytest.fixture(scope="module", autouse=True)
def per_module():
    yield
    print("the module is torn down")
def test_a(): pass
def test_b():
    {}
def test_c(): pass
"""
ENDED = {
    "test_exit.py": TORN_DOWN.format("pytest.exit('enough', 7)"),
    "test_interrupted.py": TORN_DOWN.format("raise KeyboardInterrupt"),
}


@pytest.mark.parametrize("name", ENDED)
def test_a_test_ends_the_session_as_in_a_plain_run(compare: Compare, name: str) -> None:
    run = compare("-v", name, files=ENDED)
    assert "the module is torn down" in run.stdout.str()


PLUGIN = """
import pytest

@pytest.fixture
def added():
    def check(): assert [1, 2] == [1, 3]
    return check
"""
LOGGING = """
import logging, os, threading, time

log = logging.getLogger("us")
log.warning("logged while imported")
def test_added(added): added()
def test_threads():
    threads = [threading.Thread(target=log.warning, args=("of a thread",)) for _ in range(5)]
    for one in threads: one.start()
    for one in threads: one.join()
def test_fork():
    pid = os.fork()
    if pid == 0:
        log.warning("of a fork")
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
def test_options(pytestconfig):
    assert pytestconfig.getoption("log_file") == "log.txt"
def test_takes_its_time():
    threading.Event().wait(0.2)
"""


def test_logs_of_threads_and_forks_and_stacks_of_slow_tests(
    make: Callable[[str, dict[str, str]], Inner], tmp_path: Path
) -> None:
    words = ("-p", "added", "-W", "error::pytest.PytestAssertRewriteWarning", "-o", "faulthandler_timeout=0.05")
    logs = []
    for name, mode in (("plain", "off"), ("apart", "file")):
        inner = make(name, {"test_logging.py": LOGGING, "added.py": PLUGIN})
        path = f"{inner.folder}:{inner.environment['PYTHONPATH']}"
        run = inner.run(*words, "--log-file=log.txt", *_LOGS, f"--tfkernel-isolate={mode}", PYTHONPATH=path)
        assert run.parseoutcomes() == {"passed": 4, "failed": 1}
        out = run.stdout.str()
        assert out.count("of a thread") == 5
        assert "of a fork" in out
        # A plugin keeps its rewritten assertions.
        assert "At index 1 diff: 2 != 3" in out
        # Of the process that is slow, and not of the one that waits for it.
        assert "test_takes_its_time" in run.stderr.str()
        assert "isolation/peers.py" not in run.stderr.str()
        logs.append((inner.folder / "log.txt").read_text(encoding="utf-8"))
    assert logs[0] == logs[1]


@pytest.mark.parametrize("closes", ["", "<&-"])
def test_what_pytest_has_of_a_terminal_tests_have_too(inner: Inner, closes: str) -> None:
    inner.write(
        "test_input.py", f"def test_input():\n    {'pass' if closes else 'assert input() == {!r}'.format('hi')}\n"
    )
    command = f"{sys.executable} -m pytest -s -p no:asyncio --tfkernel-isolate=file {closes}"
    done = subprocess.run(
        ["/bin/sh", "-c", f"{command}; exit $?"],
        cwd=inner.folder,
        env=inner.environment,
        input="hi\n",
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
