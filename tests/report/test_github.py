"""What GitHub is told of a run: the summary of a job, and when it is told at all."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from markdown_it import MarkdownIt

import documents
from documents import ODD, cut_short
from pytest_tfkernel.model.defects import Defect
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.annotations import annotate
from pytest_tfkernel.report.github import MOST_BYTES, announce, summary

GOOD = documents.document(count=3)
DEAF = Defect("deaf", "it is deaf", table="ours", always=True)


def failed(number: int = 0, reason: str = "it lives", **changes: Any) -> parts.Document:
    return documents.with_verdict(GOOD, number, verdict="FAIL", reason=reason, **changes)


def render(document: parts.Document) -> str:
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(summary(document)))


class TestSummary:
    def test_the_answer_comes_first(self) -> None:
        assert summary(GOOD).splitlines()[0] == "### \u2705 all 6 verdicts PASS; of your tests 0 failed and 3 passed"

    @pytest.mark.parametrize(
        ("document", "answer"),
        [
            (failed(), "of 6 verdicts 1 FAIL (process-is-new), 5 PASS; of your tests 0 failed and 3 passed"),
            (
                documents.with_verdict(failed(2), 1, verdict="UNKNOWN"),
                "of 6 verdicts 1 FAIL (process-is-new), 1 UNKNOWN, 4 PASS; of your tests 0 failed and 3 passed",
            ),
            (documents.with_test(GOOD, 0, outcome="error"), "all 6 verdicts PASS; of your tests 1 failed and 2 passed"),
            (
                cut_short(documents.document(count=1, tests=0)),
                "all 2 verdicts PASS; incomplete: it was cut short, and what it didn't run is unknown",
            ),
            (documents.document(count=0, tests=0), "nothing passed, so nothing was shown"),
            (
                msgspec.structs.replace(
                    documents.document(count=1, tests=0), end=parts.End(seconds=1.0, exit_code=3, collected=2)
                ),
                "all 2 verdicts PASS; pytest ended with exit code 3",
            ),
        ],
    )
    def test_what_is_wrong_is_in_the_answer(self, document: parts.Document, answer: str) -> None:
        assert f"<h3>\u274c {answer}</h3>" in render(document)

    def test_what_failed_was_shown(self) -> None:
        one = documents.document(count=1, tests=0)
        only = msgspec.structs.replace(one, verdicts=one.verdicts[:1])
        assert summary(only).startswith("### \u2705 the one verdict is PASS\n")
        bad = documents.with_verdict(only, 0, verdict="FAIL")
        assert summary(bad).startswith("### \u274c of 1 verdict 1 FAIL \\(process\\-is\\-new\\)\n")
        test = documents.with_test(documents.document(count=0, tests=1), 0, outcome="failed")
        assert summary(test).startswith("### \u274c of your tests 1 failed and 0 passed\n")

    def test_unknown_alone_is_not_wrong_but_said(self) -> None:
        known = documents.with_verdict(documents.document(count=1, tests=0), 0, verdict="KNOWN", defect=DEAF)
        assert "<h3>\u2705 of 2 verdicts 1 KNOWN, 1 PASS</h3>" in render(known)
        only = msgspec.structs.replace(known, verdicts=known.verdicts[:1])
        assert "<h3>\u2705 of 1 verdict 1 KNOWN</h3>" in render(only)
        document = documents.with_verdict(documents.document(count=1, tests=0), 0, verdict="UNKNOWN")
        assert "<h3>\u2705 of 2 verdicts 1 UNKNOWN, 1 PASS</h3>" in render(document)

    def test_says_what_ran_and_what_could_not_be_checked(self) -> None:
        environment = msgspec.structs.replace(
            GOOD.environment, capabilities={"gpu": "no driver*", "a": "b", "nvml": "no driver*"}
        )
        page = render(msgspec.structs.replace(GOOD, environment=environment))
        assert "<li>kernels tf2.21.0-py3.11: TensorFlow 2.21.0 on Python 3.11.7</li>" in page
        assert "<li>Linux 6.1.0, x86_64, 2 CPUs; no GPU</li>" in page
        assert "<li>not checked: gpu, nvml: no driver*</li>\n<li>not checked: a: b</li>" in page

    def test_matrix_has_a_row_a_fault_and_a_column_an_example(self) -> None:
        document = documents.with_verdict(documents.document(count=6), 1, verdict="FAIL")
        assert [line for line in summary(document).splitlines() if line.startswith("|")] == [
            "| forkserver | graph\\_add | variable\\_assign | gpu\\_matmul |",
            "|---|---|---|---|",
            "| fault0 | \u2717 FAIL 1 of 2 | \u2713 PASS 2 | \u2713 PASS 2 |",
            "| fault1 | \u2713 PASS 2 | \u2713 PASS 2 | \u2713 PASS 2 |",
        ]

    def test_phases_are_rows_and_scenarios_a_table(self) -> None:
        document = documents.document(count=6)
        saving = msgspec.structs.replace(document.verdicts[0].setting, fault="sigkill", phase="saving")
        neighbours = msgspec.structs.replace(saving, example="two-kernels", fault="none", phase="idle")
        extra = [documents.verdict(saving), documents.verdict(neighbours, state="UNKNOWN")]
        shown = summary(msgspec.structs.replace(document, verdicts=[*document.verdicts, *extra])).splitlines()
        assert "| sigkill while saving | \u2713 PASS 1 |  |  |" in shown
        place = shown.index("| forkserver\\: scenarios |  |")
        assert shown[place + 1 : place + 3] == ["|---|---|", "| two\\-kernels, no fault | ? UNKNOWN 1 |"]

    def test_several_kernels_have_tables_of_their_own(self) -> None:
        page = render(documents.of_kernels("2.20.0", "2.21.0"))
        assert "<th>forkserver, tf2.20.0-py3.11</th>" in page
        assert "<th>forkserver, tf2.21.0-py3.11</th>" in page

    def test_a_fail_has_its_reason_its_command_and_its_post_mortem(self) -> None:
        document = documents.with_verdict(failed(0), 1, verdict="UNKNOWN", reason="too late")
        shown = summary(documents.with_trial(document, 0, death=parts.Death(report="killed by SIGKILL\n  by us")))
        assert shown.count("<details>") == shown.count("</details>") == 1
        assert shown.endswith(
            """\
<details><summary>\u2717 forkserver-graph_add-fault0-idle</summary>

- FAIL process\\-is\\-new\\: it lives
- UNKNOWN session\\-is\\-rebuilt\\: too late

```text
pytest "tfkernel::process-is-new[forkserver-graph_add-fault0-idle]"
pytest "tfkernel::session-is-rebuilt[forkserver-graph_add-fault0-idle]"
```

Post-mortem:

```text
killed by SIGKILL
  by us
```

</details>

"""
        )

    def test_fails_come_before_unknowns(self) -> None:
        document = documents.with_verdict(failed(4), 0, verdict="UNKNOWN")
        titles = re.findall("<summary>(.*?)</summary>", summary(document))
        assert titles == ["\u2717 forkserver-gpu_matmul-fault0-idle", "? forkserver-graph_add-fault0-idle"]

    def test_a_failed_test_has_its_error(self) -> None:
        document = documents.with_test(GOOD, 0, outcome="failed", error_type="ValueError", error_message="a\nb")
        assert "<summary>\u2717 test_mine.py::test_0: failed</summary>" in render(document)
        assert '<pre><code class="language-text">ValueError: a\nb\n</code></pre>' in render(document)

    def test_items_without_a_report_are_listed(self) -> None:
        end = parts.End(seconds=1.0, exit_code=1, collected=9, unreported=["test_a.py::test_b"])
        assert '<code class="language-text">test_a.py::test_b\n' in render(msgspec.structs.replace(GOOD, end=end))

    def test_odd_texts_break_out_of_nothing(self) -> None:
        document = documents.with_test(failed(reason=ODD, item=ODD), 0, item=ODD, outcome="failed", error_message=ODD)
        document = documents.with_trial(document, 0, death=parts.Death(report=ODD))
        setting = msgspec.structs.replace(GOOD.verdicts[0].setting, fault=ODD, example=ODD, provisioner=ODD)
        document = documents.with_verdict(document, 1, setting=setting, verdict="UNKNOWN", reason=ODD, guarantee=ODD)
        environment = msgspec.structs.replace(document.environment, capabilities={ODD: ODD})
        document = msgspec.structs.replace(document, environment=environment)
        shown = summary(document)
        assert all(one.isprintable() or one == "\n" for one in shown)
        page = render(document)
        # There is no other tag, and as many are closed as are opened.
        ours = {"h3", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "p", "pre", "code"}
        assert set(re.findall(r"</?(\w+)[^>]*>", page)) <= ours
        assert page.count("<details>") == page.count("</details>") == page.count("<summary>") == 3
        assert page.count("<pre>") == page.count("</pre>") == 4
        assert page.count("&lt;/details&gt;") >= 6
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in shown.splitlines() if row.startswith("|")} <= {3, 5}

    def test_one_that_is_too_long_is_cut_between_its_parts_and_says_so(self) -> None:
        document = documents.document(count=3000)
        failing = [msgspec.structs.replace(one, verdict="FAIL", reason="x" * 300) for one in document.verdicts]
        shown = summary(msgspec.structs.replace(document, verdicts=failing))
        assert 0.99 * MOST_BYTES < len(shown.encode()) <= MOST_BYTES
        assert shown.count("<details>") == shown.count("</details>")
        kept = shown.count("<details>")
        assert shown.endswith(
            f"\n**This summary is cut here: {3003 - kept - 3} more parts; the run document has them all.**\n"
        )

    @pytest.mark.parametrize("most", [0, 100, 500, 1000, 2000])
    def test_it_is_never_longer_than_it_may_be(self, most: int) -> None:
        assert len(summary(failed(), most).encode()) <= most

    def test_a_post_mortem_is_clipped(self) -> None:
        shown = summary(documents.with_trial(failed(), 0, death=parts.Death(report=f"first {'x' * 10**6} last")))
        assert len(shown) < 20_000
        assert "first xxx" in shown
        assert "xxx last\n" in shown


class TestAnnounce:
    def test_elsewhere_nothing_is_said(self, tmp_path: Path) -> None:
        path = tmp_path / "summary.md"
        said: list[str] = []
        announce(failed(), {"GITHUB_STEP_SUMMARY": str(path)}, said.append)
        announce(failed(), {"GITHUB_ACTIONS": "false", "GITHUB_STEP_SUMMARY": str(path)}, said.append)
        assert (said, path.exists()) == ([], False)

    def test_the_summary_is_appended(self, tmp_path: Path) -> None:
        path = tmp_path / "summary.md"
        path.write_text("# of another program\n", encoding="utf-8")
        said: list[str] = []
        announce(failed(), {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(path)}, said.append)
        assert said == list(annotate(failed()))
        assert path.read_text(encoding="utf-8") == f"# of another program\n{summary(failed())}"

    def test_what_others_wrote_counts(self, tmp_path: Path) -> None:
        path = tmp_path / "summary.md"
        path.write_bytes(b"x" * (MOST_BYTES - 400))
        announce(failed(), {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(path)}, print)
        assert path.stat().st_size <= MOST_BYTES
        assert path.read_bytes().endswith(b"the run document has them all.**\n")

    def test_required_capabilities_are_passed_on(self) -> None:
        said: list[str] = []
        document = documents.with_verdict(GOOD, 0, verdict="UNKNOWN", guarantee="gpu-matmul")
        announce(document, {"GITHUB_ACTIONS": "true"}, said.append, ["gpu"])
        assert [line.partition(" ")[0] for line in said] == ["::warning"]

    def test_files_are_those_of_the_checkout_by_whatever_path(self, tmp_path: Path) -> None:
        (tmp_path / "checkout" / "sub").mkdir(parents=True)
        (tmp_path / "link").symlink_to(tmp_path / "checkout")
        document = documents.with_test(GOOD, 0, outcome="failed", file="test_a.py", line=2)
        for environ, place in (
            ({"GITHUB_WORKSPACE": str(tmp_path / "checkout")}, "sub/test_a.py"),
            ({"GITHUB_WORKSPACE": "a\0b"}, "test_a.py"),
            ({}, "test_a.py"),
        ):
            said: list[str] = []
            announce(document, {"GITHUB_ACTIONS": "true", **environ}, said.append, (), tmp_path / "link" / "sub")
            assert said[0].startswith(f"::error file={place},line=2,title=")

    @pytest.mark.parametrize(
        ("name", "why"),
        [
            ("missing/summary.md", "No such file or directory"),
            (".", "Is a directory"),
            ("a\0b", "embedded null byte"),
            ("x" * 300, "File name too long"),
        ],
    )
    def test_one_that_cannot_be_written_is_one_line(self, tmp_path: Path, name: str, why: str) -> None:
        said: list[str] = []
        path = os.path.join(tmp_path, name)  # noqa: PTH118 - pathlib would leave out the dot
        announce(GOOD, {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": path}, said.append)
        (line,) = said
        assert line.startswith("tfkernel: no summary for GitHub: ")
        assert line.endswith(f"can't be written: {why}")
        assert line.isprintable()

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
    def test_neither_is_one_on_a_full_disk(self) -> None:
        said: list[str] = []
        announce(GOOD, {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "/dev/full"}, said.append)
        assert len(said) == 1
        assert said[0].startswith("tfkernel: no summary for GitHub: /dev/full can't be written: ")
