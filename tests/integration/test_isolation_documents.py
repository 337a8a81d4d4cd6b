"""What a run document keeps of isolated tests."""

from __future__ import annotations

from inner import Inner
from pytest_tfkernel.report.store import load

TESTS = """
import os, signal, pytest

@pytest.mark.tfkernel_isolated(cold=True)
def test_cold(): bytearray(b"x") * (300 << 20)
def test_passes(): pass
def test_fails(): raise OSError(3, 'why')
def test_dies(): os.kill(os.getpid(), signal.SIGSEGV)
"""


def test_each_has_its_process(inner: Inner) -> None:
    inner.write("test_a.py", TESTS)
    inner.run("--tfkernel-isolate", "--tfkernel-report=run.json")
    tests = load(inner.folder / "run.json").tests
    found = {one.item.partition("::")[2]: (one.outcome, one.process) for one in tests}
    assert {name: outcome for name, (outcome, _) in found.items()} == {
        "test_passes": "passed",
        "test_fails": "failed",
        "test_dies": "failed",
        "test_cold": "passed",
    }
    ends = {name: (one.how, one.code, one.signal, one.cause) for name, (_, one) in found.items() if one is not None}
    assert ends == {
        "test_passes": ("forked", None, None, None),
        "test_fails": ("forked", None, None, None),
        "test_dies": ("forked", None, "SIGSEGV", "signal"),
        "test_cold": ("cold: cold=True", 0, None, None),
    }
    peaks = {name: one.peak_memory for name, (_, one) in found.items() if one is not None}
    assert peaks["test_cold"] is not None
    assert peaks["test_cold"] > 300 << 20
    assert all(peaks.values())
    # As of a test that ran in pytest's own process, so that both can be compared.
    raised = [(one.error_type, one.error_message) for one in tests if one.item.endswith("test_fails")]
    assert raised == [("ProcessLookupError", "[Errno 3] why")]


def test_what_was_not_isolated_has_none(inner: Inner) -> None:
    inner.write("test_a.py", "def test_passes(): pass")
    inner.run("--tfkernel-report=run.json")
    assert [one.process for one in load(inner.folder / "run.json").tests] == [None]
