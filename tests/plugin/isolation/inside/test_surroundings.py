"""What is in the way of a fork, and what an import would have seen."""

from __future__ import annotations

import subprocess

import pytest

from pytest_tfkernel.plugin.isolation.inside import surroundings


def test_children_are_in_the_way_while_they_are_there() -> None:
    # Helpers of the tests' own session may be there as well.
    before = surroundings.children("this")
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        assert str(surroundings.children("this")).startswith("this started ")
        assert surroundings.children("this") != before
        child.kill()
    assert surroundings.children("this") == before


def test_variables_of_tensorflow_and_keras_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_SEEN", "1")
    monkeypatch.setenv("KERAS_BACKEND", "none")
    monkeypatch.setenv("TFX", "1")
    seen = surroundings.import_time()
    assert (seen["TF_SEEN"], seen["KERAS_BACKEND"], "TFX" in seen) == ("1", "none", False)
