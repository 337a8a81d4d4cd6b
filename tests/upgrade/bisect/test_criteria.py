"""What tells two runs apart."""

from __future__ import annotations

import msgspec
import pytest

import documents
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.compare.differences import CompareError
from pytest_tfkernel.upgrade.bisect import criteria
from pytest_tfkernel.upgrade.bisect.bisection import CandidateLook
from pytest_tfkernel.upgrade.bisect.criteria import Criterion
from pytest_tfkernel.upgrade.errors import UpgradeError

WHOLE = documents.document(1, tests=0)
TEST = documents.document(0, tests=1)
FAILED = documents.with_test(TEST, 0, outcome="failed", error_type="KeyError", error_message="a")
SETTING = documents.setting(0, "tf2.21.0-py3.11")


def with_error(kind: str, message: str) -> parts.Document:
    return documents.with_test(TEST, 0, outcome="failed", error_type=kind, error_message=message)


@pytest.mark.parametrize(
    ("on", "ref", "found", "look"),
    [
        ("outcome", TEST, TEST, CandidateLook.AS_REF),
        ("outcome", TEST, FAILED, CandidateLook.AS_CHANGED),
        ("outcome", FAILED, with_error("ValueError", "b"), CandidateLook.AS_REF),
        ("error", TEST, FAILED, CandidateLook.AS_CHANGED),
        ("error", FAILED, with_error("KeyError", "b"), CandidateLook.AS_REF),
        ("error", FAILED, with_error("ValueError", "a"), CandidateLook.AS_CHANGED),
        ("message", FAILED, with_error("KeyError", "b"), CandidateLook.AS_CHANGED),
        ("message", with_error("KeyError", "pid 12345"), with_error("KeyError", "pid 54321"), CandidateLook.AS_REF),
        ("exit", TEST, FAILED, CandidateLook.AS_REF),
        ("exit", WHOLE, documents.with_trial(WHOLE, 0, death=parts.Death(code=3)), CandidateLook.AS_CHANGED),
        ("outcome", WHOLE, documents.with_trial(WHOLE, 0, death=parts.Death(code=3)), CandidateLook.AS_REF),
        ("outcome", WHOLE, documents.with_verdict(WHOLE, 0, verdict="FAIL", reason="x"), CandidateLook.AS_CHANGED),
    ],
)
def test_only_what_is_asked_for_counts(
    on: str, ref: parts.Document, found: parts.Document, look: CandidateLook
) -> None:
    assert Criterion.of(on).look([ref], [found], [found]) is look


def test_what_is_as_neither_end_is_said_to_be() -> None:
    ref, changed, other = (with_error("KeyError", message) for message in ("a", "b", "c"))
    assert Criterion.of("message").look([ref], [changed], [other]) is CandidateLook.OTHER


def test_how_a_process_of_a_test_ends_is_its_exit() -> None:
    died = documents.with_test(TEST, 0, process=parts.IsolatedProcess(how="forked", signal="SIGSEGV"))
    lives = documents.with_test(TEST, 0, process=parts.IsolatedProcess(how="forked", code=0))
    assert Criterion.of("exit").look([lives], [died], [died]) is CandidateLook.AS_CHANGED
    assert Criterion.of("exit").words([died]) == ["passed (SIGSEGV)"]


def seconds(*values: float) -> list[parts.Document]:
    return [documents.with_test(TEST, 0, seconds=value) for value in values]


def memory(*values: int) -> list[parts.Document]:
    known = (parts.IsolatedProcess(how="forked", peak_memory=value << 20) for value in values)
    return [documents.with_test(TEST, 0, process=one) for one in known]


def test_time_and_memory_are_medians_beyond_a_limit() -> None:
    slower = Criterion.of("slower:50%")
    assert slower.repeats == 5
    ref, changed = seconds(1, 1, 9), seconds(2, 2, 0.1)
    assert slower.look(ref, changed, seconds(1.4, 1.4, 7)) is CandidateLook.AS_REF
    assert slower.look(ref, changed, seconds(1.6, 1.6, 0)) is CandidateLook.AS_CHANGED
    assert slower.words(changed) == ["2.000 s"]
    more = Criterion.of("memory:20%")
    assert more.look(memory(100), memory(200), memory(119)) is CandidateLook.AS_REF
    assert more.look(memory(100), memory(200), memory(121)) is CandidateLook.AS_CHANGED
    assert more.words(memory(100)) == ["100.0 MiB"]
    assert more.words([WHOLE]) == ["200.0 MiB"]
    with pytest.raises(UpgradeError, match="memory was not measured"):
        more.words([TEST])


@pytest.mark.parametrize("text", ["speed", "slower", "slower:fast", "memory:-5%", "outcome:5%", "lost"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises((UpgradeError, CompareError), match="--on="):
        Criterion.of(text)


def test_the_outcome_is_what_counts_where_nothing_is_said() -> None:
    assert Criterion.of(None) == Criterion("outcome")


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (TEST, ""),
        (WHOLE, ""),
        (documents.with_test(TEST, 0, outcome="skipped"), "skipped"),
        (documents.document(0, tests=0), "nothing was run"),
        (
            msgspec.structs.replace(WHOLE, verdicts=[documents.verdict(SETTING, state="UNKNOWN", reason="no GPU")]),
            "UNKNOWN: no GPU",
        ),
    ],
)
def test_what_says_nothing_is_seen(document: parts.Document, why: str) -> None:
    assert criteria.unknown(document) == why


def test_one_guarantee_may_be_all_that_counts() -> None:
    found = criteria.only(documents.document(2), "process-is-new")
    assert {one.guarantee for one in found.verdicts} == {"process-is-new"}
    assert len(found.trials) == 2
    assert criteria.only(WHOLE, "") is WHOLE


def test_what_was_seen_is_told() -> None:
    assert Criterion.of("outcome").words([FAILED]) == ["failed: KeyError: a"]
    failed = documents.with_verdict(WHOLE, 0, verdict="FAIL", reason="it lives")
    setting = failed.verdicts[0].setting
    assert Criterion.of("outcome").words([failed]) == [f"{setting}: FAIL: it lives", f"{setting}: PASS"]
