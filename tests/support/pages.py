"""What the pages name: commands, and options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
# What a command begins with, after variables of its environment and the folder of its program.
PROGRAMS = (
    "actionlint", "apt-get", "bash", "coverage", "docker", "git", "jupyter", "lint-imports", "mypy", "pip", "pytest",
    "pytest-tfkernel", "ruff", "sh", "spyder", "tox", "towncrier", "uv",
)  # fmt: skip
# Of blocks in these languages each line is a command; of other ones, those that are all made of commands.
_SHELLS = {"sh", "bash"}
_TEXTS = {"", "console", "text"}
_PROGRAM = rf"(?:[\w.-]*/)*(?:python[\d.]*|{'|'.join(map(re.escape, PROGRAMS))})"
_COMMAND = re.compile(rf"(?:[A-Z_]+=\S* )*(?:{_PROGRAM}|\.{{0,2}}/?\.ci/\w+|\./\S+)(?: |$)")
_PROMPT = "$ "
_STEP = re.compile(r"^ *(?:- )?run: (.+)$", re.MULTILINE)
_SCRIPT = re.compile(r"^(?:<!-- run by (\S+): [\w-]+ -->\n)?```(?:sh|bash)\n#!", re.MULTILINE)
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]")


@dataclass(frozen=True)
class Command:
    """As it is typed, in one line and without its comment. `line` is that of its block."""

    text: str
    page: str
    line: int

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


@dataclass(frozen=True)
class Page:
    """A page, by its path in the repository."""

    name: str
    text: str

    def commands(self) -> list[Command]:
        """All of them: in blocks, in steps of workflows, and inline, where a single word is a name of a program."""
        return [Command(text, self.name, line) for line, text in self._commands()]

    def options(self) -> set[str]:
        """Words in code that begin with two hyphens, without their values."""
        return {option for _, _, code in _code(self.text) for option in _OPTION.findall(code)}

    def scripts(self) -> list[tuple[int, str | None]]:
        """The line of each block that is a script, and the file of tests that it names above itself."""
        return [(self.text[: one.start()].count("\n") + 1, one[1]) for one in _SCRIPT.finditer(self.text)]

    def samples(self) -> list[str]:
        """Blocks that are no commands, and in no language."""
        return [code for _, language, code in _code(self.text) if language in _TEXTS and not _in_block(language, code)]

    def _commands(self) -> Iterator[tuple[int, str]]:
        for line, language, code in _code(self.text):
            if language == "inline":
                yield from ((line, code) for _ in range(" " in code and _begins(code)))
            else:
                yield from ((line, one) for one in _in_block(language, code))


@cache
def pages() -> tuple[Page, ...]:
    """Those of the repository."""
    paths = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    paths.append(ROOT / "reference/README.md")
    return tuple(Page(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths)


@cache
def _code(text: str) -> tuple[tuple[int, str, str], ...]:
    """Each piece of code with its line and its language, which is `inline` of what stands in a sentence."""
    found = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        line = token.map[0] + 1 if token.map else 0
        if token.type in {"fence", "code_block"}:
            found.append((line, token.info.strip(), token.content))
        inline = (child.content for child in token.children or () if child.type == "code_inline")
        found += [(line, "inline", " ".join(code.split())) for code in inline]
    return tuple(found)


def _begins(line: str) -> bool:
    return _COMMAND.match(line) is not None


def _in_block(language: str, code: str) -> list[str]:
    if language == "yaml":
        return [_plain(step) for step in _STEP.findall(code)]
    # A script is run as a whole, and says by which test.
    if language not in _SHELLS | _TEXTS or code.startswith("#!"):
        return []
    lines = [line for line in map(_plain, re.sub(r"\\\n\s*", " ", code).splitlines()) if line]
    if language in _SHELLS or all(map(_begins, lines)):
        return lines
    return [line.removeprefix(_PROMPT) for line in lines if line.startswith(_PROMPT)]


def _plain(line: str) -> str:
    return " ".join(re.sub(r"(?:^|\s)#\s.*$", "", line).split())
