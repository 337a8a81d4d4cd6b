"""What is said of places that could not be looked at."""

from __future__ import annotations

import dataclasses

import pytest

from observations import honest_trial
from pytest_tfkernel.model.resources import Audit, Blind, Kind
from pytest_tfkernel.model.trials import Setting, Verdict
from pytest_tfkernel.suite.guarantees.leaks import nothing_is_left


@pytest.mark.parametrize(("count", "shown"), [(1, 1), (3, 3), (5, 3)])
def test_three_are_named_and_all_are_counted(count: int, shown: int) -> None:
    blind = tuple(Blind(Kind.PROCESS, f"/proc/{number}", "hidden") for number in range(count))
    seen = dataclasses.replace(honest_trial(Setting("forkserver", "graph_add", "sigkill")), audit=Audit((), blind))
    said = f"{count} place(s) could not be looked at: {'; '.join(map(str, blind[:shown]))}"
    assert nothing_is_left.judge(seen) == Verdict.unknown(said)
