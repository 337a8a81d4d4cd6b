"""A name means one thing: no two classes of the package bear the same one."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import pytest_tfkernel

PACKAGE = Path(pytest_tfkernel.__file__).parent

# Names that several modules give to one thing, and why it is one.
SHARED = {
    "Death": (
        "the supervisor tells of it, a run document keeps it",
        {"processes.postmortems.deaths", "report.document"},
    ),
    "Kernel": (
        "a living one, and what a run document and its schema keep of those of one interpreter",
        {"kernels.kernel", "report.document"},
    ),
    "Leak": ("found by the audit, kept in a run document", {"model.resources", "report.document"}),
    "Message": ("the same frames on both sides of a channel", {"_child.frames", "processes.wire"}),
    "Moment": ("reached in a trial, kept in a run document", {"model.trials", "report.document"}),
    "Setting": ("what a trial is about, kept in a run document", {"model.trials", "report.document"}),
    "Supervisor": ("the process, and what pytest has of it", {"_child.supervisor", "processes.supervisor"}),
    "Verdict": ("given by a judge, kept in a run document", {"model.trials", "report.document"}),
    "_Head": ("how each file of ours begins", {"gpu_report.writing", "report.store"}),
    "_Kept": (
        "functions as they were before a test could replace them",
        {"_child.system", "gate.addresses", "gate.leases", "gate.threads"},
    ),
    "_Key": ("pid and start time", {"_child.ending", "_child.kin"}),
}


def _names(source: str) -> Iterator[str]:
    """Classes wherever they are, and what stands for a type at the top of a module."""
    tree = ast.parse(source)
    yield from (node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name) and not target.id.isupper() and target.id.lstrip("_")[:1].isupper():
                yield target.id


def _modules() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield ".".join(path.relative_to(PACKAGE).with_suffix("").parts), path.read_text(encoding="utf-8")


def _shared(modules: Iterator[tuple[str, str]]) -> dict[str, set[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for module, source in modules:
        for name in _names(source):
            found[name].append(module)
    return {name: set(places) for name, places in found.items() if len(places) > 1}


def test_no_name_means_two_things() -> None:
    assert _shared(_modules()) == {name: places for name, (_, places) in SHARED.items()}, (
        "give the class another name, or say above why both are one thing"
    )


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("class Watch: ...", "class Watch: ..."),
        ("class Watch: ...", "Watch = tuple[int, int]"),
        ("class Watch: ...", "Watch: TypeAlias = int"),
        ("class Watch: ...", "def watch():\n    class Watch: ..."),
        ("class Watch: ...\nclass Watch: ...", ""),
    ],
)
def test_a_second_one_is_found(one: str, two: str) -> None:
    assert set(_shared(iter((("one", one), ("two", two))))) == {"Watch"}


def test_functions_and_constants_may_share_theirs() -> None:
    same = "WATCH = 1\nwatch = 2\ndef watch(): ..."
    assert _shared(iter((("one", same), ("two", same)))) == {}
