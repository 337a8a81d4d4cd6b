"""Runs that don't come to their end: whatever cuts them short, an older document stays, and theirs is incomplete."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inner import Inner
from pytest_tfkernel import __main__ as program
from pytest_tfkernel.report.store import load
from warm import Warm

REPORTS = ("--tfkernel-report=run.json", "--tfkernel-report=run.html")
DOCUMENT = REPORTS[:1]
GOOD = "def test_one(): pass\ndef test_two(): pass\ndef test_three(): pass\n"
# What the second test does, or a hook of a conftest: `item` is the second test then.
IN_TEST = {
    "ctrl-c": "os.kill(MAIN, signal.SIGINT); signal.pause()",
    "exit": "pytest.exit('enough')",
    "exit-0": "pytest.exit('enough', returncode=0)",
    "sigterm": "os.kill(MAIN, signal.SIGTERM); signal.pause()",
    "sighup": "os.kill(MAIN, signal.SIGHUP); signal.pause()",
    "sigkill": "os.kill(MAIN, signal.SIGKILL); signal.pause()",
    "process-exit": "os._exit(3)",
    "failed": "assert False",
}
# Of pytest-timeout, a thread ends the process.
TIMEOUT = ("--timeout=0.5", "--timeout-method=thread")
HOOKS = {
    "internal-error": "def pytest_runtest_logreport(report): assert 'two' not in report.nodeid",
    "internal-error-in-a-worker": "@pytest.hookimpl(wrapper=True)\n"
    "def pytest_runtest_makereport(item):\n    report = yield\n    assert 'two' not in item.nodeid\n    return report\n",
    "stop": "def pytest_runtest_setup(item):\n    if 'two' in item.nodeid: item.session.shouldstop = 'that will do'\n",
    "fail": "def pytest_runtest_setup(item):\n    if 'two' in item.nodeid: item.session.shouldfail = 'that will do'\n",
    "exit-in-setup": "def pytest_runtest_setup(item):\n    if 'two' in item.nodeid: pytest.exit('enough')\n",
    "exit-between": "def pytest_runtest_logfinish(nodeid):\n    if 'two' in nodeid: pytest.exit('enough')\n",
}


def write_second(inner: Inner, body: str, hooks: str = "") -> None:
    # The process that runs the session, and not a worker.
    main = "MAIN = os.getppid() if os.environ.get('PYTEST_XDIST_WORKER') else os.getpid()\n"
    second = f"import os, pytest, signal, time\n{main}{GOOD.replace('def test_two(): pass', f'def test_two(): {body}')}"
    inner.write("test_own.py", second)
    inner.write("conftest.py", f"import pytest\n{hooks}")


def check_older_stays(inner: Inner, *arguments: str, reports: tuple[str, ...] = REPORTS) -> pytest.RunResult:
    """Run it, and see that the older files stay; what there is lies aside, and says so."""
    before = {name: (inner.folder / name).read_bytes() for name in ("run.json", "run.html")}
    result = inner.run(*reports, *arguments)
    assert result.ret != pytest.ExitCode.OK
    assert {name: (inner.folder / name).read_bytes() for name in before} == before
    left = load(inner.folder / "run.json.incomplete")
    assert (left.complete, left.end) == (False, None)
    assert {one.item for one in left.tests} < {f"test_own.py::test_{name}" for name in ("one", "two", "three")}
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        assert program.main(["compare", *[str(inner.folder / "run.json")] * 2]) == 2
    assert "whose run did not finish" in said.getvalue()
    return result


@pytest.fixture(scope="module")
def whole(warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> Inner:
    """A whole run has been written."""
    inner = Inner.make(tmp_path_factory.mktemp("whole"), warm=warm)
    inner.write("test_own.py", GOOD)
    assert inner.run(*REPORTS).ret == pytest.ExitCode.OK
    assert load(inner.folder / "run.json").complete
    return inner


@pytest.fixture
def good(whole: Inner, warm: Warm, tmp_path: Path) -> Inner:
    """The same, for one test to spoil."""
    inner = Inner.make(tmp_path, warm=warm)
    for name in ("test_own.py", "run.json", "run.html"):
        shutil.copy(whole.folder / name, inner.folder)
    os.utime(inner.folder / "run.json", (0, 0))
    return inner


def test_a_stop_after_the_last_test_cuts_nothing(good: Inner) -> None:
    good.write("test_own.py", GOOD.replace("test_three(): pass", "test_three(): assert False"))
    assert good.run(*DOCUMENT, "-x").ret == pytest.ExitCode.TESTS_FAILED
    run = load(good.folder / "run.json")
    assert (run.complete, [one.outcome for one in run.tests]) == (True, ["passed", "passed", "failed"])


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "worker"])
def test_file_that_cannot_be_collected_costs_no_older_one(good: Inner, workers: tuple[str, ...]) -> None:
    before = (good.folder / "run.json").read_bytes()
    good.write("test_broken.py", "1 / 0\n")
    assert good.run(*DOCUMENT, *workers).ret != pytest.ExitCode.OK
    assert (good.folder / "run.json").read_bytes() == before
    # Whoever wants the rest has it, and is told what is missing.
    good.run(*DOCUMENT, "--continue-on-collection-errors", *workers)
    run = load(good.folder / "run.json")
    assert run.end is not None
    assert (run.complete, len(run.tests), run.end.collected, run.end.unreported) == (True, 3, 4, ["test_broken.py"])


def test_a_worker_that_is_replaced_cuts_nothing(good: Inner) -> None:
    write_second(good, IN_TEST["process-exit"])
    good.run(*DOCUMENT, "-n", "1")
    run = load(good.folder / "run.json")
    assert (run.complete, sorted(one.outcome for one in run.tests)) == (True, ["failed", "passed", "passed"])


WORKER = ("-n", "1", "--max-worker-restart=0")
# To the session that has workers these end as others do: `exit`, `sigterm` and `stop`.
LIKE_OTHERS = {"exit-0", "exit-in-setup", "exit-between", "sighup", "fail"}


def _ways(kind: str) -> Iterator[Any]:
    yield pytest.param(kind, REPORTS, (), id=f"{kind}-alone")
    yield pytest.param(kind, DOCUMENT, WORKER, id=f"{kind}-worker", marks=[pytest.mark.soak] * (kind in LIKE_OTHERS))
    # The session that has workers writes a page as one without them does.
    yield pytest.param(kind, REPORTS, WORKER, id=f"{kind}-worker-page", marks=pytest.mark.soak)


@pytest.mark.parametrize(("kind", "reports", "workers"), [one for kind in (*IN_TEST, *HOOKS) for one in _ways(kind)])
def test_older_one_stays(good: Inner, kind: str, reports: tuple[str, ...], workers: tuple[str, ...]) -> None:
    write_second(good, IN_TEST.get(kind, "pass"), HOOKS.get(kind, ""))
    result = check_older_stays(good, *(["-x"] if kind == "failed" else []), *workers, reports=reports)
    # pytest has no summary after an error of its own.
    if result.ret in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        result.stdout.fnmatch_lines(["cut short (*): wrote */run.json.incomplete: * test*; run.json is the older one"])
        assert (good.folder / "run.incomplete.html").exists() == (reports == REPORTS)


def test_older_one_stays_with_a_timeout_that_ends_the_process(good: Inner) -> None:
    pytest.importorskip("pytest_timeout")
    write_second(good, "time.sleep(60)")
    check_older_stays(good, *TIMEOUT)
