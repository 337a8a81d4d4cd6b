"""What the gate has found, of several workers."""

from __future__ import annotations

import pytest

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

    def test_what_only_one_has_is_kept(self) -> None:
        marker = Allowance("test_c.py", "thread", "why")
        stray = Stray(Resource(Kind.SEMAPHORE, "/dev/shm/y"), ("test_c.py",))
        both = TALLY.merged(Tally(known={"a helper": 3}, strays=(stray,), declared=frozenset([marker])))
        assert both.known == {"loky's workers": 2, "a helper": 3}
        assert both.strays == (*TALLY.strays, stray)
        assert both.declared == TALLY.declared | {marker}
        assert TALLY.known == {"loky's workers": 2}

    def test_of_one_stray_all_tests_are_named_once(self) -> None:
        one, two = (Tally(strays=(Stray(STRAY, tests),)) for tests in (("test_a", "test_b"), ("test_b", "test_c")))
        assert one.merged(two).strays == (Stray(STRAY, ("test_a", "test_b", "test_c")),)


@pytest.mark.parametrize(
    ("test", "fixture", "owner"),
    [("test_one", "", "test_one"), ("test_one", "fixture x", "fixture x"), ("", "", "outside of tests")],
)
def test_who_is_to_blame(test: str, fixture: str, owner: str) -> None:
    assert Finding("gw0", 1, test, fixture, (LEFT,)).owner == owner
