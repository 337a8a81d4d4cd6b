"""What of a trial goes into a run document."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

import observations
from facts import saw
from pytest_tfkernel.model.errors import KernelStartError
from pytest_tfkernel.model.processes import Leftover, ProcessId
from pytest_tfkernel.model.resources import Audit, Holder, Kind, Leak, Resource
from pytest_tfkernel.model.trials import Record, Setting, State, Verdict
from pytest_tfkernel.plugin.documents import parts
from pytest_tfkernel.plugin.suite.playing import Played
from pytest_tfkernel.report import document
from pytest_tfkernel.report.store import encode


def test_values_of_environments_stay_out_of_documents() -> None:
    setting = Setting("forkserver", "warm-equals-cold", "none")
    shown = {
        "forkserver": {"environment": {"TOKEN": "secret", "A": "1"}, "modules": ["re"]},
        "subprocess": {"lives": [{"environment": {"B": "secret"}}]},
    }
    seen = saw(setting, shown)
    written = parts.trial(setting, Played(seen))
    assert written.facts == {
        "forkserver": {"environment": ["A", "TOKEN"], "modules": ["re"]},
        "subprocess": {"lives": [{"environment": ["B"]}]},
    }
    assert b"secret" not in encode(written)
    # What the judges look at has them.
    assert seen.facts.forkserver["environment"]["TOKEN"] == "secret"


RUNNER = Setting("subprocess", "daemon", "runner-death")
LEFT = Leftover(ProcessId(7, 1), 1, "S", "sleep 60")

SLEEPER = document.Leak(kind="process", name="7", detail="sleep 60")


class TestTrial:
    def test_what_outlived_a_runner_is_there(self) -> None:
        seen = dataclasses.replace(saw(RUNNER, {"started": 2, "seconds": 2.0}), left=(LEFT,))
        written = parts.trial(RUNNER, Played(seen, 3.0, 1, is_new=True))
        assert (written.facts, written.leaks) == ({"started": 2, "seconds": 2.0}, [SLEEPER])
        assert (written.impossible, written.seconds, written.cold_starts) == ("", 3.0, 1)

    @pytest.mark.parametrize(
        "seen",
        [
            saw(RUNNER, error="why"),
            saw(Setting("forkserver", "eager-needs-graph", "none"), error="why"),
            KernelStartError("why"),
        ],
        ids=["runner", "facts", "no kernel"],
    )
    def test_why_nothing_was_seen_is_there(self, seen: Any) -> None:
        assert parts.trial(RUNNER, Played(seen)).impossible == "why"

    @pytest.mark.parametrize("why", ["not_possible", "no_restart", "first"])
    def test_why_not_all_was_seen_is_there(self, why: str) -> None:
        seen = observations.honest_trial(Setting("forkserver", "graph_add", "sigkill"))
        changes: dict[str, Any] = {why: "why"}
        if why == "first":
            changes = {why: dataclasses.replace(seen.first, error="why")}
        seen = dataclasses.replace(seen, **changes)
        assert parts.trial(seen.setting, Played(seen)).impossible == "why"

    def test_what_a_dead_kernel_left_is_there(self) -> None:
        seen = observations.honest_trial(Setting("forkserver", "graph_add", "sigkill"))
        holder = Holder(ProcessId(8, 1), "cat")
        left = Audit(
            (
                Leak(Resource(Kind.PROCESS, "7", detail="sleep 60"), 5),
                Leak(Resource(Kind.FILE, "/tmp/a", "inode", (holder,)), 5, since="open('a')"),
            )
        )
        seen = dataclasses.replace(seen, audit=left)
        written = parts.trial(seen.setting, Played(seen))
        assert written.leaks == [SLEEPER, document.Leak(kind="temporary-file", name="/tmp/a", since="open('a')")]
        assert written.death is not None
        assert (written.death.signal, written.death.code, written.death.killer) == ("SIGKILL", None, "us")

    @pytest.mark.parametrize("state", State)
    def test_a_verdict_is_there_as_it_was_given(self, state: State) -> None:
        record = Record("item", "process-is-new", RUNNER, Verdict(state, "why"))
        written = parts.verdict(record)
        assert (written.guarantee, written.item, written.verdict, written.reason) == (
            "process-is-new",
            "item",
            state.value,
            "why",
        )


class TestRanOn:
    SETTING = Setting("forkserver", "gpu_matmul", "none")

    def _written(self, **details: object) -> list[str]:
        seen = observations.honest_trial(self.SETTING)
        first = dataclasses.replace(seen.first, details={**observations.DETAILS, **details} if details else None)
        written = parts.trial(self.SETTING, Played(dataclasses.replace(seen, first=first)))
        assert (b"ran_on" in encode(written)) == bool(written.ran_on)
        return written.ran_on

    def test_the_devices_of_a_product_are_there(self) -> None:
        gpu = observations.CPU.replace("CPU", "GPU")
        ran = [["_Arg", observations.CPU], ["MatMul", gpu], ["MatMul", gpu], ["_Retval", observations.CPU]]
        assert self._written(ran=ran) == ["/device:GPU:0"]

    def test_of_what_nobody_has_looked_at_nothing_is(self) -> None:
        assert self._written(ran=None) == self._written() == []
