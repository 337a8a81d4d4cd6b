"""The attributes of the public dataclasses are written once, in the pages, and from the code."""

from __future__ import annotations

import dataclasses
import re

import pytest

import pytest_tfkernel
import stories
from pages import pages
from pytest_tfkernel import public

# Title of the table (`Reply` for the attributes of a Reply), its page, and the names in its first column.
TABLES = [
    (title, page.name, re.findall(r"`(\w+)`", "".join(re.findall(r"^\| ([^|]*) \|", rows, re.MULTILINE))))
    for page in pages()
    for title, rows in re.findall(r"^\| `(\w+)` \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", page.text, re.MULTILINE)
]
CLASSES = {
    name: tuple(field.name for field in dataclasses.fields(found))
    for name in public.NAMES
    if dataclasses.is_dataclass(found := getattr(pytest_tfkernel, name))
}
# Those that have one; of all others each attribute is named beside what has them.
WHOLE = ("Fault", "KernelSpec", "Outcome", "PostMortem", "Reply")


@pytest.mark.parametrize("name", WHOLE)
def test_a_table_has_all_attributes_in_their_order_and_is_the_only_one(name: str) -> None:
    ((page, attributes),) = [(page, found) for title, page, found in TABLES if title == name]
    assert (page, attributes) == (page, list(CLASSES[name]))


@pytest.mark.parametrize("name", sorted(CLASSES.keys() - set(WHOLE)))
def test_attributes_of_the_others_are_named(name: str) -> None:
    text = "".join(page.text for page in pages() if page.name in {"docs/kernels.md", "docs/faults.md"})
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`\n]+`", text))))
    assert set(CLASSES[name]) - words == set()


@pytest.mark.parametrize("cause", [*public.Cause, *public.Killer])
def test_each_cause_and_killer_is_named(cause: public.Cause | public.Killer) -> None:
    (page,) = [page for page in pages() if page.name == "docs/kernels.md"]
    assert f"`{cause.name}`" in page.text


# Where the answer is, and what nobody says a second time.
ONCE = {
    "the unit of a limit": ("docs/kernels.md", r"`memory_limit` \| none \| bytes"),
    "the Python of a call": ("docs/kernels.md", r"same minor version"),
    "what a returned tensor imports": ("docs/kernels.md", r"imports\s+TensorFlow into pytest"),
    "where a kernel starts": ("docs/kernels.md", r"pytest's root folder instead"),
    "what the options need": ("docs/suite.md", r"\| `--tfkernel-size=SIZE` \| `--tfkernel` \|"),
}


@pytest.mark.parametrize("what", ONCE)
def test_is_written_once(what: str) -> None:
    place, words = ONCE[what]
    assert [page.name for page in pages() for _ in re.findall(words, page.text)] == [place]


def test_the_death_that_the_page_shows_is_told_so() -> None:
    died = stories.dead(
        public.Cause.SIGNAL,
        public.Killer.SELF,
        signal=11,
        process=public.ProcessId(4211, 1),
        uptime=2.1,
        last_cell="import ctypes; ctypes.string_at(0)",
        stack="Fatal Python error: Segmentation fault\n...",
        stdout="",
    )
    (page,) = [page for page in pages() if page.name == "docs/kernels.md"]
    assert f"{died.describe()}\n" in page.samples()
