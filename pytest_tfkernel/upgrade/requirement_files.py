"""Files of requirements, and what they name in turn: all of that decides what is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# As pip has them; a file is looked for beside the one that names it, a project where pip runs.
_FILE = re.compile(r"(?:-r|-c|--requirement|--constraint)(?:\s*=\s*|\s*)(?P<path>[^\s=].*)")
_PROJECT = re.compile(r"(?:-e|--editable)(?:\s*=\s*|\s*)(?P<path>[^\s=\[][^\[]*)(?:\[.*)?")
_DECLARED = ("pyproject.toml", "setup.py", "setup.cfg")


@dataclass(frozen=True)
class RequirementLine:
    """One requirement, and where it stands."""

    text: str
    path: Path
    number: int


def files(path: Path) -> list[Path]:
    """The file, and those that it names in turn, each once, that can be read."""
    return [*dict.fromkeys(_named(path, set()))]


def lines(path: Path) -> Iterator[RequirementLine]:
    """What they ask for."""
    for one in files(path):
        for number, text in _lines(one):
            if not text.startswith("-"):
                yield RequirementLine(text, one, number)


def declared(project: Path) -> list[Path]:
    """What of a project says what it needs."""
    return [project / name for name in _DECLARED if (project / name).exists()]


def _named(path: Path, seen: set[Path]) -> Iterator[Path]:
    if path in seen or not path.is_file():
        return
    seen.add(path)
    yield path
    for _, text in _lines(path):
        if "://" in text:
            continue
        if found := _FILE.fullmatch(text):
            yield from _named(path.parent / found["path"].strip(), seen)
        elif found := _PROJECT.fullmatch(text):
            yield from declared(Path(found["path"].strip()).absolute())


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    if path.name in _DECLARED:
        return
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for number, line in enumerate(text.splitlines(), 1):
        requirement = re.sub(r"(^|\s+)#.*$", "", line).strip()
        if requirement:
            yield number, requirement
