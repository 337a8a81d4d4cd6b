"""Which trials there are, and in which order."""

from __future__ import annotations

import collections

from pytest_tfkernel.kernels.faults import FAULTS
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.plugin.collection import pairs
from pytest_tfkernel.suite.examples import EXAMPLES
from pytest_tfkernel.suite.settings import NO_FAULT, RUNNER_DEATH, settings, slow_first


def test_ids_are_unique() -> None:
    ids = [f"{guarantee.id}[{setting}]" for setting, guarantee in pairs()]
    assert [one for one, number in collections.Counter(ids).items() if number > 1] == []


def test_id_is_written_as_documented() -> None:
    assert str(Setting("forkserver", "variable_assign", "sigkill")) == "forkserver-variable_assign-sigkill-idle"


def test_every_fault_is_played_with_every_example_but_the_slow_one() -> None:
    warm = {(setting.fault, setting.example) for setting in settings(["forkserver"]) if setting.phase == "idle"}
    everything = {(fault.name, example.name) for fault in FAULTS for example in EXAMPLES}
    assert {fault for fault, _ in everything - warm} == {"oom-tensor"}
    assert ("oom-tensor", "variable_assign") in warm
    assert {example for fault, example in warm if fault == NO_FAULT} >= {example.name for example in EXAMPLES}


def test_the_cold_ones_see_every_example_and_each_kind_of_end() -> None:
    cold = [setting for setting in settings(["subprocess"]) if setting.fault != RUNNER_DEATH]
    assert {setting.example for setting in cold} >= {example.name for example in EXAMPLES}
    assert {setting.fault for setting in cold} >= {"sigkill", "oom-kill", "index-error", "index-error-script"}


def test_provisioners_can_be_chosen() -> None:
    assert settings(["forkserver", "subprocess"]) == settings()
    assert {*settings(["forkserver"]), *settings(["subprocess"])} == {*settings()}
    assert settings(["jupyter"]) == ()


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
