"""Whose TensorFlow it was: no version is credited with tests that ran under another."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

import documents
from documents import beside
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.compare.comparison import Comparison
from pytest_tfkernel.report.compare.markdown import markdown
from pytest_tfkernel.report.compare.pairs import Side, pair
from pytest_tfkernel.report.compare.text import text
from pytest_tfkernel.report.compare.whose import ADVICE, versions

Compare = Callable[..., Comparison]

OLD, NEW = documents.document(tensorflow="2.18.1"), documents.document(tensorflow="2.21.0")


def with_kernel(python: str, tensorflow: str) -> parts.Document:
    document = documents.document(tensorflow=tensorflow)
    kernels = [msgspec.structs.replace(document.environment.kernels[0], python=python)]
    environment = msgspec.structs.replace(document.environment, kernels=kernels)
    return documents.with_own(msgspec.structs.replace(document, environment=environment), beside(tensorflow, python))


@pytest.mark.parametrize(
    ("ref", "changed", "names"),
    [
        (("3.10.1", "2.20.0"), ("3.11.7", "2.21.0"), ("2.20.0", "2.21.0")),
        (("3.10.1", "2.21.0"), ("3.11.7", "2.21.0"), ("Python 3.10.1", "Python 3.11.7")),
        (("3.11.7", "2.21.0"), ("3.11.7", "2.21.0"), ("ref.json", "changed.json")),
    ],
)
def test_runs_are_called_by_what_differs(
    ref: tuple[str, str], changed: tuple[str, str], names: tuple[str, str]
) -> None:
    sides = (Side("ref.json", with_kernel(*ref)), Side("changed.json", with_kernel(*changed)))
    assert versions(pair(*sides), *sides) == names


@pytest.mark.parametrize(
    ("ref", "changed", "said"),
    [
        # The same environments as those of the kernels: the versions are those of the tests too.
        (beside("2.18.1"), beside("2.21.0"), ""),
        (beside("2.18.1"), beside("2.18.1"), ", run beside TensorFlow 2.18.1,"),
        (beside("2.21.0"), beside("2.21.0"), ", run beside TensorFlow 2.21.0,"),
        (beside("2.18.1"), beside("2.20.0"), ", run beside TensorFlow 2.18.1, then beside TensorFlow 2.20.0,"),
        # The other way round, which the first line would turn into its contrary.
        (beside("2.21.0"), beside("2.18.1"), ", run beside TensorFlow 2.21.0, then beside TensorFlow 2.18.1,"),
        (beside(None), beside(None), ", run without TensorFlow,"),
        (beside("2.18.1"), beside(None), ", run beside TensorFlow 2.18.1, then without TensorFlow,"),
        (None, None, ", run beside a TensorFlow that isn't recorded,"),
        (None, beside("2.21.0"), ", run beside a TensorFlow that isn't recorded, then beside TensorFlow 2.21.0,"),
        (
            beside("2.18.1", "3.10.1"),
            beside("2.21.0", "3.10.1"),
            ", run beside TensorFlow 2.18.1 on Python 3.10.1, then beside TensorFlow 2.21.0 on Python 3.10.1,",
        ),
    ],
)
def test_first_line_says_where_tests_ran_unless_the_kernels_ran_there(
    compared: Compare, ref: parts.Beside | None, changed: parts.Beside | None, said: str
) -> None:
    found = compared(documents.with_own(OLD, ref), documents.with_own(NEW, changed))
    assert found.answer == (
        f"2.18.1 -> 2.21.0: no guarantee lost, no behaviour changed; of your 3 tests{said} none fails that passed"
    )


@pytest.mark.parametrize(
    ("own", "advised"), [(("2.18.1", "2.21.0"), False), (("2.18.1", "2.18.1"), True), (("2.18.1", "2.20.0"), False)]
)
def test_what_to_do_is_said_where_only_the_kernels_changed(
    compared: Compare, own: tuple[str, str], advised: bool
) -> None:
    found = compared(documents.with_own(OLD, beside(own[0])), documents.with_own(NEW, beside(own[1])))
    assert (ADVICE in text(found).splitlines()) == advised
    assert ("run the pytest of each environment" in markdown(found)) == advised


def test_kernels_of_one_document_have_no_tests_and_no_advice(compared: Compare) -> None:
    one = documents.with_own(documents.document(tests=0), beside("2.18.1"))
    found = compared(one, documents.with_own(documents.document(tensorflow="2.20.0", tests=0), beside("2.18.1")))
    assert (found.advice, "beside" in found.answer) == ("", False)


@pytest.mark.parametrize(
    ("own", "answer"),
    [
        ((beside("2.18.1"), beside("2.21.0")), "2.18.1 -> 2.21.0: of your 3 tests none fails that passed"),
        ((beside("2.18.1"), beside("2.18.1")), "ref.json -> changed.json: of your 3 tests none fails that passed"),
        (
            (beside("2.18.1", "3.10.1"), beside("2.18.1")),
            "Python 3.10.1 -> Python 3.11.7: of your 3 tests none fails that passed",
        ),
        (
            (None, beside("2.21.0")),
            (
                "ref.json -> changed.json: of your 3 tests, run beside a TensorFlow that isn't recorded, then beside"
                " TensorFlow 2.21.0, none fails that passed"
            ),
        ),
        (
            (None, None),
            (
                "ref.json -> changed.json: of your 3 tests, run beside a TensorFlow that isn't recorded, none fails that"
                " passed"
            ),
        ),
    ],
)
def test_runs_of_tests_only_are_called_by_what_the_tests_had(
    compared: Compare, own: tuple[parts.Beside | None, parts.Beside | None], answer: str
) -> None:
    # The kernels, of which none was started, differ.
    runs = [msgspec.structs.replace(one, verdicts=[], trials=[]) for one in (OLD, NEW)]
    assert compared(documents.with_own(runs[0], own[0]), documents.with_own(runs[1], own[1])).answer == answer


def test_what_else_differs_names_what_the_tests_had(compared: Compare) -> None:
    found = compared(documents.with_own(OLD, beside("2.18.1")), documents.with_own(NEW, beside("2.20.0", "3.12.1")))
    assert found.surroundings == (
        "TensorFlow of the kernels: 2.18.1 -> 2.21.0",
        "TensorFlow of your tests: 2.18.1 -> 2.20.0",
        "Python of your tests: Python 3.11.7 -> Python 3.12.1",
    )


def test_what_else_differs_between_runs_of_tests_only_is_theirs(compared: Compare) -> None:
    runs = [msgspec.structs.replace(one, verdicts=[], trials=[]) for one in (OLD, NEW)]
    found = compared(documents.with_own(runs[0], beside("2.18.1")), documents.with_own(runs[1], beside("2.20.0")))
    assert found.surroundings == ("TensorFlow of your tests: 2.18.1 -> 2.20.0",)
