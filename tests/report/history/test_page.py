"""The page of a history."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec

import documents
from histories import history
from pytest_tfkernel.model.trials import State
from pytest_tfkernel.report.history.page import render
from pytest_tfkernel.report.history.reading import documents_in, read

RUN = documents.document(3)
FAILED = documents.with_verdict(RUN, 1, verdict="FAIL", reason="it is gone")


class Page(HTMLParser):
    """All ids, all links, all that would load something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.styles: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids += [given["id"]] if "id" in given else []
        self.styles += [given["style"]] if "style" in given else []
        if tag == "a":
            self.links.append(given["href"])
        self.loads += [value for name, value in given.items() if name in {"src", "srcset", "data"}]
        self.loads += [given["href"]] if tag == "link" else []
        self.loads += [tag] if tag in {"script", "iframe", "object", "embed", "form"} else []


def test_page_has_the_table_the_plots_and_the_runs(tmp_path: Path) -> None:
    text = render(history(tmp_path, RUN, FAILED, RUN))
    assert "<title>3 runs, 2026-01-01 to 2026-01-03: 1 of 2 guarantees and none of 3 tests changed" in text
    assert re.findall(r'<span class="(\w+)" title="[^"]*">(.)</span>', text) == [
        ("PASS", "P"),
        ("FAIL", "F"),
        ("PASS", "P"),
    ]
    assert 'title="2026-01-02, 2.21.0, Python 3.11.7: FAIL 1 of 3"' in text
    assert "restart, forkserver</figcaption>" in text
    assert "changed in 2 runs, last in run 3" in text
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_nothing_is_loaded_and_nothing_runs(tmp_path: Path) -> None:
    page = Page(render(history(tmp_path, RUN, FAILED)))
    assert page.loads == ["data:,"]
    assert page.styles == []


def test_every_state_has_a_look(tmp_path: Path) -> None:
    text = render(history(tmp_path, RUN))
    assert [state.value for state in State if f".{state.value} {{" not in text] == []


def test_what_documents_say_is_text(tmp_path: Path) -> None:
    odd = "<script>alert(1)</script>\x1b[31m\ud800\u202e"
    failed = documents.with_test(RUN, 0, item=f"test_odd.py::{odd}", outcome="failed", error_message=odd)
    failed = msgspec.structs.replace(
        failed,
        environment=msgspec.structs.replace(failed.environment, kernels=[documents.kernel("2.21.0<b>")]),
    )
    text = render(history(tmp_path, failed, documents.with_test(failed, 0, outcome="passed")))
    assert "<script>" not in text
    assert "2.21.0<b>" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    text.encode()


def test_a_page_of_many_runs_and_tests_stays_one_that_a_browser_opens(tmp_path: Path) -> None:
    run = documents.document(0, tests=2_500)
    failed = msgspec.structs.replace(run, tests=[msgspec.structs.replace(one, outcome="failed") for one in run.tests])
    text = render(history(tmp_path, *([run, failed] * 10)))
    assert len(text.encode()) < 5_000_000
    assert "… and 500 rows more" in text


def test_documents_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}")
    history(tmp_path, RUN)
    assert "bad.json is not a run document" in render(read(documents_in(tmp_path)))
