"""The parts of a run document: what is left out of one, and the words for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

import documents
from pytest_tfkernel.model.defects import Defect
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.compare.comparison import compare
from pytest_tfkernel.report.compare.differences import Change
from pytest_tfkernel.report.compare.pairs import Side
from pytest_tfkernel.report.store import encode, load

PAGE = Path(__file__).parents[2] / "docs/run-document.md"
KERNEL = parts.Kernel(label="tf2.19.0-py3.11", executable="/opt/bin/python", python="3.11.7")
BESIDE = parts.Beside(executable="/usr/bin/python3", python="3.12.1")
MACHINE = parts.Machine(linux="6.1.0", architecture="x86_64", cpus=2, memory=1 << 30)
ENVIRONMENT = parts.Environment(machine=MACHINE, kernels=[KERNEL])
SETTING = documents.setting(0, KERNEL.label)
# Each kind with what it can't be without.
BARE: list[msgspec.Struct] = [
    *(KERNEL, BESIDE, MACHINE, ENVIRONMENT, SETTING),
    parts.Death(),
    parts.Leak(kind="process", name="7"),
    parts.IsolatedProcess(how="forked"),
    parts.Moment(name="fault", seconds=0.5),
    parts.Trial(setting=SETTING, seconds=1.0),
    parts.Verdict(guarantee="process-is-new", setting=SETTING, item="item", verdict="PASS", reason="why"),
    parts.Test(item="test_a.py::test_b", outcome="passed", seconds=0.1),
    parts.Start(format=parts.FORMAT, schema=parts.SCHEMA, began="2026-01-01T00:00:00Z", environment=ENVIRONMENT),
    parts.End(seconds=1.0, exit_code=0, collected=1),
    msgspec.structs.replace(documents.document(count=0), end=None),
]


def optional(one: msgspec.Struct) -> set[str]:
    """The names of the fields that it can be without."""
    return {field.name for field in msgspec.structs.fields(one) if not field.required}


def test_each_kind_is_looked_at_here() -> None:
    kinds = {one for one in vars(parts).values() if isinstance(one, type) and issubclass(one, msgspec.Struct)}
    assert {*map(type, BARE)} == kinds - {parts.Part}


@pytest.mark.parametrize("bare", BARE, ids=lambda one: type(one).__name__)
class TestEachKind:
    def test_what_is_not_known_is_left_out_and_means_nothing(self, bare: msgspec.Struct) -> None:
        written = set(json.loads(encode(bare)))
        # In a whole document that a killed run left, its end is null.
        assert written & optional(bare) == ({"end"} if isinstance(bare, parts.Document) else set())
        assert [getattr(bare, name) for name in optional(bare) if getattr(bare, name)] == []

    def test_nobody_changes_what_was_seen(self, bare: msgspec.Struct) -> None:
        for name in bare.__struct_fields__:
            with pytest.raises(AttributeError, match="immutable"):
                setattr(bare, name, getattr(bare, name))

    def test_its_fields_are_given_by_name(self, bare: msgspec.Struct) -> None:
        required = [getattr(bare, field.name) for field in msgspec.structs.fields(bare) if field.required]
        with pytest.raises(TypeError):
            type(bare)(*required or [None])


class TestInterpreters:
    KERNELS = (KERNEL, documents.kernel("2.21.0"))

    def of(self, own: parts.Beside | None, *, own_tests: bool) -> list[str]:
        environment = parts.Environment(machine=MACHINE, kernels=[*self.KERNELS], pytest=own)
        return list(environment.interpreters(own_tests=own_tests))

    def test_each_has_a_line(self) -> None:
        assert self.of(BESIDE, own_tests=True) == [
            "kernels tf2.19.0-py3.11: no TensorFlow on Python 3.11.7",
            "kernels tf2.21.0-py3.11: TensorFlow 2.21.0 on Python 3.11.7",
            "your tests: no TensorFlow on Python 3.12.1",
        ]

    @pytest.mark.parametrize(("own", "own_tests"), [(BESIDE, False), (None, True), (None, False)])
    def test_that_of_your_own_tests_only_where_some_ran_and_it_is_known(
        self, own: parts.Beside | None, own_tests: bool
    ) -> None:
        assert len(self.of(own, own_tests=own_tests)) == len(self.KERNELS)


@pytest.mark.parametrize(
    ("kernel", "whose", "labelled"),
    [("tf", "tf", "tf/forkserver-add-sigkill-idle"), (None, "all kernels", "forkserver-add-sigkill-idle")],
)
def test_a_setting_is_called_by_its_kernel_where_there_are_several(
    kernel: str | None, whose: str, labelled: str
) -> None:
    one = parts.Setting(kernel=kernel, provisioner="forkserver", example="add", fault="sigkill", phase="idle")
    assert one.whose == whose
    assert one.named(labelled=True) == labelled
    assert one.named(labelled=False) == str(one) == "forkserver-add-sigkill-idle"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "process 7"),
        ({"detail": "sleep 60"}, "process 7 (sleep 60)"),
        ({"since": "import os"}, "process 7, first seen after the cell 'import os'"),
        ({"detail": "sleep 60", "since": "a"}, "process 7 (sleep 60), first seen after the cell 'a'"),
    ],
)
def test_a_leak_tells_what_is_known_of_it(more: dict[str, Any], expected: str) -> None:
    leak = parts.Leak(kind="process", name="7", **more)
    assert (leak.what, str(leak)) == ("process 7", expected)


@pytest.mark.parametrize(
    ("reason", "given", "expected"),
    [("lost", "jupyter 8", "lost; jupyter 8"), ("lost", "", "lost"), ("", "jupyter 8", "jupyter 8"), ("", "", "")],
)
def test_a_verdict_says_with_what_it_was_given(reason: str, given: str, expected: str) -> None:
    verdict = msgspec.structs.replace(documents.verdict(SETTING, reason=reason), given=given)
    assert verdict.said == expected


def test_the_document_of_the_format_tells_its_numbers() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"`schema` is {parts.SCHEMA}." in text
    assert f"the first {parts.LONGEST_MESSAGE} characters" in text


class TestKnownDefects:
    DEFECT = Defect("deaf", "it is deaf", "docs/faults.md", "ours", always=True)

    def test_are_read_as_they_were_written(self) -> None:
        verdict = documents.verdict(SETTING, state="KNOWN", reason="not heard")
        known = msgspec.structs.replace(verdict, defect=self.DEFECT, given="with one")
        read = msgspec.json.decode(encode(known), type=parts.Verdict)
        assert read == known
        assert (read.said, read.is_mended) == ("not heard; with one; known: it is deaf (docs/faults.md)", False)

    def test_what_passes_though_it_never_did_is_mended(self) -> None:
        passed = msgspec.structs.replace(documents.verdict(SETTING), defect=self.DEFECT)
        assert (passed.is_mended, passed.said.startswith("mended: deaf ")) == (True, True)

    def test_what_older_judges_passed_stays_passed(self, tmp_path: Path) -> None:
        said = "swallowed in the first Session.run, as since 2.18; heard in a later one"
        old = documents.with_verdict(documents.document(1, tests=0), 0, reason=said)
        new = documents.with_verdict(old, 0, verdict="KNOWN", reason="not heard", defect=self.DEFECT)
        path = documents.write(tmp_path / "old.json", old)
        read = load(path)
        assert (read.verdicts[0].verdict, read.verdicts[0].said, read.verdicts[0].defect) == ("PASS", said, None)
        (found,) = compare(Side("old", read), Side("new", new)).differences
        assert (found.change, found.regression) == (Change.KNOWN, False)
