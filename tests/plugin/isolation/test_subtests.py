"""pytest counts subtests that failed where its session is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation import subtests

KEY: pytest.StashKey[dict[object, int]] = pytest.StashKey()


def config(plugin: object = None) -> Any:
    stash = pytest.Stash()
    stash[KEY] = {}
    return SimpleNamespace(pluginmanager=SimpleNamespace(get_plugin={"subtests": plugin}.get), stash=stash)


def test_what_is_counted_there_is_known_here() -> None:
    there, here = config(SimpleNamespace(failed_subtests_key=KEY)), config(SimpleNamespace(failed_subtests_key=KEY))
    report = SimpleNamespace(nodeid="a::b", id=("a", "b"))
    assert subtests.count(there, report) == 0
    # By either name: which one it is differs between releases.
    there.stash[KEY][report.id] = 2
    assert subtests.count(there, report) == 2
    subtests.retell(here, report, {}, 2)
    assert here.stash[KEY] == {"a::b": 2, ("a", "b"): 2}


def test_an_older_pytest_knows_none() -> None:
    report = SimpleNamespace(nodeid="a::b")
    assert subtests.count(config(), report) == 0
    subtests.retell(config(), report, {}, 0)
    subtests.retell(config(), report, {}, 1)


def test_values_are_shown_once() -> None:
    report = SimpleNamespace(nodeid="a::b", context=SimpleNamespace(kwargs={"i": "'1'"}))
    subtests.retell(config(), report, {"_subtest.context": {"msg": None, "kwargs": {"i": "1"}}}, 0)
    assert report.context.kwargs == {"i": "1"}
