"""Which cell makes a name."""

from __future__ import annotations

import pytest

from pytest_tfkernel.run.lost import bound, maker_of, missing_name


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("x = 1\ny, (z, *w) = a", {"x", "y", "z", "w"}),
        ("import a.b, c as d\nfrom e import f as g, h", {"a", "d", "g", "h"}),
        ("def f(x):\n    inner = 1\nclass C:\n    part = 1", {"f", "C"}),
        ("if a:\n    x = 1\nfor i in b: pass\nwith c as d: pass", {"x", "i", "d"}),
        ("[n for n in a]\nlambda q: q\n(m := 1)", {"m"}),
        ("%matplotlib inline\n!ls\nx = 1", {"x"}),
        ("x = = 1", set()),
        ("print(x); x.y = 1; x[0] = 2", set()),
        ("", set()),
    ],
)
def test_names_that_a_cell_binds(cell: str, names: set[str]) -> None:
    assert bound(cell) == names


def test_the_last_cell_before_it_that_makes_a_name() -> None:
    cells = ["x = 1", "x = 2", "y = x", "x = 3"]
    assert maker_of("x", cells, 4) == 2
    assert maker_of("x", cells, 2) == 1
    assert maker_of("z", cells, 4) is None


@pytest.mark.parametrize(
    ("kind", "message", "name"),
    [
        ("NameError", "name 'x' is not defined", "x"),
        ("builtins.NameError", "name 'x' is not defined. Did you mean: 'y'?", "x"),
        ("ValueError", "name 'x' is not defined", None),
        ("NameError", "something else", None),
    ],
)
def test_the_name_that_an_error_misses(kind: str, message: str, name: str | None) -> None:
    assert missing_name(kind, message) == name
