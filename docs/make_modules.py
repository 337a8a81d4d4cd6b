"""`python docs/make_modules.py` writes docs/modules.md from the modules' own docstrings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PAGE = Path(__file__).parent / "modules.md"
PACKAGE = Path(__file__).parents[1] / "pytest_tfkernel"


def page() -> str:
    """The whole page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "# Modules"
    yield ""
    yield "This page is made by `python docs/make_modules.py` from the docstrings. How the rooms stand to each other is"
    yield "told in [architecture.md](architecture.md)."
    for room in _rooms():
        modules = sorted(path for path in room.glob("*.py") if path.name != "__init__.py")
        if not modules:
            continue
        yield ""
        yield f"## `{room.relative_to(PACKAGE.parent).as_posix()}/`"
        yield ""
        yield _first_sentence(room / "__init__.py")
        yield ""
        yield "| module | what it is |"
        yield "|---|---|"
        yield from (f"| `{path.stem}` | {_first_sentence(path)} |" for path in modules)
    yield ""


def _rooms() -> Iterator[Path]:
    """The package and all rooms below it, each before those within."""
    yield from sorted(path.parent for path in PACKAGE.rglob("__init__.py"))


def _first_sentence(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.partition("\n\n")[0].split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
