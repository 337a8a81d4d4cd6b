"""What processes of tests are told of how pytest presents its session."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation import presenting

KEY: pytest.StashKey[object] = pytest.StashKey()


def config(**plugins: object) -> Any:
    return SimpleNamespace(pluginmanager=SimpleNamespace(get_plugin=plugins.get), stash=pytest.Stash())


@pytest.mark.parametrize(
    ("reporter", "options"),
    [
        (None, {}),
        (SimpleNamespace(hasmarkup=False), {}),
        (SimpleNamespace(hasmarkup=True), {"color": "yes"}),
    ],
)
def test_colours_are_those_of_the_terminal(reporter: object, options: object) -> None:
    assert presenting.options_of(config(terminalreporter=reporter)) == options


def test_the_family_is_that_of_the_report_that_is_written() -> None:
    assert presenting.family_of(config()) is None
    found = config(junitxml=SimpleNamespace(xml_key=KEY))
    assert presenting.family_of(found) is None
    found.stash[KEY] = SimpleNamespace(family="xunit1")
    assert presenting.family_of(found) == "xunit1"
