"""Which trials there are, and in which order."""

from __future__ import annotations

import collections

from pytest_tfkernel.kernels.faults.menu import FAULTS
from pytest_tfkernel.kernels.phases import PHASES
from pytest_tfkernel.model.trials import NO_FAULT, Setting
from pytest_tfkernel.plugin.suite.collection import pairs
from pytest_tfkernel.suite.settings import HARMFUL, settings, slow_first
from pytest_tfkernel.suite.sizes import SIZES
from pytest_tfkernel.trials.examples import EXAMPLES

PLANTED = Setting("subprocess", "planted-leaks", "sigkill")
HARMLESS = [fault.name for fault in FAULTS if not fault.harms]


def test_ids_are_unique() -> None:
    ids = [f"{guarantee.id}[{setting}]" for setting, guarantee in pairs()]
    assert [one for one, number in collections.Counter(ids).items() if number > 1] == []


def test_id_is_written_as_documented() -> None:
    assert str(Setting("forkserver", "variable_assign", "sigkill")) == "forkserver-variable_assign-sigkill-idle"


def test_smoke_has_each_example_and_the_three_ways_of_dying_once() -> None:
    control, *smoke = settings("smoke")
    assert control == PLANTED
    assert sorted(setting.example for setting in smoke) == sorted(example.name for example in EXAMPLES)
    assert sorted(setting.fault for setting in smoke) == ["index-error", "oom-kill", "sigkill"]


def test_standard_has_every_fault_with_every_example_warm_and_three_of_them_cold() -> None:
    idle = [setting for setting in settings("standard") if setting.phase == "idle"]
    played = {(setting.provisioner, setting.fault, setting.example) for setting in idle}
    for example in EXAMPLES:
        for fault in (NO_FAULT, *HARMLESS):
            assert ("forkserver", fault, example.name) in played
        for made in ("subprocess", "jupyter", "spyder"):
            for fault in ("sigkill", "index-error", "oom-kill"):
                assert (made, fault, example.name) in played


def test_standard_has_every_phase() -> None:
    assert {setting.phase for setting in settings("standard")} >= {phase.name for phase in PHASES}


def test_full_has_every_fault_with_every_example_cold_too() -> None:
    everything = {(setting.fault, setting.example) for setting in settings("full", ["subprocess"])}
    assert {(fault, example.name) for fault in HARMLESS for example in EXAMPLES} <= everything


def test_each_size_holds_the_smaller_ones_and_no_trial_twice() -> None:
    smoke, standard, full = (settings(size) for size in SIZES)
    assert set(smoke) < set(standard) < set(full)
    assert len(set(full)) == len(full)


def test_only_signals_are_to_strike_in_other_phases() -> None:
    signals = {fault.name for fault in FAULTS if fault.signal is not None}
    named = {example.name for example in EXAMPLES}
    assert {one.fault for one in settings("full") if one.phase != "idle" and one.example in named} <= signals


def test_provisioners_can_be_chosen() -> None:
    every = ["forkserver", "subprocess", "jupyter", "spyder"]
    every += ["multiprocess-spawn", "multiprocess-forkserver", "multiprocess-fork"]
    assert settings("full", every) == settings("full")
    assert {one for made in every for one in settings("full", [made])} == {*settings("full")}
    assert {setting.provisioner for setting in settings("full", ["forkserver"])[1:]} == {"forkserver"}
    assert settings("smoke", ["jupyter"]) == ()


def test_provisioners_that_are_missing_have_no_trials() -> None:
    made = {one.provisioner for one in settings("full", missing=["spyder", "multiprocess"])}
    assert made == {"forkserver", "subprocess", "jupyter"}
    assert settings("full", ["spyder"], missing=["spyder"]) == ()


def test_the_control_of_the_audit_is_always_played_first() -> None:
    for chosen in (settings("smoke"), settings("full", ["forkserver"]), slow_first(settings())):
        assert chosen[0] == PLANTED


def test_faults_that_may_harm_others_are_played_when_they_are_named() -> None:
    harmful = {fault.name for fault in FAULTS if fault.harms}
    assert harmful == set(HARMFUL) == {"oom-gpu", "cuda-fault"}
    assert [setting for setting in settings("full") if setting.fault in harmful] == []
    allowed = settings("standard", allow=["cuda-fault"])
    assert {setting.fault for setting in set(allowed) - set(settings("standard"))} == {"cuda-fault"}


def test_long_trials_come_first_and_all_others_keep_their_order() -> None:
    everything = settings()
    played = slow_first(everything)
    assert sorted(map(str, played)) == sorted(map(str, everything))
    quick = played[played.index(Setting("forkserver", "graph_add", NO_FAULT)) :]
    slow = [setting for setting in played if setting not in quick]
    assert {setting.provisioner for setting in quick} == {"forkserver"}
    assert [one for one in everything if one in quick] == quick
    assert [one for one in everything if one in slow] == slow


def test_every_setting_has_something_to_judge() -> None:
    assert {setting for setting, _ in pairs()} == set(settings())
