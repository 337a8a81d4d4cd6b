"""The marker `tfkernel_allow_leak`: what a test may leave behind, and why."""

from __future__ import annotations

import pytest

from pytest_tfkernel.gate.findings import Allowance
from pytest_tfkernel.gate.known import kind_of

MARKER = "tfkernel_allow_leak"
_USAGE = f'write it as {MARKER}("process", reason="...")'


class MarkerHooks:
    """Fails a test that is marked wrongly."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Say what is wrong, in a line."""
        # Not within the gate's own hook, which is outside of those of others that count on each other.
        try:
            _parse(item)
        except ValueError as error:
            wrong = str(error)
        else:
            return
        pytest.fail(wrong, pytrace=False)


def allowances(item: pytest.Item) -> frozenset[Allowance]:
    """What the markers of a test allow; nothing, if one of them is wrong."""
    try:
        return _parse(item)
    except ValueError:
        return frozenset()


def _parse(item: pytest.Item) -> frozenset[Allowance]:
    found = set()
    for node, marker in item.iter_markers_with_node(MARKER):
        reason = marker.kwargs.get("reason", "")
        wrong = sorted(set(marker.kwargs) - {"reason"})
        if wrong:
            raise ValueError(f"the marker {MARKER} takes no {wrong[0]!r}: {_USAGE}")
        if not marker.args:
            raise ValueError(f"the marker {MARKER} names no kind of leak: {_USAGE}")
        if not isinstance(reason, str) or not reason.strip():
            raise ValueError(f"the marker {MARKER} gives no reason: {_USAGE}")
        for name in marker.args:
            try:
                kind = kind_of(name)
            except ValueError as error:
                raise ValueError(f"the marker {MARKER} allows {error}") from None
            found.add(Allowance(node.nodeid, kind.value, reason))
    return frozenset(found)
