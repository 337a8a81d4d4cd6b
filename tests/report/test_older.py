"""Documents of older schemas are read as what they would be today.

The folder `schema_1` has what a version that wrote schema 1 has left: a run with two kernels, leaks of kernels and of
ordinary tests, and one that was killed. They are as it wrote them, but for the folder of the interpreter.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.compare.comparison import Comparison, compare
from pytest_tfkernel.report.compare.pairs import Side
from pytest_tfkernel.report.older import renewed
from pytest_tfkernel.report.store import DocumentError, encode, load

OLD = Path(__file__).parent / "schema_1"
WHOLE, CUT = OLD / "run.json", OLD / "run.json.incomplete"
FIRST, SECOND = "tf2.21.0-py3.11", "tf2.21.0-py3.11-2"


def plain() -> Any:
    return json.loads(WHOLE.read_bytes())


@pytest.fixture(scope="module")
def old() -> parts.Document:
    return load(WHOLE)


def test_it_is_of_the_present_schema(old: parts.Document) -> None:
    assert plain()["schema"] == 1
    assert old.schema == parts.SCHEMA
    jsonschema.validate(json.loads(encode(old)), parts.json_schema())


def test_nothing_is_lost(old: parts.Document) -> None:
    ref = plain()
    assert (len(old.trials), len(old.verdicts), len(old.tests)) == (7, 33, 4)
    for written, read in zip(ref["trials"], old.trials, strict=True):
        now = msgspec.to_builtins(read)
        setting, key = now.pop("setting"), written.pop("key")
        assert {**setting, "kernel": setting["kernel"] or ""} == key
        assert [one.what for one in read.leaks] == written.pop("leaks", [])
        now.pop("leaks", None)
        assert now == written
    assert [(one.verdict, one.reason, one.item) for one in old.verdicts] == [
        (one["verdict"], one["reason"], one["item"]) for one in ref["verdicts"]
    ]
    assert [[leak.what for leak in one.leaks] for one in old.tests] == [one.get("leaks", []) for one in ref["tests"]]


def test_a_kernel_that_was_none_is_null(old: parts.Document) -> None:
    kernels = {one.setting.example: one.setting.kernel for one in old.trials if one.setting.provisioner == "subprocess"}
    assert kernels == {"planted-leaks": None}
    assert {one.setting.kernel for one in old.verdicts} == {None, FIRST, SECOND}


def test_a_leak_has_its_kind_and_its_name(old: parts.Document) -> None:
    (leaking,) = (one for one in old.tests if one.leaks)
    assert leaking.leaks == [
        parts.Leak(kind="process", name="29994"),
        parts.Leak(kind="temporary-file", name="/tmp/left behind (by us)-m0oktvep"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("process 7", {"kind": "process", "name": "7"}),
        ("process 7 (sleep 60)", {"kind": "process", "name": "7", "detail": "sleep 60"}),
        ("zombie 7 (sh -c (a) (b))", {"kind": "zombie", "name": "7", "detail": "sh -c (a) (b)"}),
        ("process 7 ()", {"kind": "process", "name": "7", "detail": ""}),
        ("lock /tmp/a (1)", {"kind": "lock", "name": "/tmp/a (1)"}),
        ("thread Thread-1 (work)", {"kind": "thread", "name": "Thread-1 (work)"}),
        ("system-v-segment shmid 5", {"kind": "system-v-segment", "name": "shmid 5"}),
        ("odd", {"kind": "odd", "name": ""}),
        ("", {"kind": "", "name": ""}),
    ],
)
def test_a_text_becomes_a_leak(text: str, expected: dict[str, str]) -> None:
    assert renewed({"leaks": [text]}, 1) == {"leaks": [expected]}


def test_what_is_of_the_present_schema_stays(old: parts.Document) -> None:
    now = msgspec.to_builtins(old)
    assert renewed(now, parts.SCHEMA) is now


def test_what_a_killed_run_has_left_is_read_too() -> None:
    cut = load(CUT)
    assert (cut.schema, cut.complete) == (parts.SCHEMA, False)
    assert [[leak.kind for leak in one.leaks] for one in cut.tests] == [[], ["process", "temporary-file"], [], []]


def test_a_last_line_that_was_not_finished_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / CUT.name
    path.write_bytes(CUT.read_bytes()[:-20])
    assert len(load(path).tests) == len(load(CUT).tests) - 1


def compared(ref: Path, changed: Path) -> Comparison:
    return compare(Side("ref", load(ref)), Side("changed", load(changed)))


@pytest.fixture
def new(old: parts.Document, tmp_path: Path) -> Path:
    """What a run of today writes that sees the same, with other pids and names, and knows more of its leaks."""

    def again(leak: parts.Leak) -> parts.Leak:
        name = "7" if leak.kind == "process" else f"{leak.name.rpartition('-')[0]}-other"
        return parts.Leak(kind=leak.kind, name=name, detail="sleep 60, 1.5 s old", since="import os")

    def of(one: Any) -> Any:
        return msgspec.structs.replace(one, leaks=[*map(again, one.leaks)])

    path = tmp_path / "new.json"
    path.write_bytes(encode(msgspec.structs.replace(old, trials=[*map(of, old.trials)], tests=[*map(of, old.tests)])))
    assert json.loads(path.read_bytes())["schema"] == parts.SCHEMA
    return path


def test_old_compares_with_new(new: Path) -> None:
    for ref, changed in ((WHOLE, new), (new, WHOLE), (WHOLE, WHOLE)):
        found = compared(ref, changed)
        assert (found.exit_code, found.differences, found.shortfalls) == (0, (), ())


def test_a_leak_that_the_old_one_does_not_have_is_seen(new: Path) -> None:
    content = json.loads(new.read_bytes())
    content["tests"][0]["leaks"] = [{"kind": "socket", "name": "tcp 127.0.0.1:80"}]
    new.write_text(json.dumps(content), encoding="utf-8")
    (found,) = compared(WHOLE, new).differences
    assert (found.change.value, found.name, found.after) == (
        "leak",
        "test_own.py::test_passes",
        "socket tcp 127.0.0.1:80",
    )


@pytest.mark.parametrize(
    "edit",
    [
        lambda content: content.pop("verdicts"),
        lambda content: content.update(trials={}),
        lambda content: content["trials"].append(3),
        lambda content: content["trials"][0].pop("key"),
        lambda content: content["trials"][0].update(key=None),
        lambda content: content["trials"][0]["key"].pop("fault"),
        lambda content: content["trials"][0]["key"].pop("kernel"),
        lambda content: content["trials"][0]["key"].update(kernel=3),
        lambda content: content["trials"][0].update(leaks=[None]),
        lambda content: content["trials"][0].update(leaks="process 7"),
        lambda content: content["trials"][0].update(seconds="long"),
        lambda content: content["verdicts"][0].update(verdict="MAYBE"),
        lambda content: content["tests"][0].update(leaks=[7]),
        lambda content: content["verdicts"].append(content["tests"][0]),
        lambda content: content["end"].update(exit_code=True),
    ],
)
def test_what_was_changed_by_hand_is_refused(tmp_path: Path, edit: Callable[[Any], object]) -> None:
    content = plain()
    edit(content)
    path = tmp_path / "run.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(DocumentError, match=r"was changed by hand or comes from another program: .*(`\$|missing)"):
        load(path)
