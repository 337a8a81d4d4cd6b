"""Documents on disk: what a run writes, what a killed one leaves, and every way in which one can be bad."""

from __future__ import annotations

import errno
import fcntl
import json
import math
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import documents
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.store import INCOMPLETE, DocumentError, Writer, later_aside, load

OLDER = documents.document(count=3, tensorflow="2.19.0")
ODD = "<b>&amp;</b> \x1b[31mred\x1b[0m\r\n\u2028\u202e \x00 |"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.json"


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system can be mounted by root only, where mounts are allowed")
    yield folder
    # Lazily: what a test that fails has left open there goes with the session.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def reason(path: Path) -> str:
    """Why it can't be read; one line that names it."""
    with pytest.raises(DocumentError) as failed:
        load(path)
    text = str(failed.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    return text.removeprefix(f"{path} ")


def edited(path: Path, edit: Callable[[Any], object]) -> Path:
    """A document that somebody has changed by hand."""
    content = json.loads(documents.write(path, documents.document(count=1)).read_bytes())
    edit(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


class TestWriter:
    @pytest.mark.parametrize("count", [0, 1, 20])
    def test_what_was_written_is_read(self, path: Path, count: int) -> None:
        document = documents.document(count)
        assert load(documents.write(path, document)) == document

    def test_a_document_is_for_people_too(self, path: Path) -> None:
        lines = documents.write(path, documents.document()).read_text(encoding="utf-8").splitlines()
        assert len(lines) > 100
        assert lines[1].strip() == f'"format": "{parts.FORMAT}",'

    def test_nothing_lies_beside_it_in_the_end(self, path: Path) -> None:
        documents.write(path, documents.document())
        assert list(path.parent.iterdir()) == [path]

    def test_each_part_is_on_disk_at_once(self, path: Path) -> None:
        document = documents.document(count=2)
        writer = Writer(path, documents.start(document))
        aside = path.with_name(path.name + INCOMPLETE)
        assert load(aside).trials == []
        for number, trial in enumerate(document.trials):
            writer.add(trial)
            assert load(aside).trials == document.trials[: number + 1]
        writer.close()

    def test_an_older_document_stays_until_the_end(self, path: Path) -> None:
        documents.write(path, OLDER)
        document = documents.document()
        writer = Writer(path, documents.start(document))
        writer.add(document.trials[0])
        assert load(path) == OLDER
        writer.finish(parts.End(seconds=1.0, exit_code=0, collected=1))
        assert load(path).trials == document.trials[:1]

    def test_the_document_is_put_there_in_one_piece(self, path: Path) -> None:
        older = documents.write(path, OLDER).open("rb")
        documents.write(path, documents.document())
        with older:
            assert msgspec.json.decode(older.read(), type=parts.Document) == OLDER

    def test_what_a_killed_run_leaves_is_read_as_incomplete(self, path: Path) -> None:
        code = """
import os, signal, sys
from pathlib import Path
import documents
from pytest_tfkernel.report.store import Writer

document = documents.document(count=4)
writer = Writer(Path(sys.argv[1]), documents.start(document))
for part in document.trials:
    writer.add(part)
os.kill(os.getpid(), signal.SIGKILL)
"""
        documents.write(path, OLDER)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))}
        done = subprocess.run([sys.executable, "-c", code, path], env=environment, check=False)
        assert done.returncode == -signal.SIGKILL
        left = load(path.with_name(path.name + INCOMPLETE))
        assert (left.complete, left.end, left.trials) == (False, None, documents.document(count=4).trials)
        assert load(path) == OLDER

    def test_what_a_later_run_left_is_found(self, path: Path) -> None:
        assert later_aside(path) is None
        documents.write(path, OLDER)
        assert later_aside(path) is None
        aside = documents.write(path, msgspec.structs.replace(documents.document(), complete=False, end=None))
        os.utime(path, (1, 1))
        assert later_aside(path) == aside
        os.utime(aside, (0, 0))
        assert later_aside(path) is None

    def test_of_two_of_the_same_time_neither_is_later(self, path: Path) -> None:
        documents.write(path, OLDER)
        aside = documents.write(path, msgspec.structs.replace(documents.document(), complete=False, end=None))
        for one in (path, aside):
            os.utime(one, (1, 1))
        assert later_aside(path) is None

    def test_what_it_saw_so_far_may_be_read_and_not_changed_by_others(self, path: Path) -> None:
        umask = os.umask(0)
        try:
            writer = Writer(path, documents.start(OLDER))
        finally:
            os.umask(umask)
        writer.close()
        assert f"{writer.aside.stat().st_mode:o}" == "100644"

    def test_a_missing_document_points_to_what_is_left(self, path: Path) -> None:
        assert reason(path) == "doesn't exist"
        documents.write(path, msgspec.structs.replace(documents.document(), complete=False, end=None))
        assert reason(path) == "doesn't exist; its run did not finish, and run.json.incomplete has what there is"


class TestClosedDescriptor:
    """A test may close what it did not open, and have a file of its own there."""

    @staticmethod
    def close(writer: Writer) -> int:
        """Close the descriptor of a writer; its number."""
        aside = str(writer.aside.resolve())
        # Another thread may close its own between the list and the look: such a link leads nowhere.
        (number,) = (int(fd.name) for fd in Path("/proc/self/fd").iterdir() if os.path.realpath(fd) == aside)
        os.close(number)
        return number

    @pytest.fixture
    def writer(self, path: Path) -> Writer:
        document = documents.document(count=2)
        writer = Writer(path, documents.start(document))
        writer.add(document.trials[0])
        return writer

    @pytest.mark.parametrize("is_reused", [False, True])
    def test_parts_go_on_aside_and_not_into_another_file(
        self, path: Path, tmp_path: Path, writer: Writer, *, is_reused: bool
    ) -> None:
        trials = documents.document(count=2).trials
        number = self.close(writer)
        with (tmp_path / "other").open("wb") as other:
            if is_reused:
                os.dup2(other.fileno(), number)
            writer.add(trials[1])
            assert load(writer.aside).trials == trials
            writer.finish(parts.End(seconds=1.0, exit_code=0, collected=2))
            if is_reused and number != other.fileno():
                os.close(number)
        assert (tmp_path / "other").read_bytes() == b""
        assert load(path).trials == trials
        assert not writer.aside.exists()

    def test_no_other_run_writes_there_meanwhile(self, path: Path, writer: Writer) -> None:
        self.close(writer)
        writer.add(documents.document(count=2).trials[1])
        with pytest.raises(DocumentError, match="is being written by another run"):
            Writer(path, documents.start(OLDER))
        writer.close()

    def test_one_that_is_closed_twice_closes_nothing_of_the_next(self, path: Path, writer: Writer) -> None:
        writer.close()
        following = Writer(path, documents.start(OLDER))
        writer.close()
        with pytest.raises(DocumentError, match="is being written by another run"):
            Writer(path, documents.start(OLDER))
        following.close()

    def test_one_that_was_replaced_is_left_alone(self, writer: Writer) -> None:
        self.close(writer)
        writer.aside.rename(writer.aside.with_name("moved"))
        writer.aside.write_text("kept")
        with pytest.raises(DocumentError, match="was replaced while a run wrote to it"):
            writer.add(documents.document(count=2).trials[1])
        writer.close()
        assert writer.aside.read_text() == "kept"


def test_where_there_are_no_locks_it_is_written_all_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    document = documents.document(count=2)
    writer = Writer(path, documents.start(document))
    TestClosedDescriptor.close(writer)
    writer.add(document.trials[0])
    writer.finish(parts.End(seconds=1.0, exit_code=0, collected=1))
    assert load(path).trials == document.trials[:1]


class TestBadPlaces:
    def refused(self, path: Path) -> str:
        with pytest.raises(DocumentError) as failed:
            Writer(path, documents.start(OLDER))
        assert "\n" not in str(failed.value)
        return str(failed.value)

    def test_a_folder_is_refused(self, tmp_path: Path) -> None:
        assert self.refused(tmp_path) == f"{tmp_path} is a folder: name a file"
        assert reason(tmp_path) == "can't be read: Is a directory"

    def test_a_file_is_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        assert "can't be written: Not a directory" in self.refused(tmp_path / "file" / "run.json")
        assert reason(tmp_path / "file" / "run.json") == "can't be read: Not a directory"

    def test_a_folder_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        said = self.refused(tmp_path / "none" / "run.json")
        assert said.endswith("can't be written: there is no such folder; make it, or name another one")

    def test_a_device_is_not_replaced(self, path: Path) -> None:
        assert self.refused(Path("/dev/null")) == "/dev/null is not a regular file: name another one"
        os.mkfifo(path)
        assert "not a regular file" in self.refused(path)
        assert path.is_fifo()

    @pytest.mark.parametrize("name", ["n" * 300, "with\x00null", "lone \ud800 surrogate"])
    def test_an_impossible_name_is_told(self, tmp_path: Path, name: str) -> None:
        assert "can't be written: File name too long" in (said := self.refused(tmp_path / name)) or "no file" in said
        assert "can't be read: File name too long" in (said := reason(tmp_path / name)) or "no file" in said

    def test_a_file_with_the_name_under_which_it_is_tried_stays(self, path: Path) -> None:
        other = path.with_name(f"{path.name}.{os.getpid()}")
        other.write_text("notes")
        assert "can't be written: File exists" in self.refused(path)
        assert other.read_text() == "notes"

    def test_a_file_aside_that_no_run_has_left_stays(self, path: Path) -> None:
        aside = path.with_name(path.name + INCOMPLETE)
        aside.write_text("notes")
        with pytest.raises(DocumentError, match="was not left by a run: move it, or name another file"):
            Writer(path, documents.start(OLDER))
        assert aside.read_text() == "notes"

    def test_two_runs_do_not_write_the_same_one(self, path: Path) -> None:
        writer = Writer(path, documents.start(OLDER))
        assert self.refused(path) == f"{path} is being written by another run: name another file"
        # Nothing is lost by it.
        assert load(path.with_name(path.name + INCOMPLETE)).environment == OLDER.environment
        writer.close()
        Writer(path, documents.start(OLDER)).close()

    @pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
    def test_a_read_only_folder_is_told(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o500)
        assert "can't be written: Permission denied" in self.refused(tmp_path / "run.json")


class TestFullDisk:
    def test_an_older_document_stays_and_what_there_is_is_readable(self, tiny: Path) -> None:
        path = tiny / "run.json"
        documents.write(path, OLDER)
        document = documents.document(count=1000)
        writer = Writer(path, documents.start(document))

        def add_all() -> None:
            for trial in document.trials:
                writer.add(trial)

        with pytest.raises(
            DocumentError, match="can't be written: No space left on device; make room, or name another"
        ):
            add_all()
        writer.close()
        aside = path.with_name(path.name + INCOMPLETE)
        # Half a line is taken back.
        assert aside.read_bytes().endswith(b"}\n")
        left = load(aside)
        assert 0 < len(left.trials) < 1000
        assert left.trials == document.trials[: len(left.trials)]
        assert load(path) == OLDER

    def test_room_for_the_parts_and_not_for_the_whole(self, tiny: Path) -> None:
        path = tiny / "run.json"
        documents.write(path, OLDER)
        document = documents.document(count=20)
        writer = Writer(path, documents.start(document))
        for trial in document.trials:
            writer.add(trial)
        (tiny / "ballast").write_bytes(b"x" * (os.statvfs(tiny).f_bavail * os.statvfs(tiny).f_frsize - 4096))
        end = parts.End(seconds=1.0, exit_code=0, collected=20)
        with pytest.raises(DocumentError, match="No space left on device"):
            writer.finish(end)
        writer.close()
        aside = path.with_name(path.name + INCOMPLETE)
        assert sorted(tiny.iterdir()) == sorted([path, aside, tiny / "ballast"])
        assert load(path) == OLDER
        assert (load(aside).trials, load(aside).end) == (document.trials, end)

    def test_when_there_is_room_again_no_half_line_is_in_the_way(self, tiny: Path) -> None:
        path = tiny / "run.json"
        document = documents.document(count=400)
        writer = Writer(path, documents.start(document))
        ballast = tiny / "ballast"
        ballast.write_bytes(b"x" * 40_000)
        lost = []
        for number, trial in enumerate(document.trials):
            try:
                writer.add(trial)
            except DocumentError:
                lost.append(number)
                ballast.unlink()
                break
        writer.add(document.trials[-1])
        writer.close()
        assert lost
        left = load(path.with_name(path.name + INCOMPLETE)).trials
        assert left == [*document.trials[: lost[0]], document.trials[-1]]


class TestOddContent:
    def test_any_text_comes_back(self, path: Path) -> None:
        document = documents.with_test(
            documents.document(), 0, item=ODD, error_message=ODD, leaks=[documents.leak(ODD, ODD, ODD)]
        )
        assert load(documents.write(path, document)) == document

    def test_a_lone_surrogate_comes_back_as_an_escape(self, path: Path) -> None:
        odd = documents.with_test(documents.document(), 0, item="t[\ud800]", leaks=[documents.leak("file", "\udcff")])
        odd = documents.with_trial(odd, 0, facts={"\udc80": ["\udfff"]})
        read = load(documents.write(path, odd))
        assert (read.tests[0].item, read.tests[0].leaks[0].name) == ("t[\\ud800]", "\\udcff")
        assert read.trials[0].facts == {"\\udc80": ["\\udfff"]}
        assert read.tests[1:] == odd.tests[1:]

    def test_numbers_that_json_lacks_come_back_as_words(self, path: Path) -> None:
        odd = documents.with_trial(
            documents.document(), 0, result=[math.nan, 1.0], facts={"most": math.inf, "least": (-math.inf,)}
        )
        read = load(documents.write(path, odd)).trials[0]
        assert (read.result, read.facts) == (["nan", 1.0], {"most": "inf", "least": ["-inf"]})

    @pytest.mark.parametrize("result", [2**70, -(2**70), True, None, "", [], {}, 1e-300, [[1], {"a": None}]])
    def test_any_result_comes_back(self, path: Path, result: object) -> None:
        document = documents.with_trial(documents.document(), 0, result=result)
        assert load(documents.write(path, document)).trials[0].result == result


class TestDamage:
    @pytest.mark.parametrize("complete", [True, False])
    def test_cut_anywhere_it_is_told_or_read(self, path: Path, complete: bool) -> None:
        document = documents.with_test(documents.document(count=1, tests=1), 0, item="tëst|\U0001f600")
        if not complete:
            document = msgspec.structs.replace(document, complete=False, end=None)
        path = documents.write(path, document)
        data = path.read_bytes()
        read, told = [], set()
        for size in reversed(range(len(data))):
            os.truncate(path, size)
            try:
                assert load(path).trials in (document.trials, [])
                read.append(size)
            except DocumentError as error:
                told.add(str(error).removeprefix(f"{path} ").partition(":")[0])
        assert told <= {"is empty", "is cut short, or not a run document"}
        # Without the newline at its end, or from the first line on.
        assert read[::-1] == [len(data) - 1] if complete else read[::-1] == [*range(data.index(b"\n"), len(data))]

    @pytest.mark.parametrize("number", [3, -2], ids=["in the middle", "the last but one"])
    def test_a_damaged_line_with_others_after_it_is_told(self, path: Path, number: int) -> None:
        path = documents.write(path, msgspec.structs.replace(documents.document(), complete=False, end=None))
        lines = path.read_bytes().splitlines(keepends=True)
        lines[number] = lines[number][:20] + b"\n"
        path.write_bytes(b"".join(lines))
        assert reason(path).startswith("is cut short or damaged: ")

    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (b"", "is empty"),
            (b" \n\n", "is empty"),
            (b"not json", "is cut short, or not a run document"),
            (b"\x89PNG\r\n\x1a\n", "is cut short, or not a run document"),
            (b"\xff\xfe\x00", "is cut short, or not a run document"),
            (b"[]", "is cut short, or not a run document"),
            (b"null", "is cut short, or not a run document"),
            (b"{}", "is not a run document: make one with --tfkernel-report=run.json"),
            (b'{"tests": [], "summary": {"passed": 3}}', "is not a run document"),
            (b'{"format": 3}', "is cut short, or not a run document"),
            (b'{"format": "\xff"}', "is cut short, or not a run document"),
            (b'{"part":"start"', "is cut short, or not a run document"),
            (b'{"part":"start"}\n{"part":"end"}\n', "is not a run document"),
            (b'{"x":' + b"[" * 100_000, "is not a run document: it is nested too deeply"),
            (
                b'{"format":"pytest-tfkernel run","schema":1,"x":' + b"[" * 100_000,
                "is not a run document: it is nested",
            ),
        ],
    )
    def test_what_is_no_document_is_told(self, path: Path, data: bytes, expected: str) -> None:
        path.write_bytes(data)
        assert reason(path).startswith(expected)

    def test_a_newer_one_says_what_to_do(self, path: Path) -> None:
        edited(path, lambda content: content.update(schema=parts.SCHEMA + 1))
        assert reason(path) == "has schema 3, and this version reads up to 2: update pytest-tfkernel"
        edited(path, lambda content: content.update(schema=10**30))
        assert "update pytest-tfkernel" in reason(path)

    def test_a_newer_one_that_is_incomplete_too(self, path: Path) -> None:
        document = msgspec.structs.replace(documents.document(), schema=parts.SCHEMA + 1, complete=False, end=None)
        assert "update pytest-tfkernel" in reason(documents.write(path, document))

    def test_one_that_names_no_schema_is_told(self, path: Path) -> None:
        edited(path, lambda content: content.pop("schema"))
        assert reason(path) == "has schema 0, which never existed: it was changed by hand"

    @pytest.mark.parametrize("schema", [0, -1])
    def test_a_schema_that_never_was_is_told(self, path: Path, schema: int) -> None:
        edited(path, lambda content: content.update(schema=schema))
        assert reason(path) == f"has schema {schema}, which never existed: it was changed by hand"

    @pytest.mark.parametrize(
        "edit",
        [
            lambda content: content.pop("verdicts"),
            lambda content: content.update(trials={}),
            lambda content: content["trials"][0].update(seconds="long"),
            lambda content: content["trials"][0].update(seconds=None),
            lambda content: content["trials"][0]["setting"].pop("fault"),
            lambda content: content["trials"][0]["setting"].pop("kernel"),
            lambda content: content["trials"][0].update(leaks=[None]),
            lambda content: content["trials"][0].update(leaks=["process 7"]),
            lambda content: content["trials"][0].update(leaks=[{"kind": "process"}]),
            lambda content: content["trials"].append(3),
            lambda content: content["verdicts"][0].update(reason=None),
            lambda content: content["verdicts"][0].update(verdict="MAYBE"),
            lambda content: content["tests"][0].update(outcome="PASS"),
            lambda content: content["verdicts"].append(content["tests"][0]),
            lambda content: content["tests"][0].pop("outcome"),
            lambda content: content["environment"].update(kernels=None),
            lambda content: content["environment"]["machine"].update(memory="24 GB"),
            lambda content: content["end"].update(exit_code=True),
            lambda content: content.update(complete="yes"),
        ],
    )
    def test_what_was_changed_by_hand_is_told_with_its_place(self, path: Path, edit: Callable[[Any], object]) -> None:
        assert re.match(
            r"was changed by hand or comes from another program: .*(`\$|missing)", reason(edited(path, edit))
        )

    @pytest.mark.parametrize("number", ["1e400", "NaN", "-Infinity"])
    def test_a_number_that_is_none_is_told(self, path: Path, number: str) -> None:
        text = documents.write(path, documents.document(count=1)).read_text(encoding="utf-8")
        path.write_text(text.replace('"seconds": 0.4', f'"seconds": {number}'), encoding="utf-8")
        reason(path)

    def test_what_it_doesn_t_know_is_skipped(self, path: Path) -> None:
        edited(path, lambda content: content["trials"][0].update(later={"fields": [1]}))
        assert load(path) == documents.document(count=1)


def test_the_schema_of_a_document_is_json() -> None:
    assert json.loads(json.dumps(parts.json_schema()))["$ref"] == "#/$defs/Document"
