"""A defect of TensorFlow that is listed as known, as it rides on a verdict."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Defect:
    """What a table says of it: its `id`, the `reason` why it is excused, where it is `described`, and which `table`.

    `always`: it is seen in each try; otherwise it may hold, and nothing follows.
    """

    id: str
    reason: str
    described: str = ""
    table: str = ""
    always: bool = False

    def __str__(self) -> str:
        return f"{self.reason} ({self.described})" if self.described else self.reason


def is_mended(state: str, defect: Defect | None) -> bool:
    """Whether a verdict of this state says that what is listed for it as always seen isn't there any more."""
    return state == "PASS" and defect is not None and defect.always


def told(state: str, defect: Defect | None) -> str:
    """What a verdict of this state has to add of the defect that it has; empty where that is nothing."""
    if defect is None:
        return ""
    if is_mended(state, defect):
        return f"mended: {defect.id} is listed as always seen, and wasn't: update the table ({defect.table})"
    return f"known: {defect}" if state == "KNOWN" else ""
