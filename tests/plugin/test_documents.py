"""What of a trial goes into a run document."""

from __future__ import annotations

from pytest_tfkernel.plugin.documents.parts import without_values


def test_values_of_environments_stay_out_of_documents() -> None:
    facts = {
        "warm": {"environment": {"TOKEN": "secret", "A": "1"}, "modules": ["re"]},
        "lives": [{"environment": {"B": "s"}}],
    }
    assert without_values(facts) == {
        "warm": {"environment": ["A", "TOKEN"], "modules": ["re"]},
        "lives": [{"environment": ["B"]}],
    }
