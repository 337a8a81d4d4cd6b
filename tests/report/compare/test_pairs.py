from __future__ import annotations

import msgspec
import pytest

import documents
from pytest_tfkernel.report.compare.differences import CompareError
from pytest_tfkernel.report.compare.pairs import Pairs, Side, labels, pair
from pytest_tfkernel.report.document import Document


def pairs(ref: Document, changed: Document, *kernels: str | None) -> Pairs:
    mine, theirs = kernels or (None, None)
    return pair(Side("ref.json", ref, mine), Side("changed.json", changed, theirs))


def whole(found: Pairs) -> list[bool]:
    """For each verdict, whether both have it."""
    return [one.ref is not None and one.changed is not None for one in found.verdicts.values()]


def refusal(ref: Document, changed: Document, *kernels: str | None) -> str:
    with pytest.raises(CompareError) as refused:
        pairs(ref, changed, *kernels)
    return str(refused.value)


def test_labels_of_single_kernels_do_not_matter() -> None:
    found = pairs(documents.document(tensorflow="2.20.0"), documents.document(tensorflow="2.21.0"))
    assert whole(found) == [True] * 12
    assert {place.kernel for place in found.trials} == {None}


def test_kernels_are_those_that_are_declared_and_those_that_ran() -> None:
    document = documents.document(count=1, tensorflow="2.20.0")
    undeclared = documents.setting(1, "tf2.21.0-py3.11")
    document.trials.append(documents.trial(undeclared))
    assert labels(document) == {"tf2.20.0-py3.11", "tf2.21.0-py3.11"}
    assert labels(documents.document(count=0, tensorflow="2.20.0")) == {"tf2.20.0-py3.11"}


def test_several_kernels_are_matched_by_label() -> None:
    found = pairs(documents.of_kernels("2.20.0", "2.21.0"), documents.of_kernels("2.21.0", "2.20.0"))
    assert whole(found) == [True] * 24
    assert {place.kernel for place in found.trials} == {"tf2.20.0-py3.11", "tf2.21.0-py3.11"}
    assert all(one.ref == one.changed for one in found.trials.values())


def test_a_kernel_that_is_gone_has_no_partner() -> None:
    found = pairs(documents.of_kernels("2.20.0", "2.21.0"), documents.document(tensorflow="2.21.0"))
    assert sorted(whole(found)) == [False] * 12 + [True] * 12


def test_one_kernel_of_each_can_be_chosen() -> None:
    both = documents.of_kernels("2.20.0", "2.21.0")
    found = pairs(documents.document(tensorflow="2.15.0"), both, None, "tf2.20.0-py3.11")
    assert whole(found) == [True] * 12
    assert {one.changed.setting.kernel for one in found.trials.values() if one.changed} == {"tf2.20.0-py3.11"}


def test_what_is_played_once_for_all_kernels_is_of_each() -> None:
    def with_shared(document: Document) -> Document:
        shared = msgspec.structs.replace(document.verdicts[0].setting, kernel=None, example="planted-leaks")
        return msgspec.structs.replace(document, verdicts=[documents.verdict(shared), *document.verdicts])

    names = ("tf2.20.0-py3.11", "tf2.21.0-py3.11")
    both, alone = (with_shared(documents.of_kernels(*some)) for some in (("2.20.0", "2.21.0"), ("2.21.0",)))
    assert labels(both) == {*names}
    for found in (pairs(both, both, *names), pairs(both, both, *names[::-1]), pairs(alone, both, None, names[0])):
        assert whole(found) == [True] * 13
    assert sorted(whole(pairs(both, alone))) == [False] * 12 + [True] * 13


def test_two_kernels_of_one_document_can_be_chosen() -> None:
    both = documents.of_kernels("2.20.0", "2.21.0")
    found = pairs(both, both, "tf2.20.0-py3.11", "tf2.21.0-py3.11")
    assert whole(found) == [True] * 12
    # Tests are of no kernel.
    assert found.tests == {}
    assert [[kernel.tensorflow for kernel in side] for side in found.kernels] == [["2.20.0"], ["2.21.0"]]


def test_a_kernel_that_is_not_there_is_told() -> None:
    assert refusal(documents.document(), documents.document(), "none", None) == (
        "ref.json has no kernel 'none': it has tf2.21.0-py3.11"
    )


def test_kernels_that_have_no_label_in_common_are_told() -> None:
    said = refusal(documents.document(tensorflow="2.19.0"), documents.of_kernels("2.20.0", "2.21.0"))
    assert said == (
        "ref.json and changed.json have no kernel in common (tf2.19.0-py3.11 and tf2.20.0-py3.11, tf2.21.0-py3.11):"
        " choose one of each with `python -I -m pytest_tfkernel compare --kernel=A --kernel=B`"
    )


def test_nothing_in_common_is_told() -> None:
    some = documents.document(count=3, tests=0)
    others = msgspec.structs.replace(
        some,
        trials=[],
        verdicts=[documents.verdict(documents.setting(number, "tf2.21.0-py3.11")) for number in range(90, 93)],
    )
    assert refusal(some, others) == "ref.json and changed.json have no trial and no test in common"


def test_empty_documents_are_told() -> None:
    empty, full = documents.document(count=0, tests=0), documents.document()
    assert refusal(empty, full) == "ref.json has neither verdicts nor tests that changed.json could be compared with"
    assert refusal(full, empty) == "changed.json has neither verdicts nor tests to compare with ref.json"
    assert "neither" in refusal(empty, empty)


@pytest.mark.parametrize("place", [0, -1])
def test_of_two_verdicts_for_one_thing_the_worse_counts(place: int) -> None:
    document = documents.document(count=1)
    failed = documents.verdict(documents.setting(0, "tf2.21.0-py3.11"), "process-is-new", "FAIL")
    verdicts = [*document.verdicts]
    verdicts.insert(place, failed)
    found = pairs(document, msgspec.structs.replace(document, verdicts=verdicts))
    assert [one.changed.verdict for one in found.verdicts.values() if one.changed] == ["FAIL", "PASS"] or [
        one.changed.verdict for one in found.verdicts.values() if one.changed
    ] == ["PASS", "FAIL"]


def test_a_document_of_tests_only_has_no_kernel() -> None:
    document = documents.document(count=0)
    environment = msgspec.structs.replace(document.environment, kernels=[])
    found = pairs(msgspec.structs.replace(document, environment=environment), document)
    assert len(found.tests) == 3
    assert found.verdicts == {}
