"""When tests are isolated, and what a session says of it."""

from __future__ import annotations

import json
import re

import pytest

from inner import Inner, counts

# Says in which process it was imported, and in which it ran.
WHERE = """
import os, pytest
imported_in = os.getpid()

def test_where(request):
    print(f"imported in {imported_in}, by {os.getppid()}")
    assert 0

@pytest.mark.tfkernel_isolated(timeout=60)
def test_marked():
    print(f"marked ran in {os.getpid()}")
    assert 0
"""
MARKED = """
import pytest
@pytest.mark.tfkernel_isolated
def test_one(): pass
def test_two(): pass
"""
HEADER = "tfkernel isolation: a process for each "


def test_an_option_or_an_ini_file_asks_for_it(inner: Inner) -> None:
    inner.write("test_one.py", "import sys\ndef test(): pass\ndef test_other(): pass\n")
    assert f"{HEADER}file" in inner.run("--tfkernel-isolate").stdout.lines
    inner.write("pytest.ini", "[pytest]\ntfkernel_isolate = test\n")
    lines = inner.run().stdout.lines
    assert f"{HEADER}test" in lines
    assert any(line.startswith("2 tests in 2 processes (2 forked") for line in lines)
    assert "isolation" not in inner.run("--tfkernel-isolate=off").stdout.str()
    assert "isolation" not in inner.run("--no-summary", "--no-header").stdout.str()
    inner.write("pytest.ini", "[pytest]\ntfkernel_isolate = maybe\n")
    run = inner.run()
    assert run.ret == 4
    assert run.stderr.lines == [
        "ERROR: tfkernel_isolate = maybe: unknown; choose from file, test, off",
        *run.stderr.lines[1:],
    ]


@pytest.mark.parametrize("arguments", [("--tfkernel-isolate", "-k", "two"), ("-k", "one")], ids=["option", "mark"])
def test_without_what_carries_reports_it_is_refused(inner: Inner, arguments: tuple[str, ...]) -> None:
    inner.write("test_one.py", MARKED)
    run = inner.run("-p", "no:reports", *arguments)
    assert run.ret == 4
    refused = "ERROR: isolation needs what carries a report from one process to another: drop -p no:reports"
    assert [line for line in run.stderr.lines if line] == [refused]


def test_pytests_own_process_imports_no_test(inner: Inner) -> None:
    inner.write("conftest.py", "import os\ndef pytest_report_header(): return f'pytest is {os.getpid()}'\n")
    inner.write("test_one.py", WHERE)
    run = inner.run("--tfkernel-isolate", "-k", "where")
    assert counts(run) == {"failed": 1}
    text = run.stdout.str()
    (pytest_pid,) = re.findall(r"pytest is (\d+)", text)
    (imported_in,) = re.findall(r"imported in (\d+)", text)
    assert imported_in != pytest_pid


def test_a_marker_is_enough(inner: Inner) -> None:
    inner.write("conftest.py", "import os\ndef pytest_report_header(): return f'pytest is {os.getpid()}'\n")
    inner.write("test_one.py", WHERE)
    run = inner.run()
    assert counts(run) == {"failed": 2}
    text = run.stdout.str()
    (pytest_pid,) = re.findall(r"pytest is (\d+)", text)
    assert re.findall(r"imported in (\d+)", text) == [pytest_pid]
    assert pytest_pid not in re.findall(r"marked ran in (\d+)", text)
    assert "1 test in 1 process (1 forked" in text


NO_PDB = """
class Pdb:
    quitting = False
    def __init__(self, *_, **__): pass
    def runcall(self, function, *args, **kwargs): return function(*args, **kwargs)
    reset = interaction = setup = lambda *_: None
"""


def test_a_debugger_is_where_the_person_is(inner: Inner) -> None:
    inner.write("no_pdb.py", NO_PDB)
    inner.write("test_one.py", "def test(): pass\n")
    for option in ("--pdb", "--trace"):
        run = inner.run("--tfkernel-isolate", option, "--pdbcls=no_pdb:Pdb")
        assert counts(run) == {"passed": 1}
        assert f"tfkernel isolation: off, since {option} asks you where the test is" in run.stdout.lines
    run = inner.run("--tfkernel-isolate", "--collect-only")
    assert "<Function test>" in run.stdout.str()


def test_no_plugin_of_pytest_has_to_be_there(inner: Inner) -> None:
    report = inner.folder / "report.json"
    inner.write("test_one.py", MARKED)
    names = ("debugging", "tmpdir", "terminal", "capture", "logging", "faulthandler", "junitxml", "cacheprovider")
    words = [word for name in names for word in ("-p", f"no:{name}")]
    for option in (["--tfkernel-isolate"], []):
        run = inner.run(*words, f"--tfkernel-report={report}", *option)
        assert run.ret == 0
        assert len(json.loads(report.read_text())["tests"]) == 2


def test_the_gate_looks_at_each_of_them(inner: Inner) -> None:
    inner.write(
        "test_one.py",
        "import subprocess\n"
        "def test_leaves(): subprocess.Popen(['sleep', '61'], start_new_session=True)\n"
        "def test_leaves_nothing(): pass\n",
    )
    run = inner.run("--tfkernel-isolate", "--tfkernel-gate")
    assert counts(run) == {"passed": 2, "errors": 1}
    lines = run.stdout.lines
    assert any(line.startswith("ERROR test_one.py::test_leaves - Failed: left behind: process") for line in lines)
    assert any(line.startswith("2 tests in 1 process (1 forked, 0 cold") for line in lines)


def test_workers_count_together(inner: Inner) -> None:
    for name in ("one", "two"):
        inner.write(f"test_{name}.py", "def test(): pass\n")
    run = inner.run("--tfkernel-isolate", "-n", "2")
    assert counts(run) == {"passed": 2}
    assert any(line.startswith("2 tests in 2 processes (2 forked, 0 cold") for line in run.stdout.lines)


def test_workers_are_heard_where_only_a_marker_isolates(inner: Inner) -> None:
    inner.write(
        "test_one.py",
        MARKED.replace(
            "def test_one(): pass", "def test_one():\n    import subprocess\n    subprocess.Popen(['sleep', '61'])"
        ),
    )
    inner.write("test_two.py", "def test(): pass\n")
    run = inner.run("-n", "2")
    assert counts(run) == {"passed": 3}
    lines = run.stdout.lines
    assert any(line.startswith("1 test in 1 process (1 forked, 0 cold") for line in lines)
    assert sum(line.startswith("test_one.py::test_one left running (ended now): ") for line in lines) == 1
