"""What of a trial goes into a run document."""

from __future__ import annotations

import sys

from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.trials import Facts, Setting
from pytest_tfkernel.plugin.documents import parts
from pytest_tfkernel.plugin.playing import Played
from pytest_tfkernel.report.store import encode


def test_values_of_environments_stay_out_of_documents() -> None:
    setting = Setting("forkserver", "warm-equals-cold", "none")
    facts = {
        "warm": {"environment": {"TOKEN": "secret", "A": "1"}, "modules": ["re"]},
        "lives": [{"environment": {"B": "secret"}}],
    }
    seen = Facts(setting, Interpreter(sys.executable, (3, 11, 7), None), facts)
    written = parts.trial(setting, "tf", Played(seen))
    assert written.facts == {
        "warm": {"environment": ["A", "TOKEN"], "modules": ["re"]},
        "lives": [{"environment": ["B"]}],
    }
    assert b"secret" not in encode(written)
    # What the judges look at has them.
    assert seen.facts["warm"]["environment"]["TOKEN"] == "secret"
