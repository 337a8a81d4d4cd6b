"""The page of a run: whatever was printed is text there, and nothing else."""

from __future__ import annotations

from html.parser import HTMLParser

from pytest_tfkernel.model.processes import Cause, Killer
from pytest_tfkernel.run import page
from pytest_tfkernel.run.memory import Limit, MemoryLine
from stories import MEMORY, dead, story


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def _read(text: str) -> _Tags:
    tags = _Tags()
    tags.feed(text)
    return tags


def test_what_was_printed_is_text() -> None:
    evil = "<script>alert(1)</script>\x1b[0m\ud800"
    found = story(dead(Cause.SIGNAL, Killer.SELF, signal=11, stdout=evil, last_cell=evil), name=evil, cell=1)
    text = page.render(found)
    tags = _read(text)
    assert "script" not in tags.tags
    assert "<script>alert(1)</script>" in tags.words
    assert "\x1b" not in text
    text.encode()


def test_the_picture_shows_the_limit_where_it_is_near() -> None:
    assert "limit 64 MiB" in page.picture(MEMORY)
    assert "limit" not in page.picture(MemoryLine(MEMORY.samples, MEMORY.peak, Limit(1 << 40, "this machine")))
    assert "<svg" in page.picture(MemoryLine((), 0, None))


def test_a_good_end_has_a_page_too() -> None:
    assert "train.py ended with exit code 0" in _read(page.render(story(dead(Cause.EXIT, Killer.SELF, code=0)))).words
