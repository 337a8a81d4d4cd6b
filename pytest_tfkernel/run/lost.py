"""Which cell makes a name that another one needs, as the text of cells says it."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

_UNDEFINED = re.compile(r"name '(?P<name>[^']+)' is not defined")


def missing_name(kind: str, message: str) -> str | None:
    """The name that an error says isn't there."""
    found = _UNDEFINED.search(message) if kind.rpartition(".")[2] == "NameError" else None
    return found["name"] if found is not None else None


def maker_of(name: str, cells: Sequence[str], before: int) -> int | None:
    """The number of the last cell before that one which binds a name; None where none does."""
    for number in range(before - 1, 0, -1):
        if name in bound(cells[number - 1]):
            return number
    return None


def bound(cell: str) -> set[str]:
    """The names that a cell binds at its top level, loops and conditions included; none of one that isn't Python."""
    lines = ("" if line.lstrip().startswith(("%", "!")) else line for line in cell.splitlines())
    try:
        tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError):
        return set()
    found: set[str] = set()
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            continue
        if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name.partition(".")[0])
        waiting += ast.iter_child_nodes(node)
    return found
