"""Changes of functions that are imported already: what is fastest, where nothing but their code differs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import CodeType, FunctionType

Swap = tuple[CodeType, CodeType]


def swaps(before: str, after: str, path: str) -> list[Swap] | None:
    """The code objects that differ, old and new; None where what runs at the import differs."""
    old, new = (compile(source, path, "exec", dont_inherit=True) for source in (before, after))
    return None if _own(old) != _own(new) else list(_differing(old, new))


def _differing(old: CodeType, new: CodeType) -> Iterator[Swap]:
    for one, other in zip(_inner(old), _inner(new), strict=True):
        if _own(one) != _own(other):
            yield one, other
        elif _inner(one) != _inner(other):
            # A function is given as a whole; a class isn't one.
            if one.co_flags & _OPTIMIZED:
                yield one, other
            yield from _differing(one, other)


# Of functions, not of modules and classes.
_OPTIMIZED = 1


def _own(code: CodeType) -> tuple[object, ...]:
    """What a code object is, without those in it."""
    constants = tuple(repr(one) for one in code.co_consts if not isinstance(one, CodeType))
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, constants, len(_inner(code))


def _inner(code: CodeType) -> list[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]


def apply(found: list[Swap]) -> bool:
    """Give the functions of this process their new code; False where one has none to be given, or can't have it."""
    wanted = {(old.co_filename, old.co_name, old.co_firstlineno): new for old, new in found}
    done = set()
    for one in gc.get_objects():
        if type(one) is FunctionType:
            key = one.__code__.co_filename, one.__code__.co_name, one.__code__.co_firstlineno
            if key in wanted:
                if len(one.__code__.co_freevars) != len(wanted[key].co_freevars):
                    return False
                one.__code__ = wanted[key]
                done.add(key)
    return bool(done)
