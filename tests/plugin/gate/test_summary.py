"""What the gate tells."""

from __future__ import annotations

from pathlib import Path

from pytest_tfkernel.gate.findings import Finding, Stray, Tally
from pytest_tfkernel.model.resources import Kind, Resource
from pytest_tfkernel.plugin.gate import summary


def test_stray_that_another_worker_knows_of_is_told_once() -> None:
    left = Resource(Kind.SEGMENT, "shmid 5", detail="4096 bytes")
    tally = Tally(
        findings=(Finding("gw0", 1, "test_a.py::test_one", "", (left,)),),
        strays=(
            Stray(Resource(Kind.SEGMENT, "shmid 5", detail="8192 bytes"), ("test_b.py::test_two",)),
            Stray(Resource(Kind.SEMAPHORE, "/dev/shm/sem.a"), ("b",)),
        ),
    )
    assert [line for line in summary.summary(tally) if "at the time" in line] == [
        "  semaphore /dev/shm/sem.a; running at the time: b"
    ]


def test_summary_of_nothing_is_empty() -> None:
    assert list(summary.summary(Tally())) == []


def test_kinds_stand_in_the_document() -> None:
    text = (Path(__file__).parents[3] / "docs/gate.md").read_text(encoding="utf-8")
    never = {Kind.HANDLE, Kind.CONTEXT, Kind.GPU_MEMORY}
    assert [kind.value for kind in Kind if f"| `{kind.value}` |" not in text and kind not in never] == []
