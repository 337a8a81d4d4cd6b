"""What GitHub is told of a run: annotations, and the summary of a job."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from markdown_it import MarkdownIt

import documents
from pytest_tfkernel.model.defects import Defect
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.github import MOST_ANNOTATIONS, MOST_BYTES, annotate, announce, summary

GOOD = documents.document(count=3)
ODD = "100%|a,b::c<script>&amp;`x`\x1b[31m red\x1b[0m\r\n\r\n```\n````\n</details>\n# c\u2028\u202e\ud800 [l](u) @me\0"
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


def cut_short(document: parts.Document) -> parts.Document:
    return msgspec.structs.replace(document, complete=False, end=None)


def decode(line: str) -> tuple[str, str, str]:
    """Type, title and message, as GitHub's runner reads a line."""
    found = re.fullmatch(r"::(\w+) title=(.*?)::(.*)", line)
    assert found is not None, line
    kind, title, message = found.groups()
    for code, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        title = title.replace(code, character)
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        message = message.replace(code, character)
    return kind, title, message


def render(document: parts.Document) -> str:
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(summary(document)))


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

    def test_unknown_alone_is_not_wrong_but_said(self) -> None:
        known = documents.with_verdict(documents.document(count=1, tests=0), 0, verdict="KNOWN", defect=DEAF)
        assert "<h3>\u2705 of 2 verdicts 1 KNOWN, 1 PASS</h3>" in render(known)
        only = msgspec.structs.replace(known, verdicts=known.verdicts[:1])
        assert "<h3>\u2705 of 1 verdicts 1 KNOWN</h3>" in render(only)
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
        announce(unknown("gpu-matmul"), {"GITHUB_ACTIONS": "true"}, said.append, ["gpu"])
        assert [decode(line)[0] for line in said] == ["warning"]

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
