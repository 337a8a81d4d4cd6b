"""`tox -e mutants`: what it says of survivors, and how it swaps code. Nothing of cosmic-ray's is called here."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / ".ci/mutants"


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    monkeypatch.syspath_prepend(str(FOLDER))
    names = ("changes", "swaps", "runs")
    found = {name: importlib.import_module(name) for name in names}
    specification = importlib.util.spec_from_file_location("mutants_main", FOLDER / "__main__.py")
    assert specification is not None
    assert specification.loader is not None
    found["main"] = importlib.util.module_from_spec(specification)
    # Where its dataclass looks for what its annotations mean.
    sys.modules["mutants_main"] = found["main"]
    specification.loader.exec_module(found["main"])
    yield found
    for name in (*names, "mutants_main"):
        del sys.modules[name]


def test_what_differs_is_told_without_what_surrounds_it(scripts: dict[str, ModuleType]) -> None:
    before = "a = 1\nif (\n    b\n    == c\n):\n    pass\n"
    assert scripts["changes"].difference(before, before.replace("== c", "!= c")) == (4, "== c", "!= c")


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ("def f(a: int | None) -> int | None: ...", "def f(a: int & None) -> int + None: ...", True),
        ("def f(a, *, b=1): ...", "def f(a, /, b=1): ...", True),
        ("a: int | None = 1", "a: int & None = 1", True),
        ("import msgspec\na: int | None = 1", "import msgspec\na: int & None = 1", False),
        ("a = b | c", "a = b & c", False),
        ("def f(a=1): ...", "def f(a=2): ...", False),
    ],
)
def test_annotations_mean_nothing_but_to_msgspec(
    scripts: dict[str, ModuleType], before: str, after: str, *, is_same: bool
) -> None:
    changes = scripts["changes"]
    assert (changes.without_annotations(before) == changes.without_annotations(after)) is is_same


def test_a_survivor_is_wrong_unless_the_file_tells_of_it(scripts: dict[str, ModuleType]) -> None:
    main, mutant = scripts["main"], scripts["changes"].Mutant("a.py", "AddNot", 7, "if b:", "if not b:", "")
    room = main.Room("a", ("a.py",), ())
    (line,) = main.verdict(room, [mutant], 100, {})
    assert line.split("\n") == [
        "survived, by AddNot:",
        "    a.py:7",
        "    was:     if b:",
        "    becomes: if not b:",
    ]
    assert list(main.verdict(room, [mutant], 100, {mutant.key: "a reason"})) == []


@pytest.mark.parametrize(("count", "is_wrong"), [(20, False), (19, True)])
def test_one_in_twenty_may_survive(scripts: dict[str, ModuleType], count: int, *, is_wrong: bool) -> None:
    main, mutant = scripts["main"], scripts["changes"].Mutant("a.py", "AddNot", 7, "if b:", "if not b:", "")
    found = list(main.verdict(main.Room("a", ("a.py",), ()), [mutant], count, {mutant.key: "a reason"}))
    assert found == (["5.3 % of a survived; at most 5 % may"] if is_wrong else [])


def test_what_is_noticed_by_now_is_told_of_its_own_room_only(scripts: dict[str, ModuleType]) -> None:
    main = scripts["main"]
    listed = {("a.py", "if b:", "if not b:"): "a reason", ("c.py", "if b:", "if not b:"): "another"}
    (line,) = main.news(main.Room("a", ("a.py",), ()), [], listed)
    assert line.startswith("no survivor any more, remove it from tests/mutants.toml:\n    a.py\n")


def test_the_code_of_a_function_is_swapped_wherever_it_is(scripts: dict[str, ModuleType]) -> None:
    swaps = scripts["swaps"]
    before = "def f(a):\n    return a + 1\n\nclass C:\n    def g(self):\n        return [f(1) for _ in (1, 2)]\n"
    space: dict[str, object] = {}
    exec(compile(before, "made.py", "exec"), space)
    kept = [space["f"]]
    found = swaps.swaps(before, before.replace("a + 1", "a - 1"), "made.py")
    assert [old.co_name for old, _ in found] == ["f"]
    assert swaps.apply(found)
    assert kept[0](3) == 2  # type: ignore[operator]
    assert space["C"]().g() == [0, 0]  # type: ignore[operator]


@pytest.mark.parametrize("after", ["A = 2\ndef f(a=1): return a", "A = 1\ndef f(a=2): return a"])
def test_what_runs_at_the_import_is_no_swap(scripts: dict[str, ModuleType], after: str) -> None:
    assert scripts["swaps"].swaps("A = 1\ndef f(a=1): return a", after, "made.py") is None
