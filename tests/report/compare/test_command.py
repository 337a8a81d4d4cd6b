"""`python -m pytest_tfkernel compare`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

import documents
from pytest_tfkernel import __main__ as program
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.compare import comparison
from pytest_tfkernel.report.saved import SavedRuns

SAME, WORSE, CANNOT = range(3)


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


class Command:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        self.write("ref.json", documents.document(tensorflow="2.20.0"))
        self.write("new.json", documents.document(tensorflow="2.21.0"))
        self.write("bad.json", documents.with_verdict(documents.document(), 0, verdict="FAIL"))

    def write(self, name: str, document: parts.Document) -> Path:
        return documents.write(self.folder / name, document)

    def __call__(self, *words: str) -> Said:
        try:
            code = program.main(["compare", *words])
        except SystemExit as ended:
            code = int(ended.code or 0)
        captured = self._capsys.readouterr()
        return Said(code, captured.out, captured.err)

    def refusal(self, *words: str) -> str:
        """The one line of stderr."""
        said = self(*words)
        assert (said.code, said.out) == (CANNOT, "")
        assert said.err.startswith("compare: ")
        assert said.err.count("\n") == 1
        return said.err.removeprefix("compare: ").rstrip("\n")


@pytest.fixture
def compare(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    return Command(tmp_path, capsys)


def test_same_or_better_is_0(compare: Command) -> None:
    said = compare("ref.json", "new.json")
    assert (said.code, said.err) == (SAME, "")
    assert said.out.startswith("2.20.0 -> 2.21.0: no guarantee lost, no behaviour changed; of your 3 tests none fails")
    assert compare("bad.json", "ref.json").code == SAME


def test_worse_is_1(compare: Command) -> None:
    said = compare("ref.json", "bad.json")
    assert (said.code, said.err) == (WORSE, "")
    assert said.out.startswith("2.20.0 -> 2.21.0: 1 guarantee lost")


def test_shapes(compare: Command) -> None:
    assert json.loads(compare("ref.json", "bad.json", "--json").out)["exit"] == WORSE
    assert compare("ref.json", "bad.json", "--markdown").out.startswith("### \u274c")
    assert compare("ref.json", "bad.json", "--json").code == compare("ref.json", "bad.json", "--markdown").code == WORSE
    assert compare("ref.json", "bad.json", "--json", "--markdown").code == CANNOT


def test_all_cuts_nothing(compare: Command) -> None:
    compare.write("many.json", documents.document(count=30))
    compare.write("few.json", documents.document(count=1))
    assert "and 26 more" in compare("many.json", "few.json").out
    assert "more" not in compare("many.json", "few.json", "--all").out


def test_fail_on(compare: Command) -> None:
    compare.write("unclear.json", documents.with_verdict(documents.document(), 0, verdict="UNKNOWN"))
    assert compare("ref.json", "unclear.json").code == SAME
    assert compare("ref.json", "unclear.json", "--fail-on=slower:50%", "--fail-on=unknown").code == WORSE
    assert compare.refusal("ref.json", "new.json", "--fail-on=slower") == (
        "--fail-on=slower: how many percent? Write --fail-on=slower:50%"
    )


def test_expect(compare: Command) -> None:
    (compare.folder / "known.json").write_text('[{"guarantee": "*", "change": "lost", "reason": "because"}]')
    said = compare("ref.json", "bad.json", "--expect=known.json")
    assert said.code == SAME
    assert "[lost: because]" in said.out
    assert "Expected, but not seen\n  guarantee *: lost" in compare("ref.json", "new.json", "--expect=known.json").out
    assert compare.refusal("ref.json", "bad.json", "--expect=none") == "none can't be read: No such file or directory"


def test_kernels(compare: Command) -> None:
    compare.write("both.json", documents.of_kernels("2.20.0", "2.21.0"))
    two = ("--kernel=tf2.20.0-py3.11", "--kernel=tf2.21.0-py3.11")
    said = compare("both.json", *two)
    assert (said.code, said.out.splitlines()[0]) == (
        SAME,
        "2.20.0 -> 2.21.0: no guarantee lost, no behaviour changed",
    )
    assert compare("ref.json", "both.json", *two).code == WORSE  # two of its tests aren't there
    assert compare("both.json", "both.json", two[0]).code == SAME
    assert compare("both.json", "both.json", *two).out.startswith("2.20.0 -> 2.21.0: ")
    assert compare("both.json", "both.json", *reversed(two)).out.startswith("2.21.0 -> 2.20.0: ")
    assert compare.refusal("both.json") == (
        "usage error: name a second document, or two kernels of this one with --kernel"
    )
    assert compare.refusal("both.json", two[0]) == compare.refusal("both.json")
    assert compare.refusal("both.json", *two, two[0]) == "usage error: --kernel may be given twice at most"
    assert compare.refusal("both.json", "both.json", "--kernel=x").startswith("both.json has no kernel 'x'")


def test_bad_documents(compare: Command) -> None:
    (compare.folder / "foreign.json").write_text('{"tests": []}')
    (compare.folder / "cut.json").write_bytes((compare.folder / "ref.json").read_bytes()[:-100])
    compare.write("newer.json", msgspec.structs.replace(documents.document(), schema=99))
    compare.write("odd.json", documents.with_verdict(documents.document(), 0, verdict="MAYBE"))
    compare.write("empty.json", documents.document(count=0, tests=0))
    for name, why in {
        "none.json": "none.json doesn't exist",
        ".": ". can't be read: Is a directory",
        "foreign.json": "foreign.json is not a run document: make one with --tfkernel-report=foreign.json",
        "cut.json": "cut.json is cut short, or not a run document: Input data was truncated",
        "newer.json": "newer.json has schema 99, and this version reads up to 2: update pytest-tfkernel",
        "a\x1b[31m\nb": "a\\x1b[31m\\nb doesn't exist",
        "a\udcff": "a\\udcff doesn't exist",
    }.items():
        assert compare.refusal("ref.json", name) == why
        assert compare.refusal(name, "ref.json") == why
    assert compare.refusal("ref.json", "odd.json") == (
        "odd.json was changed by hand or comes from another program: Invalid enum value 'MAYBE' - at `$.verdicts[0].verdict`"
    )
    assert compare.refusal("ref.json", "empty.json") == (
        "empty.json has neither verdicts nor tests to compare with ref.json"
    )


def test_what_a_killed_run_left_can_be_compared(compare: Command) -> None:
    document = documents.document(tests=2)
    compare.write("left.json", msgspec.structs.replace(document, complete=False, end=None))
    said = compare("ref.json", "left.json.incomplete")
    assert said.code == WORSE
    assert said.out.splitlines()[0].endswith("1 not run; changed is incomplete")


def test_an_older_document_is_not_taken_for_that_of_a_killed_run(compare: Command) -> None:
    compare.write("new.json", msgspec.structs.replace(documents.document(), complete=False, end=None))
    os.utime(compare.folder / "new.json", (1, 1))
    assert compare.refusal("ref.json", "new.json") == (
        "new.json is from an older run than new.json.incomplete, whose run did not finish: compare or remove that one"
    )
    assert compare("ref.json", "new.json.incomplete").code == SAME


def test_an_error_of_ours_is_no_answer(compare: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(comparison, "pair", fail)
    assert compare.refusal("ref.json", "new.json") == "can't tell: RuntimeError: two\\nlines"


def test_the_help_says_what_the_codes_mean(compare: Command) -> None:
    said = compare("--help")
    assert said.code == 0
    assert "Exit codes: 0 same or better, 1 worse" in said.out


def test_it_needs_neither_pytest_nor_what_the_suite_needs(compare: Command) -> None:
    code = """
import sys
from pytest_tfkernel import __main__ as program
code = program.main(["compare", "ref.json", "new.json", "--json"])
heavy = {"pytest", "_pytest", "jinja2", "psutil", "cloudpickle", "tensorflow", "pynvml", "matplotlib"}
sys.exit(f"{heavy & set(sys.modules)}" if heavy & set(sys.modules) else code)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (SAME, "")


def test_saved_runs_are_named_by_number_by_name_and_as_the_last(compare: Command) -> None:
    saved = SavedRuns(compare.folder / ".tfkernel")
    for name, version in (("before", "2.20.0"), ("after", "2.21.0"), ("", "2.22.0")):
        run = documents.document(tensorflow=version)
        documents.write(saved.claim(name, documents.start(run)), run)
    for words, versions in {
        (): "2.21.0 -> 2.22.0",
        ("before", "after"): "2.20.0 -> 2.21.0",
        ("1", "last"): "2.20.0 -> 2.22.0",
        ("ref.json", "2"): "2.20.0 -> 2.21.0",
    }.items():
        said = compare(*words)
        assert (said.code, said.out.partition(":")[0]) == (SAME, versions)
    assert compare.refusal("befor", "after") == "befor is neither a file nor a saved run: did you mean before?"
    assert compare.refusal("before").startswith("usage error: name a second document")


def test_without_saved_runs_two_must_be_named(compare: Command) -> None:
    assert compare.refusal() == ("no whole runs saved in .tfkernel, and two are needed: --tfkernel-save keeps one")
    assert compare.refusal("last", "new.json").startswith("last: no run was saved in ")


def test_what_makes_it_worse_can_be_written_as_known(compare: Command) -> None:
    said = compare("ref.json", "bad.json", "--write-expect=known.json")
    assert said.code == WORSE
    assert said.out == compare("ref.json", "bad.json").out
    assert said.err == (
        "compare: wrote known.json, with 1 new known difference: fill in the reason of each, without which it is no known"
        " difference\n"
    )
    assert compare.refusal("ref.json", "bad.json", "--expect=known.json") == "known.json, entry 1 has no reason"
    said = compare("ref.json", "bad.json", "--write-expect=other.json", "--reason=we know")
    assert said.err == "compare: wrote other.json, with 1 new known difference\n"
    assert compare("ref.json", "bad.json", "--expect=other.json").code == SAME


def test_what_was_known_stays_known(compare: Command) -> None:
    compare("ref.json", "bad.json", "--write-expect=known.json", "--reason=old")
    worse = documents.with_verdict(documents.document(), 0, verdict="FAIL")
    compare.write("worse.json", documents.with_test(worse, 0, outcome="failed"))
    words = ("ref.json", "worse.json", "--write-expect=known.json", "--reason=new")
    assert compare.refusal(*words) == (
        "known.json exists: give --expect=known.json too, so that what it knows is kept, or name another one"
    )
    said = compare(*words, "--expect=known.json")
    assert (said.code, said.err) == (WORSE, "compare: wrote known.json, with 1 new known difference\n")
    assert [one["reason"] for one in json.loads((compare.folder / "known.json").read_text())] == ["old", "new"]
    assert compare("ref.json", "worse.json", "--expect=known.json").code == SAME


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--write-expect=ref.json",), "ref.json is a run document: name another file for the known differences"),
        (("--write-expect=./new.json",), "new.json is a run document: name another file for the known differences"),
        (("--write-expect=none/known.json",), "none/known.json can't be written: No such file or directory"),
        (("--reason=x",), "usage error: --reason is for --write-expect=FILE"),
    ],
)
def test_known_differences_are_written_over_nothing(compare: Command, words: tuple[str, ...], said: str) -> None:
    before = {path.name: path.read_bytes() for path in compare.folder.iterdir()}
    assert compare.refusal("ref.json", "new.json", *words) == said
    assert {path.name: path.read_bytes() for path in compare.folder.iterdir()} == before
