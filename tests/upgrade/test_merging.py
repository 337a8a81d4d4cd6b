"""Documents of a run with two interpreters, and of tests in each of them, as two documents."""

from __future__ import annotations

import msgspec
import pytest

import documents
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.compare.comparison import compare
from pytest_tfkernel.report.compare.pairs import Side
from pytest_tfkernel.upgrade.merging import joined, of_label

OLD, NEW = "tf2.20.0-py3.11", "tf2.21.0-py3.11"


def both() -> parts.Document:
    """As the suite writes it, with something that is of no kernel."""
    found = documents.of_kernels("2.20.0", "2.21.0")
    shared = documents.setting(99, OLD)
    shared = msgspec.structs.replace(shared, kernel=None)
    verdicts = [
        msgspec.structs.replace(one, item=f"tfkernel::{one.guarantee}[{one.setting.kernel}/{one.setting}]")
        for one in found.verdicts
    ]
    return msgspec.structs.replace(
        found,
        trials=[*found.trials, documents.trial(shared)],
        verdicts=[*verdicts, documents.verdict(shared, "audit-is-trusted")],
        tests=[],
    )


@pytest.mark.parametrize(("label", "version"), [(OLD, "2.20.0"), (NEW, "2.21.0")])
def test_what_is_of_one_kernel_looks_as_if_it_had_run_alone(label: str, version: str) -> None:
    found = of_label(both(), label)
    assert [kernel.tensorflow for kernel in found.environment.kernels] == [version]
    assert {one.setting.kernel for one in found.trials} == {label, None}
    assert (len(found.trials), len(found.verdicts)) == (7, 13)
    assert all(one.item == f"tfkernel::{one.guarantee}[{one.setting}]" for one in found.verdicts)
    assert found.end is not None
    assert found.end.collected == 13


def test_what_has_no_report_is_of_its_own_side() -> None:
    whole = both()
    assert whole.end is not None
    unreported = [f"tfkernel::a[{OLD}/forkserver-x]", f"tfkernel::a[{NEW}/forkserver-y]", "tfkernel::b[forkserver-z]"]
    whole = msgspec.structs.replace(whole, end=msgspec.structs.replace(whole.end, unreported=unreported))
    ends = [of_label(whole, label).end for label in (OLD, NEW)]
    assert [end.unreported for end in ends if end is not None] == [
        ["tfkernel::a[forkserver-x]", "tfkernel::b[forkserver-z]"],
        ["tfkernel::a[forkserver-y]", "tfkernel::b[forkserver-z]"],
    ]


def test_both_sides_compare_as_two_runs_do() -> None:
    whole = both()
    place = next(number for number, one in enumerate(whole.verdicts) if one.setting.kernel == NEW)
    whole = documents.with_verdict(whole, place, verdict="FAIL", reason="it lives")
    tests = [documents.document(0, version) for version in ("2.20.0", "2.21.0")]
    tests[1] = documents.with_test(tests[1], 0, outcome="failed")
    sides = [joined(of_label(whole, label), own) for label, own in zip((OLD, NEW), tests, strict=True)]
    found = compare(Side("ref", sides[0]), Side("changed", sides[1]))
    assert found.answer == (
        "2.20.0 -> 2.21.0: 1 guarantee lost, no behaviour changed; of your 3 tests 1 fails that passed"
    )
    assert found.shortfalls == ()


def test_half_of_it_is_incomplete() -> None:
    whole, tests = both(), documents.document(0, "2.20.0")
    cut = msgspec.structs.replace(tests, complete=False, end=None)
    found = joined(of_label(whole, OLD), cut)
    assert not found.complete
    assert found.end is None
    assert joined(None, tests) is tests
    assert joined(whole, None) is whole
    with pytest.raises(ValueError, match="neither"):
        joined(None, None)
