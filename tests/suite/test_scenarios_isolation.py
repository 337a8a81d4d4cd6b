"""Scenarios of kernels that must not know each other: honest ones pass, and a saboteur of each is found out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from aims import HELD_IMPORT, ISOLATION, Aim, honest
from facts import saw
from pytest_tfkernel.kernels.faults.limits import OOM_KILL
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import AS_TOLD, Setting, State
from pytest_tfkernel.processes.cgroups import MEMORY
from pytest_tfkernel.suite import observing
from pytest_tfkernel.suite.defects.table import KnownDefects, load_ours
from pytest_tfkernel.suite.guarantees import GUARANTEES
from pytest_tfkernel.suite.guarantees.eager import REFUSALS
from pytest_tfkernel.suite.scenarios import Scenario
from pytest_tfkernel.suite.scenarios.configuration import CONFIGURATION
from pytest_tfkernel.suite.scenarios.eager import EAGER_NEEDS_GRAPH, RESULTS
from pytest_tfkernel.suite.scenarios.imports import DIED, INTERRUPTED_IMPORT
from pytest_tfkernel.suite.scenarios.interrupts import INTERRUPTS
from pytest_tfkernel.suite.scenarios.neighbours import NAMES_ARE_PRIVATE, NEIGHBOUR_IS_UNHARMED
from pytest_tfkernel.suite.scenarios.old_state import NAMES, OLD_STATE
from pytest_tfkernel.suite.scenarios.randomness import RANDOMNESS
from pytest_tfkernel.suite.scenarios.warmth import WARM_EQUALS_COLD
from pytest_tfkernel.trials.stage import Stage

SCENARIOS = (
    EAGER_NEEDS_GRAPH,
    OLD_STATE,
    NEIGHBOUR_IS_UNHARMED,
    NAMES_ARE_PRIVATE,
    CONFIGURATION,
    RANDOMNESS,
    INTERRUPTS,
    INTERRUPTED_IMPORT,
    WARM_EQUALS_COLD,
)
_BY_ID = {guarantee.id: guarantee for guarantee in GUARANTEES}
_KNOWN = KnownDefects(load_ours(_BY_ID))

pytestmark = pytest.mark.usefixtures("tensorflow_python")


@pytest.mark.parametrize("setting", honest(setting for one in SCENARIOS for setting in one.settings))
def test_honest_kernels_pass(setting: Setting, stage: Stage, needs_cgroup: Callable[[str], None]) -> None:
    if setting.fault == OOM_KILL:
        needs_cgroup(MEMORY)
    spec = KernelSpec(startup=HELD_IMPORT if setting.phase == "importing" else "")
    seen = observing.observe(setting, stage, spec)
    verdict = _BY_ID[setting.example].judge(seen)
    found = _KNOWN.told(verdict, setting.example, setting, seen.interpreter.tensorflow)
    assert found.state in AS_TOLD, found


@pytest.mark.parametrize("aim", ISOLATION, ids=str)
def test_judge_says_fail_of_its_saboteur(aim: Aim, stage: Stage, tmp_path: Path) -> None:
    seen = observing.observe(aim.setting, stage, aim.spec(tmp_path))
    # What a saboteur does is no known defect.
    judged = _BY_ID[aim.guarantee].judge(seen)
    verdict = _KNOWN.told(judged, aim.guarantee, aim.setting, seen.interpreter.tensorflow)
    assert verdict.state is State.FAIL, verdict
    assert aim.reason in verdict.reason


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_facts_that_are_missing_are_unknown_with_the_reason(scenario: Scenario) -> None:
    setting = scenario.settings[0]
    verdict = _BY_ID[setting.example].judge(saw(setting, error="the kernel could not be used"))
    assert (verdict.state, verdict.reason) == (State.UNKNOWN, "the kernel could not be used")


def judged(setting: Setting, **facts: object) -> tuple[State, str]:
    verdict = _BY_ID[setting.example].judge(saw(setting, facts))
    return verdict.state, verdict.reason


def told(setting: Setting, tensorflow: str, **facts: object) -> State:
    """What a verdict is with what is listed as known of this TensorFlow."""
    verdict = _BY_ID[setting.example].judge(saw(setting, facts))
    return _KNOWN.told(verdict, setting.example, setting, tensorflow).state


_BEFORE = {one.kind: {"value": one.result} for one in NAMES}
_AFTER = {
    "session-handle": {"error": "InvalidArgumentError", "message": "handle is not in the session store."},
    "iterator-handle": {"error": "NotFoundError", "message": "Container localhost does not exist."},
    "session-target": {"error": "DeadlineExceededError", "message": "Deadline Exceeded"},
    "tensor-name": {"error": "ValueError", "message": "refers to a Tensor which does not exist"},
}


class TestOldState:
    SETTING = OLD_STATE.settings[0]

    @pytest.mark.parametrize(
        ("kind", "outcome", "reason"),
        [
            ("session-target", {"hung": 15.0}, "not refused within 15 s"),
            (
                "iterator-handle",
                {"died": "kernel 7 died of SIGSEGV"},
                "did not give an error but killed the process: kernel 7",
            ),
            ("tensor-name", {"value": 2.0}, "accepted, and gave 2.0"),
            ("session-handle", {"error": "KeyError", "message": "?"}, "gave KeyError: ?, not InvalidArgumentError"),
        ],
    )
    def test_all_but_its_documented_error_fails(self, kind: str, outcome: dict[str, object], reason: str) -> None:
        after = {**_AFTER, kind: outcome}
        state, said = judged(self.SETTING, before=_BEFORE, after=after, namesake={})
        assert state is State.FAIL
        assert reason in said

    def test_old_value_beside_a_namesake_fails(self) -> None:
        namesake = {"iterator-handle": {"value": 7}}
        state, said = judged(self.SETTING, before=_BEFORE, after=_AFTER, namesake=namesake)
        assert (state, "which died" in said) == (State.FAIL, True)

    def test_name_that_meant_nothing_before_proves_nothing(self) -> None:
        before = {**_BEFORE, "session-target": {"error": "UnavailableError", "message": ""}}
        state, said = judged(self.SETTING, before=before, after=_AFTER, namesake={})
        assert (state, "would prove nothing" in said) == (State.UNKNOWN, True)


_GOOD = {name: {"result": result} for name, result in RESULTS.items()}
_REFUSED = {name: {"error": error, "message": f"a: {part}."} for name, (error, part) in REFUSALS.items()}


class TestEagerNeedsGraph:
    SETTING = EAGER_NEEDS_GRAPH.settings[0]

    @pytest.mark.parametrize(("eager", "plain"), [(True, _REFUSED), (False, _GOOD)])
    def test_each_api_has_its_own_default(self, eager: bool, plain: object) -> None:
        for has_sessions in (False, True):
            state, _ = judged(self.SETTING, eager=eager, has_sessions=has_sessions, plain=plain, in_graph=_GOOD)
            assert state is (State.FAIL if has_sessions is eager else State.PASS)

    def test_program_that_runs_eagerly_fails(self) -> None:
        state, said = judged(self.SETTING, eager=True, has_sessions=False, plain=_GOOD, in_graph=_GOOD)
        assert (state, "eagerly, graph_add gave 5.0" in said) == (State.FAIL, True)

    def test_program_that_is_refused_in_a_graph_fails(self) -> None:
        state, said = judged(self.SETTING, eager=True, has_sessions=False, plain=_REFUSED, in_graph=_REFUSED)
        assert (state, "in a graph, graph_add gave RuntimeError" in said) == (State.FAIL, True)


_WELL = {"pid": 7, "value": 2.0}


class TestNeighbour:
    SETTING = NEIGHBOUR_IS_UNHARMED.settings[0]
    FACTS: ClassVar[dict[str, Any]] = {
        "before": _WELL,
        "after": _WELL,
        "expected": "dies of SIGKILL",
        "death": "kernel 6 died of SIGKILL",
        "as_expected": True,
    }

    def test_fault_that_did_not_kill_as_it_should_proves_nothing(self) -> None:
        state, said = judged(self.SETTING, **{**self.FACTS, "death": "", "as_expected": False})
        assert (state, "but: it lived" in said) == (State.UNKNOWN, True)

    def test_another_process_that_answers_is_harm(self) -> None:
        state, said = judged(self.SETTING, **{**self.FACTS, "after": {"pid": 8, "value": 2.0}})
        assert (state, "'pid': 8" in said) == (State.FAIL, True)

    def test_death_of_the_neighbour_is_harm(self) -> None:
        state, said = judged(self.SETTING, **{**self.FACTS, "after": {"error": "kernel 7 died"}})
        assert (state, "kernel 7 died" in said) == (State.FAIL, True)


# What a fork server has imported of ours, and no fresh interpreter.
_MODULES_OF_OURS = {f"_tfkernel_child.{name}" for name in ("forkserver", "forking", "garbage", "imports")}
_SEEN = {"modules": [], "environment": {"A": "1"}, "umask": "0022", "times": 0.1}


class TestWarmEqualsCold:
    SETTING = WARM_EQUALS_COLD.settings[0]

    @pytest.mark.parametrize(
        ("changes", "state", "reason"),
        [
            ({"times": 3.0}, State.PASS, "2 things are the same"),
            ({"modules": ["_tfkernel_child.imports"]}, State.PASS, ""),
            ({"modules": sorted(_MODULES_OF_OURS)}, State.PASS, ""),
            ({"modules": ["numpy.lazy"]}, State.FAIL, "modules of one only: ['numpy.lazy']"),
            (
                {"environment": {"A": "1", "B": "2"}},
                State.FAIL,
                "environment: {'B': '2'} in the forked kernel, {'B': None}",
            ),
            ({"signals": []}, State.UNKNOWN, "different things were looked at: ['signals']"),
        ],
    )
    def test_only_what_is_documented_may_differ(self, changes: dict[str, object], state: State, reason: str) -> None:
        found, said = judged(self.SETTING, forkserver={**_SEEN, **changes}, subprocess=_SEEN)
        assert found is state
        assert reason in said

    @pytest.mark.parametrize(
        ("warm", "cold", "shown"),
        [
            ("a\nb\nc", "a\nB\nc", "'b' in the forked kernel, 'B' in the fresh one"),
            ("a\nb", "a", "'b' in the forked kernel, None in the fresh one"),
            ("a\n", "a", "'a\\n' in the forked kernel, 'a' in the fresh one"),
        ],
    )
    def test_of_what_was_printed_the_first_line_that_differs_is_shown(self, warm: str, cold: str, shown: str) -> None:
        seen = [{**_SEEN, "printed": one} for one in (warm, cold)]
        found, said = judged(self.SETTING, forkserver=seen[0], subprocess=seen[1])
        assert (found, said) == (State.FAIL, f"printed: {shown}")


_NEWER = ("2.21.0", "2.22.0", "2.22.0.dev20260905", "2.100.1", "3.0.0", "10.2")


class TestInterrupts:
    SETTING = INTERRUPTS.settings[0]
    FACTS: ClassVar[dict[str, Any]] = {
        "first": {"outcome": "swallowed", "struck": True},
        "second": {"outcome": "heard", "struck": True},
        "pids": [7, 7],
    }

    @pytest.mark.parametrize(
        ("tensorflow", "state"),
        [
            ("1.15.5", State.FAIL),
            ("2.15.1", State.FAIL),
            ("2.17.1", State.FAIL),
            ("2.18.0rc1", State.KNOWN),
            *((version, State.KNOWN) for version in _NEWER),
            ("unknown", State.FAIL),
        ],
    )
    def test_what_is_known_since_a_version_is_known_of_newer_ones(self, tensorflow: str, state: State) -> None:
        assert judged(self.SETTING, **self.FACTS)[0] is State.FAIL
        assert told(self.SETTING, tensorflow, **self.FACTS) is state

    @pytest.mark.parametrize("run", ["first", "second"])
    def test_one_that_came_too_late_proves_nothing(self, run: str) -> None:
        late = {**self.FACTS, run: {**self.FACTS[run], "struck": False}}
        assert judged(self.SETTING, **late)[0] is State.UNKNOWN

    @pytest.mark.parametrize("tensorflow", ["1.15.5", "2.18.1", *_NEWER, "unknown"])
    def test_one_that_is_heard_is_heard_in_any(self, tensorflow: str) -> None:
        heard = {**self.FACTS, "first": self.FACTS["second"]}
        assert told(self.SETTING, tensorflow, **heard) is State.PASS

    @pytest.mark.parametrize("tensorflow", ["1.15.5", "2.18.1", *_NEWER, "unknown"])
    def test_one_that_later_runs_swallow_is_excused_in_none(self, tensorflow: str) -> None:
        deaf = {**self.FACTS, "second": self.FACTS["first"]}
        assert told(self.SETTING, tensorflow, **deaf) is State.FAIL

    @pytest.mark.parametrize("first", ["ValueError: no", "swallowed whole", ""])
    def test_another_outcome_than_the_known_one_fails(self, first: str) -> None:
        other = {**self.FACTS, "first": {"outcome": first, "struck": True}}
        assert told(self.SETTING, "2.21.0", **other) is State.FAIL


class TestInterruptedImport:
    SETTING = INTERRUPTED_IMPORT.settings[0]
    FACTS: ClassVar[dict[str, Any]] = {
        "fresh": "works",
        "interrupted": "interrupted",
        "again": "ImportError: already registered",
        "in_phase": True,
    }

    @pytest.mark.parametrize(
        ("tensorflow", "state"),
        [
            ("2.20.0", State.FAIL),
            *((version, State.KNOWN) for version in _NEWER),
            ("unknown", State.FAIL),
        ],
    )
    def test_what_is_known_since_a_version_is_known_of_newer_ones(self, tensorflow: str, state: State) -> None:
        assert judged(self.SETTING, **self.FACTS)[0] is State.FAIL
        assert told(self.SETTING, tensorflow, **self.FACTS) is state

    @pytest.mark.parametrize("tensorflow", ["2.20.0", *_NEWER, "unknown"])
    def test_a_new_process_must_import_it_in_any(self, tensorflow: str) -> None:
        assert told(self.SETTING, tensorflow, **{**self.FACTS, "fresh": "ImportError: no"}) is State.FAIL
        assert told(self.SETTING, tensorflow, **{**self.FACTS, "again": "ImportError: no"}) is State.FAIL

    @pytest.mark.parametrize("when", ["interrupted", "again"])
    def test_a_death_at_either_time_fails(self, when: str) -> None:
        found = judged(self.SETTING, **{**self.FACTS, when: DIED})
        assert found == (State.FAIL, "the process died of an interrupt")
