"""Same or better, worse, or not comparable."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import documents
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.compare.as_json import as_json
from pytest_tfkernel.report.compare.comparison import SAME_OR_BETTER, WORSE, Comparison, Yardstick
from pytest_tfkernel.report.compare.differences import Change, CompareError
from pytest_tfkernel.report.compare.expectations import Expectation
from pytest_tfkernel.report.compare.markdown import markdown
from pytest_tfkernel.report.compare.text import text
from pytest_tfkernel.report.store import DocumentError, load

Compare = Callable[..., Comparison]

REF = documents.document(tensorflow="2.20.0")
NEW = documents.document(tensorflow="2.21.0")
ODD = "<b>&\x1b[31m\r\n\u2028\u202e\ud800|`*_"
CUT = {"complete": False, "end": None}


class TestExitCode:
    def test_the_same_is_good(self, compared: Compare) -> None:
        found = compared(REF, NEW)
        assert (found.exit_code, found.differences) == (SAME_OR_BETTER, ())

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [({"verdict": "FAIL"}, WORSE), ({"verdict": "UNKNOWN"}, SAME_OR_BETTER), ({"reason": "x"}, SAME_OR_BETTER)],
    )
    def test_of_a_verdict(self, compared: Compare, changes: dict[str, Any], expected: int) -> None:
        assert compared(REF, documents.with_verdict(NEW, 3, **changes)).exit_code == expected

    @pytest.mark.parametrize("before", ["FAIL", "UNKNOWN"])
    def test_better_is_good(self, compared: Compare, before: str) -> None:
        assert compared(documents.with_verdict(REF, 3, verdict=before), NEW).exit_code == SAME_OR_BETTER

    def test_what_fails_in_both_is_no_regression(self, compared: Compare) -> None:
        documents_ = (documents.with_verdict(one, 3, verdict="FAIL") for one in (REF, NEW))
        assert compared(*documents_).exit_code == SAME_OR_BETTER

    @pytest.mark.parametrize(
        ("before", "after", "exit_code", "with_changed"),
        [
            ("KNOWN", "KNOWN", SAME_OR_BETTER, SAME_OR_BETTER),
            ("KNOWN", "PASS", SAME_OR_BETTER, SAME_OR_BETTER),
            ("PASS", "KNOWN", SAME_OR_BETTER, WORSE),
            ("FAIL", "KNOWN", SAME_OR_BETTER, SAME_OR_BETTER),
            ("UNKNOWN", "KNOWN", SAME_OR_BETTER, SAME_OR_BETTER),
            ("KNOWN", "UNKNOWN", SAME_OR_BETTER, SAME_OR_BETTER),
            ("KNOWN", "FAIL", WORSE, WORSE),
        ],
    )
    def test_of_a_known_defect(
        self, compared: Compare, before: str, after: str, exit_code: int, with_changed: int
    ) -> None:
        two = [documents.with_verdict(one, 3, verdict=state) for one, state in ((REF, before), (NEW, after))]
        assert (compared(*two).exit_code, compared(*two, ["changed"]).exit_code) == (exit_code, with_changed)
        answer = compared(*two).answer
        assert ("1 guarantee newly failing" in answer) is (after == "FAIL")
        assert ("1 behaviour changed" in answer) is (before == "PASS")
        assert (", 1 fixed" in answer) is (after == "PASS")

    @pytest.mark.parametrize("outcome", ["failed", "error"])
    def test_of_a_test(self, compared: Compare, outcome: str) -> None:
        assert compared(REF, documents.with_test(NEW, 0, outcome=outcome)).exit_code == WORSE

    def test_a_new_test_that_fails_is_worse_and_one_that_passes_is_not(self, compared: Compare) -> None:
        more = documents.document(tests=4)
        assert compared(REF, more).exit_code == SAME_OR_BETTER
        assert compared(REF, documents.with_test(more, 3, outcome="failed")).exit_code == WORSE

    @pytest.mark.parametrize(
        ("word", "change"),
        [
            ("changed", {"death": None}),
            ("changed", {"result": 6.0}),
            ("changed", {"leaks": [documents.leak("lock", "a")]}),
            ("leak", {"leaks": [documents.leak("lock", "a")]}),
        ],
    )
    def test_a_changed_behaviour_is_worse_only_where_asked_for(
        self, compared: Compare, word: str, change: dict[str, Any]
    ) -> None:
        changed = documents.with_trial(NEW, 0, **change)
        assert compared(REF, changed).exit_code == SAME_OR_BETTER
        assert len(compared(REF, changed).differences) == 1
        assert compared(REF, changed, [word]).exit_code == WORSE
        assert compared(REF, changed, ["unknown,missing,slower:0%,memory:0%"]).exit_code == SAME_OR_BETTER

    def test_unknown_is_worse_only_where_asked_for(self, compared: Compare) -> None:
        changed = documents.with_verdict(NEW, 0, verdict="UNKNOWN")
        assert compared(REF, changed, ["unknown"]).exit_code == WORSE

    def test_slower_is_worse_only_beyond_its_limit(self, compared: Compare) -> None:
        slow = msgspec.structs.replace(NEW, trials=[msgspec.structs.replace(one, seconds=0.5) for one in NEW.trials])
        found = compared(REF, slow)
        assert [one.change for one in found.differences] == [Change.SLOWER]
        assert found.exit_code == SAME_OR_BETTER
        assert compared(REF, slow, ["slower:30%"]).exit_code == SAME_OR_BETTER
        assert compared(REF, slow, ["slower:20%"]).exit_code == WORSE
        assert compared(REF, slow, ["memory:20%"]).exit_code == SAME_OR_BETTER

    def test_expected_is_good(self, compared: Compare) -> None:
        changed = documents.with_verdict(NEW, 0, verdict="FAIL")
        known = Expectation(reason="because", change="lost", guarantee="process-is-new")
        other = Expectation(reason="because", change="lost", guarantee="session-is-rebuilt")
        found = compared(REF, changed, known=[known, other])
        assert (found.exit_code, found.unseen) == (SAME_OR_BETTER, (other,))
        assert [one.expected for one in found.differences] == ["because"]
        assert compared(REF, changed, known=[other]).exit_code == WORSE


def test_differences_are_sorted_by_kernel_too(compared: Compare) -> None:
    both = documents.of_kernels("2.21.0", "2.20.0", count=1)
    changed = documents.with_trial(documents.with_trial(both, 0, error_type="KeyError"), 1, error_type="KeyError")
    assert [one.kernel for one in compared(both, changed).differences] == ["tf2.20.0-py3.11", "tf2.21.0-py3.11"]


class TestMissing:
    FEWER = msgspec.structs.replace(NEW, verdicts=NEW.verdicts[1:])

    def test_what_was_not_run_is_worse(self, compared: Compare) -> None:
        assert compared(REF, self.FEWER).exit_code == WORSE
        assert compared(REF, msgspec.structs.replace(NEW, tests=NEW.tests[1:])).exit_code == WORSE

    def test_unless_it_was_not_asked_for(self, compared: Compare) -> None:
        asked = documents.with_options(self.FEWER, "--tfkernel-size=smoke")
        found = compared(REF, asked)
        assert found.exit_code == SAME_OR_BETTER
        assert "1 of 12 verdicts not run" in found.answer
        assert found.asked_for_other == "ref was asked for all, changed for --tfkernel-size=smoke"
        assert compared(REF, asked, ["missing"]).exit_code == WORSE

    def test_of_an_incomplete_run_it_always_is(self, compared: Compare) -> None:
        asked = documents.with_options(self.FEWER, "--tfkernel-size=smoke")
        assert compared(REF, msgspec.structs.replace(asked, **CUT)).exit_code == WORSE

    def test_expected_it_is_not(self, compared: Compare) -> None:
        known = [Expectation(reason="moved", change="missing", guarantee="*")]
        assert compared(REF, self.FEWER, known=known).exit_code == SAME_OR_BETTER


def shapes() -> dict[str, parts.Document]:
    """Documents of all shapes and contents."""
    document = documents.document()
    found = {
        f"{count}-trials-{tests}-tests": documents.document(count, tests=tests)
        for count, tests in itertools.product((0, 1, 7), repeat=2)
        if count or tests
    }
    for verdict in ("FAIL", "UNKNOWN"):
        found[verdict] = documents.with_verdict(document, 0, verdict=verdict, reason=ODD)
    for outcome in ("failed", "error", "skipped", "xfailed", "xpassed"):
        found[outcome] = documents.with_test(
            document, 0, item=ODD, outcome=outcome, error_message=ODD, leaks=[documents.leak(ODD, ODD)] * 2
        )
    results: tuple[Any, ...] = (None, True, 2**70, 10**400, [], [[1.5], {"a": None}], ODD, {ODD: ODD}, "nan")
    for number, result in enumerate(results):
        found[f"result-{number}"] = documents.with_trial(document, 0, result=result, facts={ODD: result})
    for number, death in enumerate((None, parts.Death(), parts.Death(code=-(2**62), report=ODD))):
        found[f"death-{number}"] = documents.with_trial(
            document, 0, death=death, leaks=[*[documents.leak(ODD, ODD)] * 2, documents.leak("lock", "1")]
        )
    moments = [parts.Moment(name=ODD, seconds=seconds) for seconds in (3.0, -1e300, 1e300, 0.0)]
    found["timeline"] = documents.with_trial(document, 0, timeline=moments, seconds=-1.0)
    found["impossible"] = documents.with_trial(document, 0, impossible=ODD)
    found["incomplete"] = msgspec.structs.replace(document, **CUT)
    found["unreported"] = msgspec.structs.replace(
        document, end=parts.End(seconds=1.0, exit_code=2, collected=9, unreported=[ODD])
    )
    found["kernels"] = documents.of_kernels("2.20.0", "2.21.0", "2.21.0")
    found["no-kernels"] = msgspec.structs.replace(
        document, environment=msgspec.structs.replace(document.environment, kernels=[])
    )
    found["trials-only"] = msgspec.structs.replace(document, verdicts=[], tests=[])
    found["verdicts-only"] = msgspec.structs.replace(document, trials=[], tests=[])
    twice = {"trials": document.trials * 2, "verdicts": document.verdicts * 2, "tests": document.tests * 2}
    found["twice"] = documents.with_verdict(msgspec.structs.replace(document, **twice), 0, verdict="FAIL")
    found["options"] = documents.with_options(document, ODD, "-k", "--tfkernel-size")
    return found


SHAPES = shapes()


@pytest.mark.parametrize("name", SHAPES)
def test_a_document_compared_with_itself_is_the_same_whatever_it_is(
    compared: Compare, tmp_path: Path, name: str
) -> None:
    written = load(documents.write(tmp_path / "a.json", SHAPES[name]))
    again = load(documents.write(tmp_path / "b.json", SHAPES[name]))
    for ref, changed in ((SHAPES[name], SHAPES[name]), (written, again)):
        found = compared(ref, changed, ["changed,leak,missing,unknown,slower:0%,memory:0%"])
        assert (found.exit_code, found.differences, found.surroundings) == (SAME_OR_BETTER, (), ())
        assert all(shown(found) for shown in (text, markdown, as_json))


@pytest.mark.parametrize("name", SHAPES)
def test_any_two_documents_have_an_answer_or_a_reason(compared: Compare, name: str) -> None:
    answers, reasons = [], []
    for other in SHAPES.values():
        try:
            found = compared(SHAPES[name], other)
        except CompareError as error:
            reasons.append(str(error))
        else:
            answers.append(found.answer)
            assert (found.exit_code == WORSE) == any(one.regression for one in found.differences)
    assert [reason for reason in reasons if not re.search("in common|has neither verdicts nor tests", reason)] == []
    assert len(answers) > len(SHAPES) / 2 or name.startswith(("0-trials", "trials-only", "verdicts-only"))
    assert [answer for answer in answers if "\n" in answer] == []


class TestYardstick:
    def test_all_is_read_before_the_run(self, tmp_path: Path) -> None:
        ref = documents.write(tmp_path / "ref.json", REF)
        known = tmp_path / "known.json"
        known.write_text('[{"guarantee": "*", "change": "lost", "reason": "because"}]')
        yardstick = Yardstick.load(ref, ["slower:20%"], known, prefix="--tfkernel-")
        ref.unlink()
        known.unlink()
        found = yardstick.compare(documents.with_verdict(NEW, 0, verdict="FAIL"))
        assert (found.exit_code, found.changed.name) == (SAME_OR_BETTER, "this run")
        assert found.answer.endswith("1 difference expected")

    def test_mistakes_are_told_then(self, tmp_path: Path) -> None:
        ref = documents.write(tmp_path / "ref.json", REF)
        with pytest.raises(CompareError, match="^--tfkernel-fail-on=slow: unknown"):
            Yardstick.load(ref, ["slow"], prefix="--tfkernel-")
        with pytest.raises(CompareError, match="none.json can't be read"):
            Yardstick.load(ref, expect=tmp_path / "none.json")
        with pytest.raises(DocumentError, match="none.json doesn't exist"):
            Yardstick.load(tmp_path / "none.json")
