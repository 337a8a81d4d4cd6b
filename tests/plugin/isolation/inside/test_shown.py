"""A representation that would lose its looks on its way is shown beforehand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation.inside.shown import shown


class Looks:
    def toterminal(self, writer: Any) -> None:
        writer.line("words", red=True)

    def __str__(self) -> str:
        return "words"


def report(longrepr: object) -> Any:
    return SimpleNamespace(longrepr=longrepr)


def config(writer: object) -> Any:
    manager = SimpleNamespace(get_plugin={"terminalreporter": writer}.get)
    return SimpleNamespace(pluginmanager=manager, get_terminal_writer=lambda: writer)


@pytest.mark.parametrize(("hasmarkup", "text"), [(False, "words\n"), (True, "\x1b[31mwords\x1b[0m\n")])
def test_it_has_the_colours_of_the_terminal(hasmarkup: bool, text: str, pytestconfig: pytest.Config) -> None:
    # Such as the one of this session, which other tests need as it is.
    like = type(pytestconfig.get_terminal_writer())()
    like.hasmarkup = hasmarkup
    assert shown(config(like), report(Looks()), {"longrepr": "words"}) == text


def test_without_a_terminal_it_is_its_text() -> None:
    assert shown(config(None), report(Looks()), {"longrepr": "words"}) == "words\n"


@pytest.mark.parametrize(
    ("longrepr", "data"), [("text", "text"), (("a.py", 1, "why"), ["a.py", 1, "why"]), (None, None), (Looks(), {})]
)
def test_what_pytest_carries_is_left_to_it(longrepr: object, data: object) -> None:
    assert shown(config(None), report(longrepr), {"longrepr": data}) is None
