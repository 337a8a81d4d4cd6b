"""What a phase of a test has raised, in words, on its report: made where the test ran, in whichever process that is."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

# Two texts, which go along through pytest-xdist and from a test's own process as they are.
_ATTRIBUTE = "tfkernel_raised"
LONGEST = 2000


class RaisedHooks:
    """The hook that puts it there."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Of a phase that has failed."""
        report = yield
        note(report, call)
        return report


def note(report: pytest.TestReport, call: pytest.CallInfo[Any]) -> None:
    """Put the class and the message of what made this phase fail on its report."""
    if call.excinfo is not None and report.failed:
        kind = call.excinfo.type
        name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        setattr(report, _ATTRIBUTE, [_plain(name), _plain(_message(call.excinfo.value))])


def noted(report: object) -> tuple[str, str] | None:
    """Class and message, if they are on this report."""
    found = getattr(report, _ATTRIBUTE, None)
    if isinstance(found, list) and len(found) == 2 and all(isinstance(one, str) for one in found):  # noqa: PLR2004
        return found[0][:LONGEST], found[1][:LONGEST]
    return None


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as broken:  # noqa: BLE001 - whatever its class makes of it, as pytest has it
        return f"<its message can't be had: {type(broken).__name__}>"


def _plain(text: str) -> str:
    """Cut, and with escapes for lone surrogates, which pytest-xdist can't carry."""
    return text[:LONGEST].encode("utf-8", "backslashreplace").decode()[:LONGEST]
