"""Which documents become a history, and in which order."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import pytest

import documents
from histories import on, put
from pytest_tfkernel.report.history.reading import documents_in, in_order, read
from pytest_tfkernel.report.store import DocumentError

SCHEMA_1 = Path(__file__).parents[1] / "schema_1"


def test_runs_are_in_the_order_in_which_they_began(tmp_path: Path) -> None:
    put(tmp_path, {"a.json": on(3), "b.json": on(1), "c.json": on(2)})
    documents.write(tmp_path / "d.json", msgspec.structs.replace(on(4), end=None, complete=False))
    found = read(documents_in(tmp_path))
    assert [(one.name, one.shortfall) for one in found.runs] == [
        ("b.json", ""),
        ("c.json", ""),
        ("a.json", ""),
        ("d.json.incomplete", "cut short"),
    ]
    assert [one.name for one in read(documents_in(tmp_path), last=2).runs] == ["a.json", "d.json.incomplete"]


def test_of_many_kept_runs_only_those_that_are_shown_are_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{day:04}_202601{day:02}T031500Z_tf2.21.0-py3.11.json" for day in range(1, 10)]
    put(tmp_path, {name: on(day) for day, name in enumerate(names, 1)})
    (tmp_path / "0010_20261399T999999Z_odd.json").write_bytes((tmp_path / names[0]).read_bytes())
    opened: list[str] = []
    read_bytes = Path.read_bytes

    def note(path: Path) -> bytes:
        opened.append(path.name)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", note)
    assert [one.name for one in read(documents_in(tmp_path), last=2).runs] == names[-2:]
    assert opened == names[-2:]


def test_what_is_no_document_is_a_line_and_the_rest_is_there(tmp_path: Path) -> None:
    put(tmp_path, [documents.document(1)])
    whole = (tmp_path / "1.json").read_bytes()
    bad = {
        "cut.json": whole[:400],
        "empty.json": b"",
        "foreign.json": b'{"name": "package", "began": 5}',
        "list.json": b"[1, 2]",
        "noise.json": bytes(range(256)),
        "deep.json": b"[" * 100_000,
        "newer.json": whole.replace(b'"schema":2', b'"schema":99'),
        "other.json": whole.replace(b'"PASS"', b'"MAYBE"'),
        "half.json.incomplete": b'{"part":"start"',
    }
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "notes.txt").write_text("not asked")
    found = read(documents_in(tmp_path))
    assert [one.name for one in found.runs] == ["1.json"]
    assert {Path(line.split()[0]).name for line in found.left_out} == set(bad)
    assert not [line for line in found.left_out if "\n" in line]


def test_documents_of_older_schemas_are_read(tmp_path: Path) -> None:
    for path in SCHEMA_1.iterdir():
        shutil.copy(path, tmp_path)
    found = read(documents_in(tmp_path))
    assert len(found.runs) >= 2
    assert found.left_out == ()


def test_a_document_that_is_named_twice_is_one_run(tmp_path: Path) -> None:
    (path,) = put(tmp_path, {"a.json": on(1)})
    (tmp_path / "link.json").symlink_to(path)
    assert in_order([path, tmp_path / "link.json", path]) == [path]


def test_a_folder_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="can't be read: No such file or directory"):
        list(documents_in(tmp_path / "none"))


def test_each_kernel_of_a_run_is_a_column(tmp_path: Path) -> None:
    found = read(put(tmp_path, {"a.json": on(1, documents.of_kernels("2.20.0", "2.21.0")), "b.json": on(2)}))
    assert [one.versions for one in found.runs] == [f"{one}, Python 3.11.7" for one in ("2.20.0", "2.21.0", "2.21.0")]
    assert found.rows == ()
