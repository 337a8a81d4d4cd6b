"""The changes that cosmic-ray makes to a module."""

from __future__ import annotations

import ast
import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass

# One of each pair. The others of cosmic-ray's (`==` becomes `<`, `<=`, `>`, `>=`, `is`, `is not`) find little that
# these don't, and take ten times as long.
OPERATORS = (
    *("AddNot", "ExceptionReplacer", "NumberReplacer", "RemoveDecorator", "ZeroIterationForLoop"),
    *("ReplaceAndWithOr", "ReplaceOrWithAnd", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak"),
    *(f"ReplaceUnaryOperator_{pair}" for pair in ("Delete_Not", "Delete_USub", "Delete_Invert")),
    *(
        f"ReplaceComparisonOperator_{pair}"
        for pair in ("Eq_NotEq", "NotEq_Eq", "Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt")
    ),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("GtE_Lt", "Is_IsNot", "IsNot_Is")),
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Div")),
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("Mod_Mul", "Pow_Mul", "BitOr_BitAnd", "BitAnd_BitOr")),
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("LShift_RShift", "RShift_LShift")),
)


@dataclass(frozen=True)
class Mutant:
    """One change of a module, whose path is within the package; `was` and `becomes` are the lines that differ."""

    module: str
    operator: str
    line: int
    was: str
    becomes: str
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it in the file."""
        return self.module, self.was, self.becomes


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """All changes of a module that mean something."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    meaning = without_annotations(source)
    for name in OPERATORS:
        for number in range(sys.maxsize):
            try:
                changed = mutate_code(source, get_operator(f"core/{name}")(), number)
            except AttributeError:
                continue  # ExceptionReplacer knows no `except module.Error`
            if changed is None:
                break
            # What doesn't compile is noticed by whoever imports it, and isn't counted.
            with contextlib.suppress(SyntaxError):
                if without_annotations(changed) != meaning:
                    yield Mutant(module, name, *difference(source, changed), changed)


def without_annotations(source: str) -> str:
    """What a module means, as text. Annotations are never evaluated, but by msgspec those of its types."""
    tree = ast.parse(source)
    keeps_fields = any(
        isinstance(one, ast.Import | ast.ImportFrom) and "msgspec" in ast.dump(one) for one in ast.walk(tree)
    )
    for one in ast.walk(tree):
        if isinstance(one, ast.arg):
            one.annotation = None
        elif isinstance(one, ast.FunctionDef):
            one.returns = None
        elif isinstance(one, ast.arguments):
            # A lone star isn't a product that could become a quotient.
            one.args = [*one.posonlyargs, *one.args, *one.kwonlyargs]
            one.defaults = [*one.defaults, *filter(None, one.kw_defaults)]
            one.posonlyargs, one.kwonlyargs, one.kw_defaults = [], [], []
        elif isinstance(one, ast.AnnAssign) and not keeps_fields:
            one.annotation = ast.Constant(None)
    return ast.dump(tree)


def difference(before: str, after: str) -> tuple[int, str, str]:
    """The number of the first line that differs, and those that differ in both, without what surrounds them."""
    old, new = before.splitlines(), after.splitlines()
    first = 0
    while first < min(len(old), len(new)) and old[first] == new[first]:
        first += 1
    last = 0
    while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    was, becomes = (" ".join(" ".join(part[first : len(part) - last]).split()) for part in (old, new))
    return first + 1, was, becomes
