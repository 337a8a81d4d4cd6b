"""What runs in pytest's own process, beside tests that run in others."""

from __future__ import annotations

import json

from inner import Inner, counts

MIXED = """
import os, pytest

@pytest.fixture(scope="module")
def shared():
    yield os.getpid()
    {at_end}

def test_first(shared): pass
@pytest.mark.tfkernel_isolated
def test_marked(shared): pass
{more}
"""


def test_tests_around_a_marked_one_keep_their_fixtures_no_longer_than_needed(inner: Inner) -> None:
    for name in ("a", "b"):
        at_end = f"print('torn down {name}')"
        inner.write(
            f"test_{name}.py", MIXED.format(at_end=at_end, more="def test_last(shared): pass\n" * (name == "b"))
        )
    inner.write(
        "test_c.py",
        "import pytest\nclass Test:\n def test_one(self): pass\n @pytest.mark.tfkernel_isolated\n def test_two(self): pass\n"
        "def test(): pass\n",
    )
    run = inner.run("-s")
    assert counts(run) == {"passed": 8}
    text = run.stdout.str()
    # Those of this process and those of the others.
    assert text.count("torn down a") == 2
    assert text.count("torn down b") == 2
    # They are told of although the last one was none of them; and no process was made for one that isn't marked.
    assert "3 tests in 3 processes (3 forked, 0 cold" in text


def test_what_fails_when_it_is_torn_down_after_a_marked_test_is_an_error(inner: Inner) -> None:
    inner.write(
        "test_a.py",
        MIXED.format(at_end="assert os.getppid() != OUTER, 'not torn down'", more="").replace(
            "import os, pytest\n", "import os, pytest\nOUTER = int(os.environ.setdefault('OUTER', str(os.getppid())))\n"
        ),
    )
    inner.write("test_b.py", "def test(): pass\n")
    # As plugins do that repeat tests.
    inner.write(
        "conftest.py",
        "def pytest_runtest_setup(item): item.is_set_up = True\n"
        "def pytest_runtest_makereport(item): assert item.is_set_up\n",
    )
    report = inner.folder / "report.json"
    run = inner.run(f"--tfkernel-report={report}")
    assert counts(run) == {"passed": 3, "errors": 1}
    assert "own process have set up can't be torn down: AssertionError: not torn down" in run.stdout.str()
    outcomes = {one["item"]: one["outcome"] for one in json.loads(report.read_text())["tests"]}
    assert outcomes == {
        "test_a.py::test_first": "passed",
        "test_a.py::test_marked": "error",
        "test_b.py::test": "passed",
    }


DIES = """
import os, pytest, unittest

class TestCase(unittest.TestCase):
    @pytest.mark.tfkernel_dies(3)
    def test_of_a_case(self): os._exit(3)
@pytest.fixture
def ends_pytest(): os._exit(3)

@pytest.mark.tfkernel_dies("sigsegv", 3)
def test_dies(ends_pytest): os.kill(os.getpid(), 11)
@pytest.mark.tfkernel_isolated
@pytest.mark.tfkernel_dies("sigsegv")
def test_isolated(): os.kill(os.getpid(), 11)
@pytest.mark.skip
@pytest.mark.tfkernel_dies("sigsegv")
def test_skipped(): os.kill(os.getpid(), 11)
def test_after(): pass
"""
REFUSED = (
    "- Failed: marked tfkernel_dies, this test would end pytest itself, and was not run: mark it tfkernel_isolated, "
)


def test_what_is_to_die_does_not_run_where_it_would_end_pytest(inner: Inner) -> None:
    inner.write("test_one.py", DIES)
    run = inner.run()
    assert counts(run) == {"passed": 2, "errors": 2, "skipped": 1}
    assert f"ERROR test_one.py::test_dies {REFUSED}" in run.stdout.str()
    assert "hidden" not in run.stdout.str()


def test_nor_where_a_debugger_keeps_it_here(inner: Inner) -> None:
    inner.write("test_one.py", DIES)
    inner.write(
        "conftest.py",
        "import bdb\nclass pdb:\n quitting = False\n def __init__(self, *_, **__): pass\n reset = interaction = setup = lambda *_: None\n",
    )
    run = inner.run("--tfkernel-isolate", "--pdb", "--pdbcls=conftest:pdb")
    assert run.ret in (1, 2)
    assert "ERROR test_one.py::test_dies" in run.stdout.str()
