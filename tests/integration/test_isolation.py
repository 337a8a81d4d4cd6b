"""Tests that run in processes of their own, as pytest tells of them."""

from __future__ import annotations

import pytest

from inner import Inner, counts

ONE = """
import os, signal, pytest

def test_passes(tmp_path): assert tmp_path.name == "test_passes0"
def test_fails(): assert 1 == 2
def test_dies():
    print("last words", flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)
def test_after(): pass
@pytest.mark.skip
def test_skipped(): pass
@pytest.mark.xfail
def test_expected(): assert 0
"""
TWO = """
import os
ran = []

def test_first(): ran.append(os.getpid())
def test_second():
    print(f"{len(ran)} ran before it")
    assert 0
"""
HEARS = """
import os, pytest
START = os.getpid()

@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    with open("heard", "a") as file: print(item.name, os.getpid() == START, file=file)
    return (yield)
"""
MARKED = """
import pytest

@pytest.mark.tfkernel_isolated
def test_one(): pass
def test_two(): pass
@pytest.mark.tfkernel_isolated(per="test")
def test_three(): pass
"""


@pytest.mark.parametrize(("mode", "shared"), [("file", "1 ran before it"), ("test", "0 ran before it")])
def test_a_crash_is_one_failed_test(inner: Inner, mode: str, shared: str) -> None:
    inner.write("test_one.py", ONE)
    inner.write("test_two.py", TWO)
    run = inner.run(f"--tfkernel-isolate={mode}")
    assert counts(run) == {"passed": 3, "failed": 3, "skipped": 1, "xfailed": 1}
    text = run.stdout.str()
    assert "the process of the test died of SIGSEGV" in text
    assert "last words" in text
    assert shared in text


def test_plugins_hear_of_a_marked_test_in_its_own_process_only(inner: Inner) -> None:
    inner.write("conftest.py", HEARS)
    inner.write("test_marked.py", MARKED)
    for more in ((), ("-n1",)):
        assert counts(inner.run(*more)) == {"passed": 3}
    heard = (inner.folder / "heard").read_text(encoding="utf-8").splitlines()
    assert heard == ["test_one False", "test_two True", "test_three False"] * 2
