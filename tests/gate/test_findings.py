"""What the gate has found, of several workers."""

from __future__ import annotations

from pytest_tfkernel.gate.findings import Allowance, Finding, Stray, Tally
from pytest_tfkernel.model.resources import Kind, Resource

LEFT = Resource(Kind.PROCESS, "123", detail="sleep 60, 1.0 s old")
STRAY = Resource(Kind.SHARED_MEMORY, "/dev/shm/x", "17")


TALLY = Tally(
    findings=(
        Finding("gw0", 1, "test_a.py::test_one", "", (LEFT,)),
        Finding("gw0", 2, "", "fixture 'x'", (LEFT,), "why"),
    ),
    known={"loky's workers": 2},
    strays=(Stray(STRAY, ("test_a.py::test_one",)),),
    used=frozenset([Allowance("test_a.py", "process", "why")]),
    declared=frozenset([Allowance("test_a.py", "process", "why"), Allowance("test_b.py", "socket", "of old")]),
    blind={"/proc: Permission denied": 3},
    told=("pytest itself holds it",),
)


class TestTallies:
    def test_merged_findings_are_told_once_and_counts_add_up(self) -> None:
        both = TALLY.merged(TALLY)
        assert both.findings == TALLY.findings
        assert both.known == {"loky's workers": 4}
        assert both.blind == {"/proc: Permission denied": 6}
        assert both.strays == TALLY.strays
        assert both.unused == [Allowance("test_b.py", "socket", "of old")]

    def test_stray_of_two_workers_has_the_tests_of_both(self) -> None:
        other = Tally(strays=(Stray(STRAY, ("test_b.py::test_two",)),))
        assert TALLY.merged(other).strays == (Stray(STRAY, ("test_a.py::test_one", "test_b.py::test_two")),)

    def test_marker_that_was_used_on_another_worker_is_used(self) -> None:
        one = Allowance("test_a.py", "process", "why")
        assert Tally(declared=frozenset([one])).merged(Tally(used=frozenset([one]))).unused == []
