"""Our wrappers in the traceback of what a test has raised: a plain run has none of them there."""

from __future__ import annotations

from types import TracebackType

import pytest

_OURS = __name__.partition(".")[0] + "."


def leave_out(call: pytest.CallInfo[None]) -> None:
    """Take them out of the error of a phase, and of all that it came of."""
    pending = [call.excinfo.value] if call.excinfo is not None else []
    seen: set[int] = set()
    while pending:
        error = pending.pop()
        if id(error) in seen:
            continue
        seen.add(id(error))
        _leave_out(error.__traceback__)
        pending += [one for one in (error.__cause__, error.__context__) if one is not None]
        # Those of a group, which Python 3.10 has from a package.
        members = getattr(error, "exceptions", ())
        pending += [one for one in members if isinstance(one, BaseException)] if isinstance(members, tuple) else []


def _leave_out(before: TracebackType | None) -> None:
    # Whoever calls hooks stands before a wrapper, and again behind it, as the same frame.
    while before is not None and (calls := before.tb_next) is not None:
        behind = calls.tb_next
        while behind is not None and _is_ours(behind):
            behind = behind.tb_next
        if behind is not calls.tb_next and behind is not None and behind.tb_frame is calls.tb_frame:
            before.tb_next = behind
        else:
            before = calls


def _is_ours(entry: TracebackType) -> bool:
    return str(entry.tb_frame.f_globals.get("__name__")).startswith(_OURS)
