"""When tests are isolated, and what a session says of it."""

from __future__ import annotations

import re

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
HEADER = "tfkernel isolation: a process for each "


def test_an_option_or_an_ini_file_asks_for_it(inner: Inner) -> None:
    inner.write("test_one.py", "import sys\ndef test(): pass\ndef test_other(): pass\n")
    assert f"{HEADER}file" in inner.run("--tfkernel-isolate").stdout.lines
    inner.write("pytest.ini", "[pytest]\ntfkernel_isolate = test\n")
    lines = inner.run().stdout.lines
    assert f"{HEADER}test" in lines
    assert any(line.startswith("2 tests in 2 processes (2 forked") for line in lines)
    assert "isolation" not in inner.run("--tfkernel-isolate=off").stdout.str()
    inner.write("pytest.ini", "[pytest]\ntfkernel_isolate = maybe\n")
    run = inner.run()
    assert run.ret == 4
    assert run.stderr.lines == [
        "ERROR: tfkernel_isolate = maybe: unknown; choose from file, test, off",
        *run.stderr.lines[1:],
    ]


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


def test_a_debugger_is_where_the_person_is(inner: Inner) -> None:
    inner.write("test_one.py", "def test(): pass\n")
    run = inner.run("--tfkernel-isolate", "--pdb")
    assert counts(run) == {"passed": 1}
    assert "tfkernel isolation: off, since --pdb asks you where the test is" in run.stdout.lines
    run = inner.run("--tfkernel-isolate", "--collect-only")
    assert "<Function test>" in run.stdout.str()


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
    assert "  test_one.py: cold: the gate looks at a process from the beginning of its session" in lines


def test_workers_count_together(inner: Inner) -> None:
    for name in ("one", "two"):
        inner.write(f"test_{name}.py", "def test(): pass\n")
    run = inner.run("--tfkernel-isolate", "-n", "2")
    assert counts(run) == {"passed": 2}
    assert any(line.startswith("2 tests in 2 processes (2 forked, 0 cold") for line in run.stdout.lines)
