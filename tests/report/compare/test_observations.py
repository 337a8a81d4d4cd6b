"""Each kind of difference is seen, and is not seen where there is none."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

import documents
from documents import leak
from pytest_tfkernel.model.defects import Defect
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.compare.answer import behaviour
from pytest_tfkernel.report.compare.differences import About, Change, Difference
from pytest_tfkernel.report.compare.observations import differences
from pytest_tfkernel.report.compare.pairs import Side, pair

REF = documents.document(count=3)
PLACE = "forkserver-graph_add-fault0-idle"
LOCK = documents.leak("lock", "a")
KILLED = parts.Death(signal="SIGKILL", cause="signal", killer="us")


def between(ref: parts.Document, changed: parts.Document) -> list[Difference]:
    return list(differences(pair(Side("ref", ref), Side("changed", changed))))


def of_trial(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """All differences of two trials that differ in these fields."""
    return between(documents.with_trial(REF, 0, **before), documents.with_trial(REF, 0, **after))


def of_test(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    return between(documents.with_test(REF, 0, **before), documents.with_test(REF, 0, **after))


def test_the_same_document_has_none() -> None:
    assert between(REF, documents.document(count=3, tensorflow="2.20.0")) == []


class TestVerdicts:
    def test_a_lost_guarantee_has_its_reason(self) -> None:
        changed = documents.with_verdict(REF, 1, verdict="FAIL", reason="the graph is full")
        assert between(REF, changed) == [
            Difference(
                Change.LOST, About.GUARANTEE, "session-is-rebuilt", PLACE, None, "PASS", "FAIL: the graph is full"
            )
        ]

    @pytest.mark.parametrize("state", ["FAIL", "KNOWN", "UNKNOWN"])
    def test_another_reason_is_another_message(self, state: str) -> None:
        ref = documents.with_verdict(REF, 0, verdict=state, reason="process 12 lives")
        assert between(ref, documents.with_verdict(REF, 0, verdict=state, reason="process 13 lives")) == []
        found = between(ref, documents.with_verdict(REF, 0, verdict=state, reason="thread 13 lives"))
        assert [(one.change, one.before, one.after) for one in found] == [
            (Change.MESSAGE, "process 12 lives", "thread 13 lives")
        ]

    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            # Seen in one run and not in the other, of what both list as seen sometimes.
            ("KNOWN", "PASS", []),
            ("PASS", "KNOWN", []),
            ("KNOWN", "KNOWN", []),
            ("FAIL", "PASS", [Change.FIXED]),
            ("KNOWN", "FAIL", [Change.FAILING]),
        ],
    )
    def test_what_both_list_as_seen_sometimes_may_be_seen_or_not(
        self, before: str, after: str, expected: list[Change]
    ) -> None:
        defect = Defect("deaf", "it is deaf", always=False)
        documents_ = [
            documents.with_verdict(REF, 0, verdict=state, defect=None if state == "FAIL" else defect)
            for state in (before, after)
        ]
        assert [one.change for one in between(*documents_)] == expected

    @pytest.mark.parametrize(
        "defect", [None, Defect("deaf", "it is deaf", always=True), Defect("other", "it is another", always=False)]
    )
    def test_what_is_always_seen_or_not_listed_is_fixed_or_known(self, defect: Defect | None) -> None:
        passed = documents.with_verdict(REF, 0, defect=defect)
        known = documents.with_verdict(REF, 0, verdict="KNOWN", reason="no", defect=Defect("deaf", "it is deaf"))
        assert [(one.change, one.before, one.after) for one in between(passed, known)] == [
            (Change.KNOWN, "PASS", "KNOWN: no")
        ]
        assert [one.change for one in between(known, passed)] == [Change.FIXED]

    def test_why_something_passes_is_no_message(self) -> None:
        assert between(REF, documents.with_verdict(REF, 0, reason="after 3 tries")) == []

    def test_what_is_not_run_is_missing_and_what_is_more_is_new(self) -> None:
        fewer = msgspec.structs.replace(REF, verdicts=REF.verdicts[1:], tests=REF.tests[1:])
        assert [(one.change, one.name) for one in between(REF, fewer)] == [
            (Change.MISSING, "process-is-new"),
            (Change.MISSING, "test_mine.py::test_0"),
        ]
        assert [(one.change, one.before, one.after) for one in between(fewer, REF)] == [
            (Change.NEW, "not run", "PASS"),
            (Change.NEW, "not run", "passed"),
        ]

    def test_a_trial_is_missing_by_itself_only_where_no_verdict_says_so(self) -> None:
        without = msgspec.structs.replace(REF, trials=REF.trials[1:], verdicts=REF.verdicts[2:])
        for two in ((REF, without), (without, REF)):
            assert [one.about for one in between(*two)] == [About.GUARANTEE, About.GUARANTEE]
        mute = msgspec.structs.replace(REF, verdicts=REF.verdicts[2:])
        assert [(one.change, one.about, one.place) for one in between(mute, without)] == [
            (Change.MISSING, About.TRIAL, PLACE)
        ]
        assert [(one.change, one.about) for one in between(without, mute)] == [(Change.NEW, About.TRIAL)]


class TestTrials:
    @pytest.mark.parametrize(
        ("death", "words"),
        [
            (None, "lives"),
            (parts.Death(code=3, cause="exit", killer="us"), "exit code 3 (cause: exit, killed by: us)"),
            (parts.Death(code=0), "exit code 0"),
            (parts.Death(), "unknown exit status"),
            (parts.Death(signal="SIGTERM", cause="signal", killer="us"), "SIGTERM (cause: signal, killed by: us)"),
            (parts.Death(signal="SIGKILL", cause="oom-kill", killer="us"), "SIGKILL (cause: oom-kill, killed by: us)"),
            (parts.Death(signal="SIGKILL", cause="signal"), "SIGKILL (cause: signal)"),
        ],
    )
    def test_another_exit_status_cause_or_killer(self, death: parts.Death | None, words: str) -> None:
        known = "SIGKILL (cause: signal, killed by: us)"
        assert of_trial({"death": KILLED}, {"death": death}) == [
            Difference(Change.EXIT, About.TRIAL, "", PLACE, None, known, words)
        ]
        assert of_trial({"death": death}, {"death": death}) == []

    def test_how_long_it_lived_and_what_it_said_is_no_other_exit(self) -> None:
        other = msgspec.structs.replace(KILLED, uptime=9.0, cpu=3.0, peak_memory=1, report="other words")
        assert of_trial({"death": KILLED}, {"death": other}) == []

    def test_another_class_of_error_and_not_its_message_too(self) -> None:
        found = of_trial(
            {"error_type": "IndexError", "error_message": "list"}, {"error_type": "KeyError", "error_message": "key"}
        )
        assert [(one.change, one.before, one.after) for one in found] == [
            (Change.ERROR, "IndexError: list", "KeyError: key")
        ]

    def test_an_error_that_is_new_or_gone(self) -> None:
        assert [(one.change, one.before, one.after) for one in of_trial({}, {"error_type": "OSError"})] == [
            (Change.ERROR, "no error", "OSError")
        ]
        assert [one.after for one in of_trial({"error_type": "OSError"}, {})] == ["no error"]

    def test_another_message_but_for_pids_and_addresses(self) -> None:
        def messages(one: str, other: str) -> list[Change]:
            before, after = ({"error_type": "E", "error_message": message} for message in (one, other))
            return [found.change for found in of_trial(before, after)]

        assert messages("at 0x12 in 1 place", "at 0x13 in 1 place") == []
        assert messages("at 0x12 in 1 place", "at 0x12 in 2 places") == [Change.MESSAGE]

    def test_another_result(self) -> None:
        assert [(one.change, one.before, one.after) for one in of_trial({"result": [2.0]}, {"result": "nan"})] == [
            (Change.RESULT, "[2.0]", '"nan"')
        ]

    def test_facts_by_themselves_are_no_difference(self) -> None:
        assert of_trial({"facts": {"a": {"b": "x"}, "pid": 3}}, {"facts": {"a": {}, "pid": 4}}) == []

    def test_another_word_of_the_judge_of_a_scenario_is_another_thing_that_was_seen(self) -> None:
        ref = documents.with_trial(documents.document(), 0, facts={"heard": True})
        ref, changed = (
            documents.with_verdict(ref, 0, reason=f"{what} after 0.0{n} s") for n, what in enumerate(("heard", "lost"))
        )
        found = [one for one in differences(pair(Side("a", ref), Side("b", changed))) if one.change is Change.FACT]
        assert [(one.name, one.before, one.after) for one in found] == [
            ("process-is-new", "heard after 0.00 s", "lost after 0.01 s")
        ]

    def test_leaks_that_are_new_and_gone(self) -> None:
        before = [leak("process", "12", "sleep, 1.0 s old"), leak("socket", "@a"), leak("temporary-file", "/tmp/x1/y")]
        after = [leak("process", "99"), leak("process", "98"), leak("temporary-file", "/tmp/z", "a folder")]
        found = of_trial({"leaks": before}, {"leaks": after})
        assert [(one.change, one.before, one.after) for one in found] == [
            (Change.LEAK, "nothing", "process 99"),
            (Change.LEAK_GONE, "socket @a", "nothing"),
        ]

    @pytest.mark.parametrize(
        ("kind", "before", "after", "same"),
        [
            ("process", "7", "12345", True),
            ("zombie", "12345", "8", True),
            ("thread", "7", "9", True),
            ("thread", "loader", "writer", False),
            ("system-v-segment", "shmid 5", "shmid 6", True),
            ("socket", "tcp 127.0.0.1:41234", "tcp 127.0.0.1:51234", True),
            ("socket", "tcp 127.0.0.1:80", "tcp 127.0.0.1:81", False),
            ("shared-memory", "/dev/shm/psm_1a2b3c4d", "/dev/shm/psm_5e6f7a8b", True),
            ("temporary-file", "/tmp/my run-1/a, b", "/tmp/my run-2/a, b", True),
            ("lock", "/srv/a.lock", "/srv/b.lock", False),
            ("device", "/dev/nvidia0", "/dev/nvidia1", False),
            ("gpu-memory", "GPU 0", "GPU 1", False),
        ],
    )
    def test_a_name_that_is_of_one_run_is_no_difference(self, kind: str, before: str, after: str, same: bool) -> None:
        found = of_trial({"leaks": [leak(kind, before)]}, {"leaks": [leak(kind, after)]})
        assert [one.change for one in found] == ([] if same else [Change.LEAK, Change.LEAK_GONE])

    def test_another_kind_of_the_same_name_is_another_leak(self) -> None:
        found = of_trial({"leaks": [leak("process", "7")]}, {"leaks": [leak("zombie", "7")]})
        assert [one.change for one in found] == [Change.LEAK, Change.LEAK_GONE]

    def test_the_same_leak_of_many_trials_is_one_behaviour(self) -> None:
        changed = documents.with_trial(REF, 0, leaks=[leak("process", "7"), leak("system-v-segment", "shmid 5")])
        changed = documents.with_trial(changed, 1, leaks=[leak("process", "8"), leak("system-v-segment", "shmid 6")])
        found = between(REF, changed)
        assert (len(found), len(set(map(behaviour, found)))) == (4, 2)

    def test_of_a_fault_that_could_not_be_produced_nothing_is_said(self) -> None:
        assert of_trial({}, {"death": None, "result": None, "impossible": "no cgroup"}) == []
        assert of_trial({"death": None, "impossible": "no cgroup"}, {}) == []


class TestTests:
    def test_one_that_fails_has_its_error_once(self) -> None:
        found = of_test({}, {"outcome": "failed", "error_type": "ValueError", "error_message": "no"})
        assert found == [
            Difference(Change.LOST, About.TEST, "test_mine.py::test_0", before="passed", after="failed: ValueError: no")
        ]

    @pytest.mark.parametrize(
        ("before", "after", "change"),
        [
            ("failed", "passed", Change.FIXED),
            ("passed", "skipped", Change.UNKNOWN),
            ("passed", "xfailed", Change.UNKNOWN),
            ("skipped", "passed", Change.CHECKED),
            ("skipped", "error", Change.FAILING),
            ("failed", "error", Change.OUTCOME),
            ("passed", "xpassed", Change.OUTCOME),
        ],
    )
    def test_another_outcome(self, before: str, after: str, change: Change) -> None:
        assert [one.change for one in of_test({"outcome": before}, {"outcome": after})] == [change]

    def test_one_that_still_fails_may_do_so_in_another_way(self) -> None:
        before = {"outcome": "failed", "error_type": "E", "error_message": "1 of 3"}
        assert [one.change for one in of_test(before, {**before, "error_type": "F"})] == [Change.ERROR]
        assert [one.change for one in of_test(before, {**before, "error_message": "2 of 3"})] == [Change.MESSAGE]

    def test_one_that_passes_may_leak(self) -> None:
        assert [(one.change, one.after) for one in of_test({}, {"leaks": [LOCK]})] == [(Change.LEAK, "lock a")]
        assert [one.change for one in of_test({"leaks": [LOCK]}, {})] == [Change.LEAK_GONE]

    def test_one_that_fails_and_leaks_is_both(self) -> None:
        found = of_test({}, {"outcome": "failed", "leaks": [LOCK]})
        assert [one.change for one in found] == [Change.LOST, Change.LEAK]


def test_the_label_stands_where_there_are_several_kernels() -> None:
    both = documents.of_kernels("2.20.0", "2.21.0", count=1)
    found = between(both, documents.with_verdict(both, 3, verdict="FAIL"))
    assert [(one.kernel, one.where) for one in found] == [("tf2.21.0-py3.11", f"{PLACE} on tf2.21.0-py3.11")]


@pytest.mark.parametrize("state", ["PASS", "FAIL", "UNKNOWN"])
def test_other_surroundings_of_a_verdict_are_no_difference(state: parts.StateWord) -> None:
    ref = documents.with_verdict(REF, 0, verdict=state, reason="all the same", given="compared: jupyter")
    ref = documents.with_trial(ref, 0, facts={"hosts": 2})
    changed = documents.with_verdict(ref, 0, given="compared: jupyter, spyder")
    assert between(ref, changed) == []
    other = documents.with_verdict(changed, 0, reason="not the same")
    assert [one.change for one in between(ref, other)] == [Change.FACT if state == "PASS" else Change.MESSAGE]


def test_why_neither_could_be_looked_at_is_of_the_machines() -> None:
    def lacking(document: parts.Document, reason: str, *capabilities: str) -> parts.Document:
        lacks = dict.fromkeys(capabilities, reason)
        environment = msgspec.structs.replace(document.environment, capabilities=lacks)
        unknown = documents.with_verdict(document, 0, guarantee="no-cuda-context", verdict="UNKNOWN", reason=reason)
        return msgspec.structs.replace(unknown, environment=environment)

    ref, changed = lacking(REF, "no device", "gpu", "gpu-memory"), lacking(REF, "NVML lists nothing", "nvml-processes")
    assert between(ref, changed) == []
    # Where one of them could look, or lacked something else, it is a difference.
    for able in (lacking(REF, "it was lost"), lacking(REF, "it was lost", "jupyter")):
        assert [one.change for one in between(ref, able)] == [Change.MESSAGE]
