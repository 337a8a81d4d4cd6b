"""What becomes of a verdict by what is listed as known, and which lists are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_tfkernel.model.defects import Defect
from pytest_tfkernel.model.trials import Record, Setting, State, Verdict
from pytest_tfkernel.suite.defects import table
from pytest_tfkernel.suite.defects.table import (
    DefectEntry,
    DefectsError,
    KnownDefects,
    ListedDefect,
    load_ours,
    load_theirs,
)
from pytest_tfkernel.suite.guarantees import GUARANTEES
from pytest_tfkernel.suite.settings import settings

NAMES = ("is-heard", "is-repeatable", "hosted-is-repeatable")
SETTING = Setting("forkserver", "is-heard", "interrupt", "running", kernel="tf2.21-py3.11")
ENTRY = DefectEntry(
    id="deaf", guarantee="is-heard", since="2.18", observed="not heard: *", reason="it is deaf", seen="always"
)
FAILED = Verdict.failed("not heard: swallowed", "given")


def listed(**changes: Any) -> ListedDefect:
    entry = msgspec.structs.replace(ENTRY, **changes)
    return ListedDefect.of(entry, "ours", f"ours, {entry.id}", NAMES)


def told(verdict: Verdict, tensorflow: str | None = "2.21.0", of: str = "is-heard", **changes: Any) -> Verdict:
    return KnownDefects((listed(**changes),)).told(verdict, of, SETTING, tensorflow)


class TestFail:
    def test_that_fits_is_known_and_keeps_what_was_seen(self) -> None:
        defect = Defect("deaf", "it is deaf", table="ours", always=True)
        assert told(FAILED) == Verdict(State.KNOWN, "not heard: swallowed", "given", defect)
        assert {told(FAILED).defect, told(FAILED, "3.0.0").defect} == {defect}

    @pytest.mark.parametrize(
        ("changes", "tensorflow", "guarantee"),
        [
            ({}, "2.17.1", "is-heard"),
            ({"until": "2.21"}, "2.21.0", "is-heard"),
            ({}, "2.21.0", "is-repeatable"),
            ({"observed": "swallowed"}, "2.21.0", "is-heard"),
            ({"trial": "subprocess-*"}, "2.21.0", "is-heard"),
            ({"kernel": "tf2.20-*"}, "2.21.0", "is-heard"),
        ],
        ids=str,
    )
    def test_that_does_not_fit_in_one_thing_fails(
        self, changes: dict[str, str], tensorflow: str, guarantee: str
    ) -> None:
        assert told(FAILED, tensorflow, guarantee, **changes) == FAILED

    @pytest.mark.parametrize(
        ("changes", "guarantee"),
        [
            ({"trial": "*-running", "kernel": "tf2.21-*"}, "is-heard"),
            ({"guarantee": "*is-repeatable"}, "is-repeatable"),
            ({"guarantee": "*is-repeatable"}, "hosted-is-repeatable"),
            ({"until": "2.22"}, "is-heard"),
        ],
        ids=str,
    )
    def test_patterns_fit_more_than_one_place(self, changes: dict[str, str], guarantee: str) -> None:
        assert told(FAILED, of=guarantee, **changes).state is State.KNOWN

    @pytest.mark.parametrize("tensorflow", ["unknown", None])
    def test_of_an_unknown_version_fails_and_says_what_is_known(self, tensorflow: str | None) -> None:
        found = told(FAILED, tensorflow)
        assert (found.state, found.reason, found.defect) == (State.FAIL, FAILED.reason, None)
        assert found.given == "given; this is known of TensorFlow since 2.18, and which version this is isn't"
        assert told(FAILED, tensorflow, since="").state is State.KNOWN
        # Of several the first is named, as everywhere.
        two = KnownDefects((listed(), listed(id="other", since="2.20")))
        assert two.told(FAILED, "is-heard", SETTING, tensorflow) == found

    def test_is_known_by_the_list_of_the_user_before_ours(self) -> None:
        both = KnownDefects((listed(),), (listed(id="mine", reason="mine"),))
        defect = both.told(FAILED, "is-heard", SETTING, "2.21.0").defect
        assert defect is not None
        assert defect.id == "mine"
        older = KnownDefects((listed(),), (listed(id="mine", reason="mine", until="2.20"),))
        assert older.told(FAILED, "is-heard", SETTING, "2.21.0").defect == listed().as_seen_by("2.21.0")


class TestPass:
    PASSED = Verdict.passed("heard")

    @pytest.mark.parametrize(
        ("changes", "tensorflow", "mended"),
        [
            ({}, "2.21.0", True),
            ({"seen": "sometimes"}, "2.21.0", False),
            ({}, "2.17.0", False),
            # It may have come, or gone, in between.
            ({}, "2.18.0rc0", False),
            ({"until": "2.22"}, "2.22.0.dev20260905", False),
            ({}, "unknown", False),
            ({"since": ""}, "unknown", True),
        ],
    )
    def test_is_told_as_mended_where_it_always_failed(
        self, changes: dict[str, str], tensorflow: str, mended: bool
    ) -> None:
        found = told(self.PASSED, tensorflow, **changes)
        assert (found.state, found.reason, found.is_mended) == (State.PASS, "heard", mended)

    def test_of_what_is_seen_sometimes_says_so(self) -> None:
        defect = told(self.PASSED, seen="sometimes").defect
        assert defect is not None
        assert not defect.always

    def test_of_what_nobody_says_how_often_is_seen_says_nothing(self) -> None:
        assert told(self.PASSED, seen=None) == self.PASSED

    def test_unknown_stays_what_it_is(self) -> None:
        unknown = Verdict.unknown("not heard: swallowed")
        assert told(unknown) == unknown


class TestUnseen:
    """What a user lists, and nothing fits."""

    @staticmethod
    def unseen(verdict: Verdict, tensorflow: str = "2.21.0", **changes: Any) -> list[str]:
        known = KnownDefects((), (listed(id="mine", **changes),))
        record = Record("tfkernel::x", "is-heard", SETTING, known.told(verdict, "is-heard", SETTING, tensorflow))
        return [one.name for one in known.unseen([record], lambda _: tensorflow)]

    def test_what_was_seen_or_is_mended_is_not(self) -> None:
        assert self.unseen(FAILED) == []
        assert self.unseen(Verdict.passed()) == []
        assert self.unseen(Verdict.passed(), seen="sometimes") == []
        assert self.unseen(FAILED, seen=None) == []

    @pytest.mark.parametrize(
        ("verdict", "tensorflow", "changes"),
        [
            (FAILED, "2.17.1", {}),
            (Verdict.passed(), "2.17.1", {}),
            (FAILED, "2.21.0", {"observed": "other"}),
            (FAILED, "2.21.0", {"guarantee": "is-repeatable"}),
            (Verdict.passed(), "2.21.0", {"trial": "mistyped"}),
            (Verdict.unknown(""), "2.21.0", {}),
            (Verdict.passed(), "2.21.0", {"seen": None}),
        ],
        ids=str,
    )
    def test_what_fits_nothing_is(self, verdict: Verdict, tensorflow: str, changes: dict[str, Any]) -> None:
        assert self.unseen(verdict, tensorflow, **changes) == ["mine"]

    def test_each_of_two_in_one_place_counts_for_itself(self) -> None:
        entries = (listed(id="a", observed="a", seen="sometimes"), listed(id="b", observed="b", seen="sometimes"))
        known = KnownDefects((), entries)
        passed = known.told(Verdict.passed(), "is-heard", SETTING, "2.21.0")
        failed = known.told(Verdict.failed("b"), "is-heard", SETTING, "2.21.0")
        records = {one.state: Record("x", "is-heard", SETTING, one) for one in (passed, failed)}
        assert known.unseen([records[State.PASS]], lambda _: "2.21.0") == []
        assert [one.name for one in known.unseen([records[State.KNOWN]], lambda _: "2.21.0")] == ["a"]

    def test_ours_are_no_concern_of_the_user(self) -> None:
        assert KnownDefects((listed(),)).unseen([], lambda _: "2.21.0") == []


class TestTheirs:
    def write(self, folder: Path, entries: object) -> Path:
        path = folder / "known.json"
        path.write_text(entries if isinstance(entries, str) else json.dumps(entries), encoding="utf-8")
        return path

    def test_an_entry_needs_a_guarantee_and_a_reason(self, tmp_path: Path) -> None:
        path = self.write(
            tmp_path, [{"guarantee": "is-*", "reason": "issue 7"}, {"guarantee": "is-heard", "reason": "8"}]
        )
        found = load_theirs(path, NAMES)
        assert [(one.name, one.table) for one in found] == [("entry 1", "known.json"), ("entry 2", "known.json")]
        assert str(found[0]) == "entry 1: guarantee is-* (issue 7)"
        assert KnownDefects((), found).told(FAILED, "is-heard", SETTING, None).state is State.KNOWN

    @pytest.mark.parametrize(
        ("entries", "words"),
        [
            ("[", "is not a list of known defects: "),
            ("{}", "is not a list of known defects: "),
            ("\udcff", "is not a list of known defects: "),
            ([{"guarantee": "is-heard"}], "is not a list of known defects: .*`reason`"),
            ([{"guarantee": "is-heard", "reason": " "}], ", entry 1 has no reason"),
            ([{"reason": "why"}], "is not a list of known defects: .*`guarantee`"),
            ([{"guarantee": "is-heart", "reason": "why"}], ", entry 1: there is no guarantee 'is-heart'"),
            ([{"guarantee": "is-heard", "reason": "why", "colour": "red"}], "unknown field `colour`"),
            ([{"guarantee": "is-heard", "reason": "why", "seen": "often"}], "Invalid enum value 'often'"),
            ([{"guarantee": "is-heard", "reason": "why", "since": "new"}], "since 'new' is no version of TensorFlow"),
            ([{"guarantee": "is-heard", "reason": "why", "until": "2.x"}], "until '2.x' is no version of TensorFlow"),
            ([{"guarantee": "is-heard", "reason": "why", "since": "2.3 or so"}], "since '2.3 or so' is no version"),
            (
                [{"guarantee": "is-heard", "reason": "why", "since": "2.9", "until": "2.10"}] * 2
                + [{"guarantee": "is-heard", "reason": "why", "since": "2.10", "until": "2.10"}],
                ", entry 3 is of no TensorFlow: since 2.10, until 2.10",
            ),
            ([{"id": "a", "guarantee": "is-heard", "reason": "why"}] * 2, " has two entries 'a'"),
        ],
        ids=str,
    )
    def test_what_is_none_is_refused_in_a_line(self, tmp_path: Path, entries: object, words: str) -> None:
        path = tmp_path / "known.json"
        text = entries if isinstance(entries, str) else json.dumps(entries)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(DefectsError, match=words) as caught:
            load_theirs(path, NAMES)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("name", ["nowhere.json", ".", "a\0b"])
    def test_what_cannot_be_read_is_refused(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(DefectsError, match=r"can't be read|is not a list"):
            load_theirs(tmp_path / name, NAMES)


class TestOurs:
    OURS = load_ours([one.id for one in GUARANTEES])

    def test_each_is_of_a_trial_that_is_played(self) -> None:
        played = [(one.id, setting) for setting in settings() for one in GUARANTEES if one.applies(setting)]
        for defect in self.OURS:
            assert any(defect.is_of(name, setting) for name, setting in played), defect

    def test_each_guarantee_that_is_known_is_listed(self) -> None:
        names = {
            one.id for one in GUARANTEES for setting in settings() for it in self.OURS if it.is_of(one.id, setting)
        }
        assert names == {"interrupt-is-heard", "import-is-repeatable", "hosted-import-is-repeatable"}

    def test_each_is_described_where_it_says(self) -> None:
        root = Path(table.__file__).parents[3]
        for defect in self.OURS:
            assert (root / defect.entry.described).is_file()

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ('[[defect]]\nguarantee = "is-heard"\nreason = "why"\n', "defect 1 has no id"),
            ('[[defect]]\nid = "a"\nguarantee = "is-heard"\nreason = "why"\n', "defect 1 has no since"),
            (
                '[[defect]]\nid = "a"\nguarantee = "is-heard"\nreason = "why"\nsince = "2.1"\ndescribed = "b"\n',
                "defect 1 has no seen",
            ),
            ("[[other]]\n", "is not a list of known defects"),
            ("defect = []\nother = 1\n", "is not a list of known defects: .*unknown field `other`"),
            ("[", "is not a list of known defects"),
        ],
    )
    def test_what_is_none_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
    ) -> None:
        (tmp_path / "tensorflow.toml").write_text(text, encoding="utf-8")
        monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
        with pytest.raises(DefectsError, match=words):
            load_ours(NAMES)
