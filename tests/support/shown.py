"""How each command of the pages is shown to be right: the table `tests/docs/commands.toml`, and what contradicts it."""

from __future__ import annotations

import ast
import re
import shlex
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec

from grammar import OURS, Grammar, options_of_ours
from pages import ROOT, Command, Page

FILE = Path(__file__).parents[1] / "docs/commands.toml"
_Some = Annotated[list[str], msgspec.Meta(min_length=1)]
_Text = Annotated[str, msgspec.Meta(min_length=1)]
# Where the options of each command of ours stand.
PAGES = {
    "compare": "docs/compare.md",
    "deaths": "docs/kernel-died.md",
    "doctor": "docs/runners.md",
    "explain": "docs/suite.md",
    "gpu-report": "docs/gpu.md",
    "history": "docs/history.md",
    "list": "docs/suite.md",
    "page": "docs/page.md",
    "run": "docs/run.md",
    "upgrade": "docs/upgrades.md",
}


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all rows have."""

    commands: _Some


class Run(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """See the table."""

    place: _Text
    code: int = 0
    says: list[str] = []
    makes: list[str] = []
    more: list[str] = []
    instead: dict[str, str] = {}

    def typed(self, command: str) -> str:
        """The command as it is typed here."""
        for word, other in self.instead.items():
            assert word in command, f"{command!r} has no {word!r}: mend `instead` in {FILE.name}"
            command = command.replace(word, other)
        return " ".join([command, *self.more])


class Elsewhere(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """See the table."""

    test: str = ""
    job: str = ""
    words: list[str] = []


class Parsed(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """See the table."""

    why: _Text


class Form(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """See the table."""


class Named(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """See the table."""

    why: _Text


class Others(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """See the table."""

    options: _Some
    of: _Text


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it."""

    run: list[Run]
    elsewhere: list[Elsewhere]
    parsed: list[Parsed]
    form: list[Form]
    named: list[Named]
    others: list[Others]

    @property
    def rows(self) -> list[Row]:
        return [*self.run, *self.elsewhere, *self.parsed, *self.form, *self.named]


@cache
def table() -> Table:
    """That of the repository."""
    return msgspec.toml.decode(FILE.read_text(encoding="utf-8"), type=Table)


def of_commands(pages: Sequence[Page], table: Table, grammar: Grammar) -> Iterator[str]:
    """What is wrong with the commands of these pages, or with the rows, and what to do about it."""
    found: dict[str, Command] = {}
    for page in pages:
        yield from _of_scripts(page)
        for command in page.commands():
            found.setdefault(command.text, command)
    rows = [(text, row) for row in table.rows for text in row.commands]
    known = dict(rows)
    for text, command in found.items():
        if text not in known:
            yield (
                f"{command}: no test shows this command: add it to tests/docs/{FILE.name},"
                " which says in its first lines how"
            )
        if complaint := _complaint(text, known.get(text), grammar):
            yield f"{command}: {complaint}"
    yield from _of_rows(rows, found)


def _of_scripts(page: Page) -> Iterator[str]:
    for line, test in page.scripts():
        if test is None or not (ROOT / test).is_file():
            yield f"{page.name}:{line}: no test runs this script: name it above, `<!-- run by tests/FILE.py: NAME -->`"


def _of_rows(rows: Sequence[tuple[str, Row]], found: Container[str]) -> Iterator[str]:
    for text, count in Counter(text for text, _ in rows).items():
        if count > 1:
            yield f"{FILE.name}: {text!r} stands there {count} times: once is enough"
    for text, row in rows:
        if text not in found:
            yield f"{FILE.name}: no page has {text!r}: write it as the page does, or remove it"
        if isinstance(row, Elsewhere) and (complaint := _missing(text, row)):
            yield f"{FILE.name}: {text!r}: {complaint}"


def of_options(pages: Sequence[Page], table: Table, grammar: Grammar) -> Iterator[str]:
    """Options that stand on a page and don't exist, and those of ours that stand on none."""
    ours = options_of_ours()
    others = {option for row in table.others for option in row.options}
    known = grammar.of_pytest.union(others, *ours.values())
    for page in pages:
        for option in sorted(page.options() - known):
            yield f"{page.name}: there is no option {option}; one of somebody else goes to `others` in {FILE.name}"
    named = {page.name: page.options() for page in pages}
    everywhere: set[str] = set().union(*named.values())
    for option in sorted(others - everywhere):
        yield f"{FILE.name}: no page has {option}: remove it"
    for option in sorted(one for one in grammar.of_pytest if re.fullmatch(r"--tfkernel[a-z-]*", one)):
        if option not in everywhere:
            yield f"no page tells of {option}: docs/suite.md is for all of them that have no other page"
    for command, options in ours.items():
        place = PAGES.get(command, f"(no page, which PAGES in tests/support/{Path(__file__).name} names)")
        for option in sorted(options - named.get(place, set())):
            yield f"{place} tells nothing of {option}, which {OURS} {command} has"


def _complaint(text: str, row: Row | None, grammar: Grammar) -> str:
    if isinstance(row, Named):
        return ""
    if isinstance(row, Form):
        words = shlex.split(text.replace("python -I -m pytest_tfkernel", OURS))[:2]
        return grammar.complaint(shlex.join([*words, "--help"]))
    return grammar.complaint(text)


def _missing(text: str, row: Elsewhere) -> str:
    """What of the command doesn't stand where the row says that it is run."""
    if bool(row.test) == bool(row.job):
        return "`test` or `job` says where it is run"
    source = _test(row.test) if row.test else _job(row.job)
    if source is None:
        return f"there is no {row.test or row.job}"
    if row.job:
        wanted = row.words or shlex.split(text)
        if any(all(word in line for word in wanted) for line in source.splitlines()):
            return ""
        return f"no line of that job has all of: {' '.join(wanted)}"
    # A value may be another one there.
    wanted = row.words or [word.partition("=")[0] for word in shlex.split(text) if word.startswith("--")]
    absent = [word for word in wanted if word not in source]
    return (
        f"that test says nothing of {', '.join(absent)}"
        if absent
        else ""
        if wanted
        else "`words` says what is the same"
    )


@cache
def _test(node: str) -> str | None:
    """The source of a test, with all in its file that is no test."""
    path, *names = node.split("::")
    if not (ROOT / path).is_file():
        return None
    text = (ROOT / path).read_text(encoding="utf-8")
    if not names:
        return text
    body, found = ast.parse(text).body, list[ast.stmt]()
    for name in names:
        same = [one for one in body if isinstance(one, ast.FunctionDef | ast.ClassDef) and one.name == name]
        found += [one for one in body if not getattr(one, "name", "").lower().startswith("test")]
        if not same:
            return None
        body = same[0].body
    return "\n".join(_source(text, part) for part in [*found, same[0]])


def _source(text: str, node: ast.stmt) -> str:
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno])


@cache
def _job(place: str) -> str | None:
    """The text of a job, `ci.yml: suite`."""
    file, _, name = place.partition(": ")
    path = ROOT / ".github/workflows" / file
    if not path.is_file():
        return None
    return dict(_jobs(path.read_text(encoding="utf-8"))).get(name)


def _jobs(text: str) -> Iterator[tuple[str, str]]:
    jobs = text.partition("\njobs:\n")[2]
    for match in re.finditer(r"^  ([\w-]+):\n((?:    .*\n|\s*\n)*)", jobs, re.MULTILINE):
        yield match[1], re.sub(r"\\\n\s*", " ", match[2])
