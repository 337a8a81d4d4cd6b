"""What is wrong with a run, in the words that GitHub's runner reads."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

import documents
from documents import ODD, cut_short
from pytest_tfkernel.model.defects import Defect
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.annotations import MOST_ANNOTATIONS, Folders, annotate

GOOD = documents.document(count=3)
DEAF = Defect("deaf", "it is deaf", table="ours", always=True)
ALL_UNKNOWN = "could not be looked at"


def failed(number: int = 0, reason: str = "it lives", **changes: Any) -> parts.Document:
    return documents.with_verdict(GOOD, number, verdict="FAIL", reason=reason, **changes)


def unknown(guarantee: str, *options: str, fault: str = "sigkill", provisioner: str = "forkserver") -> parts.Document:
    setting = msgspec.structs.replace(GOOD.verdicts[0].setting, fault=fault, provisioner=provisioner)
    document = documents.with_verdict(
        GOOD, 0, verdict="UNKNOWN", reason=ALL_UNKNOWN, guarantee=guarantee, setting=setting
    )
    return documents.with_options(document, *options)


def decode(line: str) -> tuple[str, str, str]:
    """Type, title and message, as GitHub's runner reads a line."""
    found = re.fullmatch(r"::(\w+) (?:file=[^,:]*,(?:line=\d+,)?)?title=(.*?)::(.*)", line)
    assert found is not None, line
    kind, title, message = found.groups()
    for code, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        title = title.replace(code, character)
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        message = message.replace(code, character)
    return kind, title, message


class TestAnnotations:
    def test_a_good_run_has_none(self) -> None:
        assert list(annotate(GOOD)) == []

    def test_a_fail_is_an_error(self) -> None:
        (line,) = annotate(failed())
        item = "tfkernel::process-is-new[forkserver-graph_add-fault0-idle]"
        assert line == (
            "::error title=FAIL process-is-new [forkserver-graph_add-fault0-idle]::"
            f'it lives%0AJust this one: pytest "{item}"'
        )

    def test_what_is_known_or_mended_is_a_notice(self) -> None:
        known = documents.with_verdict(GOOD, 0, verdict="KNOWN", reason="not heard", defect=DEAF)
        assert list(annotate(known)) == [
            "::notice title=KNOWN process-is-new [forkserver-graph_add-fault0-idle]::not heard; known: it is deaf"
        ]
        (line,) = annotate(documents.with_verdict(GOOD, 0, defect=DEAF))
        kind, title, message = decode(line)
        assert (kind, title.split()[0]) == ("notice", "PASS")
        assert message == "mended: deaf is listed as always seen, and wasn't: update the table (ours)"

    @pytest.mark.parametrize("outcome", ["failed", "error"])
    def test_a_failed_test_is_an_error(self, outcome: str) -> None:
        document = documents.with_test(
            GOOD,
            1,
            outcome=outcome,
            error_type="ValueError",
            error_message="2 == 3",
            leaks=[documents.leak("process", "7", "sleep 60"), documents.leak("thread", "8")],
        )
        (line,) = annotate(document)
        assert line == (
            f"::error title=test_mine.py%3A%3Atest_1%3A {outcome}::"
            "ValueError: 2 == 3%0Aleft behind: process 7%0Aleft behind: thread 8"
        )

    @pytest.mark.parametrize("outcome", ["passed", "skipped", "xfailed", "xpassed"])
    def test_another_test_is_none(self, outcome: str) -> None:
        assert list(annotate(documents.with_test(GOOD, 1, outcome=outcome))) == []

    def test_without_a_reason_something_is_said(self) -> None:
        document = documents.with_test(GOOD, 0, outcome="failed")
        assert list(annotate(document)) == ["::error title=test_mine.py%3A%3Atest_0%3A failed::no reason was given"]

    def test_one_of_several_kernels_is_named(self) -> None:
        both = documents.of_kernels("2.20.0", "2.21.0", count=1)
        (line,) = annotate(documents.with_verdict(both, 3, verdict="FAIL"))
        assert decode(line)[1] == "FAIL session-is-rebuilt [tf2.21.0-py3.11/forkserver-graph_add-fault0-idle]"

    def test_odd_texts_stay_in_their_line(self) -> None:
        document = documents.with_test(failed(reason=ODD), 0, item=ODD, outcome="failed", error_message=ODD)
        document = documents.with_verdict(document, 1, guarantee=ODD, verdict="FAIL")
        lines = list(annotate(document))
        assert len(lines) == 3
        for line in lines:
            assert line.isprintable()
            assert line.encode().decode() == line
            kind, title, message = decode(line)
            assert (kind, "\n" in title) == ("error", False)
            assert title + message == (title + message).replace("\x1b", "")
        assert decode(lines[0])[2].startswith("100%|a,b::c<script>&amp;`x` red\n\n```\n````\n</details>\n# c\\u2028")
        assert decode(lines[2])[1].startswith("100%|a,b::c<script>")

    def test_what_is_a_mark_for_github_is_spelt_out(self) -> None:
        document = documents.with_test(GOOD, 0, item="a[1,2]:%2C", outcome="failed", error_message="100%0A, a: b")
        (line,) = annotate(document)
        assert line == "::error title=a[1%2C2]%3A%252C%3A failed::100%250A, a: b"

    def test_a_long_text_keeps_its_beginning_and_its_end(self) -> None:
        (line,) = annotate(failed(reason=f"first {'x' * 100_000} last"))
        _, _, message = decode(line)
        assert len(message) < 4200
        assert message.startswith("first xxx")
        assert " last\nJust this one" in message

    def test_as_many_as_github_shows_are_all_there(self) -> None:
        document = documents.document(count=MOST_ANNOTATIONS // 2)
        failing = [msgspec.structs.replace(one, verdict="FAIL") for one in document.verdicts]
        assert len(list(annotate(msgspec.structs.replace(document, verdicts=failing)))) == MOST_ANNOTATIONS

    def test_the_last_says_how_many_more_there_are(self) -> None:
        document = documents.document(count=100)
        failing = [msgspec.structs.replace(one, verdict="FAIL") for one in document.verdicts]
        lines = list(annotate(cut_short(msgspec.structs.replace(document, verdicts=failing))))
        kinds = [decode(line)[0] for line in lines]
        assert kinds == ["error"] * MOST_ANNOTATIONS + ["warning"]
        assert lines[MOST_ANNOTATIONS - 1] == "::error title=191 more::191 more of these: GitHub shows 10 of a step"


class TestPlaces:
    @pytest.mark.parametrize(
        ("folders", "file", "shown"),
        [
            (Folders(), "tests/test_a.py", "tests/test_a.py"),
            (Folders("/w/r", "/w/r"), "tests/test_a.py", "tests/test_a.py"),
            (Folders("/w/r/sub", "/w/r"), "test_a.py", "sub/test_a.py"),
            (Folders("/w/r/sub", "/w/r"), "../test_a.py", "test_a.py"),
            (Folders("/w", "/w/r"), "r/test_a.py", "test_a.py"),
            (Folders("/w/r", "/w/r"), "/w/r/a.py", "a.py"),
            (Folders("/w/r", "/w/r"), "..a/b.py", "..a/b.py"),
        ],
    )
    @pytest.mark.parametrize("line", [None, 7])
    def test_a_test_stands_at_its_file(self, folders: Folders, file: str, shown: str, line: int | None) -> None:
        document = documents.with_test(GOOD, 0, outcome="failed", file=file, line=line, error_message="m")
        (said,) = annotate(document, (), folders)
        place = f"file={shown}" + (f",line={line}" if line else "")
        assert said == f"::error {place},title=test_mine.py%3A%3Atest_0%3A failed::m"

    @pytest.mark.parametrize(
        ("folders", "file"),
        [
            (Folders(), None),
            (Folders(), "/etc/a.py"),
            (Folders(), "../a.py"),
            (Folders("/w/r", "/w/r"), "../a.py"),
            (Folders("/w", "/w/r"), "a.py"),
            (Folders("/w/r", "/w/r"), "a\nb.py"),
            (Folders("/w/r", "/w/r"), "a\udcff.py"),
        ],
    )
    def test_one_that_is_not_in_the_checkout_has_none(self, folders: Folders, file: str | None) -> None:
        document = documents.with_test(GOOD, 0, outcome="failed", file=file, line=3, error_message="m")
        assert [*annotate(document, (), folders)] == ["::error title=test_mine.py%3A%3Atest_0%3A failed::m"]

    def test_marks_for_github_in_a_file_are_spelt_out(self) -> None:
        document = documents.with_test(GOOD, 0, outcome="failed", file="a,b:c%.py", line=3, error_message="m")
        (said,) = annotate(document)
        assert said.startswith("::error file=a%2Cb%3Ac%25.py,line=3,title=")


class TestWarnings:
    def test_a_run_that_was_cut_short_is_one(self) -> None:
        assert list(annotate(cut_short(GOOD))) == [
            "::warning title=this run is incomplete::it was cut short, and what it didn't run is unknown"
        ]

    def test_items_without_a_report_are_one(self) -> None:
        end = parts.End(seconds=1.0, exit_code=1, collected=9, unreported=["test_a.py::test_b", "test_a.py::test_c"])
        assert list(annotate(msgspec.structs.replace(GOOD, end=end))) == [
            "::warning title=this run is incomplete::2 of 9 items have no report, such as test_a.py::test_b"
        ]

    def test_an_unknown_that_nobody_requires_is_none(self) -> None:
        assert list(annotate(unknown("gpu-matmul", "--tfkernel-require=oom-kill"))) == []

    @pytest.mark.parametrize(
        "options",
        [
            ("--tfkernel", "--tfkernel-require=gpu"),
            ("--tfkernel-require", "gpu"),
            ("--tfkernel-require=x", "--tfkernel-require=gpu"),
        ],
    )
    def test_an_unknown_of_what_the_run_required_is_one(self, options: tuple[str, ...]) -> None:
        (line,) = annotate(unknown("no-cuda-context", *options))
        kind, title, message = decode(line)
        assert (kind, title.split(" ")[:2]) == ("warning", ["UNKNOWN", "no-cuda-context"])
        assert message == f"{ALL_UNKNOWN}\nRequired here: gpu"

    @pytest.mark.parametrize(
        ("capability", "document"),
        [
            ("oom-kill", unknown("death-is-explained", fault="oom-kill")),
            ("process-limit", unknown("error-is-not-death", fault="thread-exhaustion")),
            ("gpu", unknown("error-is-not-death", fault="oom-gpu")),
            ("nvml-processes", unknown("no-cuda-context")),
            ("gpu-memory", unknown("gpu-is-usable-again")),
            ("spyder", unknown("process-is-new", provisioner="spyder")),
            ("multiprocess", unknown("process-is-new", provisioner="multiprocess-spawn")),
        ],
    )
    def test_each_capability_has_its_verdicts(self, capability: str, document: parts.Document) -> None:
        assert list(annotate(document)) == []
        assert len(list(annotate(document, {capability}))) == 1
        assert list(annotate(document, {"jupyter"})) == []
