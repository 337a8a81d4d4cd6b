"""Known differences that are written from a comparison fit it, and the same one of another run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

import documents
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.compare.comparison import Comparison
from pytest_tfkernel.report.compare.expectations import Expectation, Expectations
from pytest_tfkernel.report.compare.recording import as_file, recorded

Compare = Callable[..., Comparison]
REF = documents.document(4)
EVERYTHING = ("changed", "leak", "missing", "unknown", "slower:1%", "memory:1%")


def killed(pid: int) -> parts.Document:
    """The same run twice, but for what differs each time."""
    death = parts.Death(code=3, cause="exit", killer="the kernel itself")
    run = documents.with_trial(REF, 0, death=death)
    run = documents.with_trial(run, 1, error_type="OSError", error_message=f"pid {pid} is gone after {pid} ms")
    run = documents.with_trial(run, 2, leaks=[documents.leak("process", str(pid))], result=7.0)
    run = documents.with_verdict(run, 0, verdict="FAIL", reason=f"process {pid} lives in /tmp/{pid}/x")
    run = documents.with_verdict(run, 1, verdict="UNKNOWN", reason="no\n  cgroup")
    run = documents.with_verdict(
        run, 2, verdict="FAIL", reason=f"in /opt/{pid}/lib/python3.11/site-packages/keras/x.py"
    )
    run = documents.with_test(run, 0, outcome="failed", error_type="ValueError", error_message="*?[" + "x " * 500)
    run = documents.with_test(run, 1, item=f"test_mine.py::test_new[{'*'}]", outcome="failed")
    slow = [msgspec.structs.replace(one, seconds=one.seconds * 9) for one in run.trials]
    return msgspec.structs.replace(run, trials=slow)


def written(compared: Compare, run: parts.Document, fail_on: Sequence[str] = EVERYTHING) -> list[Expectation]:
    return recorded([], compared(REF, run, fail_on).differences, "because")


def test_what_was_written_fits_the_comparison_and_one_of_another_run(compared: Compare) -> None:
    known = written(compared, killed(4711))
    changes = {one.change for one in known}
    assert {"lost", "failing", "unknown", "exit", "error", "leak", "result", "missing", "slower"} <= changes
    for pid in (4711, 20815):
        found = compared(REF, killed(pid), EVERYTHING, known)
        assert [one for one in found.differences if one.regression] == []
        assert found.unseen == ()


def test_another_change_in_the_same_place_is_not_covered(compared: Compare) -> None:
    known = written(compared, killed(1))
    other = documents.with_verdict(killed(1), 0, verdict="FAIL", reason="it is the same process")
    (found,) = [one for one in compared(REF, other, EVERYTHING, known).differences if one.regression]
    assert found.after == "FAIL: it is the same process"


def test_only_what_makes_it_worse_is_written(compared: Compare) -> None:
    assert {one.change for one in written(compared, killed(1), ())} == {"lost", "failing", "missing"}
    assert written(compared, REF) == []


def test_file_is_read_as_it_was_written(compared: Compare, tmp_path: Path) -> None:
    known = written(compared, killed(1))
    path = tmp_path / "known.json"
    path.write_text(as_file(known), encoding="utf-8")
    assert list(Expectations.load(path).known) == known


def test_each_is_written_once_and_after_what_was_known(compared: Compare) -> None:
    differences = compared(REF, killed(1)).differences
    old = Expectation(reason="old", change="*", test="*")
    known = recorded([old], [*differences, *differences], "new")
    assert known[0] is old
    assert len(known) == len(set(known))


@pytest.mark.parametrize("text", ["a<number>b", "\ud800", "", " "])
def test_any_text_can_be_written(compared: Compare, text: str) -> None:
    run = documents.with_test(REF, 0, outcome="failed", error_message=text)
    known = written(compared, run)
    assert as_file(known)
    assert [one for one in compared(REF, run, (), known).differences if one.regression] == []


@pytest.mark.parametrize(("length", "end"), [(160, "x"), (161, "x*")])
def test_only_a_long_text_is_cut(compared: Compare, length: int, end: str) -> None:
    (short,) = written(compared, documents.with_test(REF, 0, outcome="failed", error_message="x"))
    message = "x" * (1 + length - len(short.now))
    (known,) = written(compared, documents.with_test(REF, 0, outcome="failed", error_message=message))
    assert (known.now[158:], len(known.now)) == (f"xx{end[1:]}", 160 + len(end) - 1)


def test_file_is_made_for_people() -> None:
    text = '[\n {\n  "reason": "why",\n  "change": "lost",\n  "test": "a"\n }\n]\n'
    assert as_file([Expectation(reason="why", change="lost", test="a")]) == text
