"""The judges of scenarios between processes, on facts written by hand: one thing is wrong at a time."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from facts import facts_of, saw
from pytest_tfkernel.model.facts import plain, unseen
from pytest_tfkernel.model.trials import Setting, State, Verdict
from pytest_tfkernel.suite.guarantees import (
    GUARANTEES,
    configuration as of_configuration,
    eager as of_eager,
    old_state as of_old_state,
)
from pytest_tfkernel.suite.scenarios import SCENARIOS, configuration, eager, neighbours, old_state, randomness, warmth
from pytest_tfkernel.suite.scenarios.portrait import DIFFERENCES
from pytest_tfkernel.trials import examples

_BY_ID = {guarantee.id: guarantee for guarantee in GUARANTEES}
_VARIABLE = examples.find("variable_assign")
GONE = object()


def _process(chosen: dict[str, Any]) -> dict[str, Any]:
    changes = {
        name: {"error": "RuntimeError", "message": f"{message}."} for name, message in of_configuration.REFUSALS.items()
    }
    return {"before": dict(configuration.DEFAULT), "after": dict(chosen), "changes": changes, "late": dict(chosen)}


def _refused(kind: str) -> dict[str, str]:
    errors, part = of_old_state.REFUSALS[kind]
    return {"error": errors[-1], "message": f"it {part}"}


_NEIGHBOUR = {"pid": 7, "value": _VARIABLE.again_result}
_WRITTEN = [list(pair) for pair in neighbours.WRITTEN]

# What is seen where everything holds.
HONEST: dict[str, dict[str, Any]] = {
    configuration.NAME: {
        "first": _process(configuration.FIRST),
        "second": _process(configuration.SECOND),
        "sessions": list(configuration.SESSIONS),
    },
    eager.NAME: {
        "eager": True,
        "has_sessions": False,
        "plain": {name: {"error": error, "message": f"{part}."} for name, (error, part) in of_eager.REFUSALS.items()},
        "in_graph": {name: {"result": result} for name, result in eager.RESULTS.items()},
    },
    neighbours.UNHARMED: {
        "before": dict(_NEIGHBOUR),
        "after": dict(_NEIGHBOUR),
        "again": dict(_NEIGHBOUR),
        "as_expected": True,
        "expected": "dies of SIGKILL",
        "death": "SIGKILL",
        "restarted": _VARIABLE.result,
    },
    neighbours.PRIVATE: {
        "names": ["my_variable:0", "my_variable:0"],
        "read": _WRITTEN,
        "later": _VARIABLE.result,
        "last": _WRITTEN[-1],
    },
    old_state.NAME: {
        "before": {one.kind: {"value": one.result} for one in old_state.NAMES},
        "after": {one.kind: _refused(one.kind) for one in old_state.NAMES},
        "namesake": {one.kind: {"value": 9.0} for one in old_state.NAMES},
    },
    randomness.NAME: {
        "draws": [{"random": [n], "numpy.random": [n + 0.5]} for n in range(3)],
        "seeded": [[0.25], [0.25], [0.25]],
    },
    warmth.NAME: {
        warmth.WARM: {"umask": "0022", "modules": ["_tfkernel_child.imports"]} | dict.fromkeys(DIFFERENCES, "warm"),
        warmth.COLD: {"umask": "0022", "modules": []} | dict.fromkeys(DIFFERENCES, "cold"),
    },
}
HONEST[warmth.NAME][warmth.WARM]["modules"] = ["_tfkernel_child.imports"]
HONEST[warmth.NAME][warmth.COLD]["modules"] = []

_LATE = of_configuration.REFUSALS["intra"]
_KINDS = [one.kind for one in old_state.NAMES]
# Guarantee, where in the facts, what stands there instead (GONE: nothing), and what is said then.
WRONG: list[tuple[str, str, Any, State]] = [
    *[
        (configuration.NAME, f"{process}.{what}", value, State.FAIL)
        for process in ("first", "second")
        for what, value in (
            ("before", {"logical": None, "intra": 0, "inter": 3}),
            ("after", dict(configuration.DEFAULT)),
            ("late", {"logical": 9, "intra": 9, "inter": 9}),
        )
    ],
    *[
        (configuration.NAME, f"{process}.changes.{what}{part}", value, State.FAIL)
        for process in ("first", "second")
        for what in of_configuration.REFUSALS
        for part, value in (("", {}), (".error", "ValueError"), (".message", "no"))
    ],
    (configuration.NAME, "sessions", [2, 2], State.FAIL),
    (configuration.NAME, "first", GONE, State.UNKNOWN),
    (eager.NAME, "eager", False, State.FAIL),
    *[
        (eager.NAME, f"{place}.{name}{part}", value, State.FAIL)
        for name in eager.RESULTS
        for place, part, value in (
            ("plain", "", {"result": 5.0}),
            ("plain", ".error", "KeyError"),
            ("plain", ".message", "no"),
            ("in_graph", "", {"error": "RuntimeError", "message": "no"}),
            ("in_graph", ".result", 7.0),
        )
    ],
    (neighbours.UNHARMED, "before.value", 1.0, State.UNKNOWN),
    (neighbours.UNHARMED, "after.value", 1.0, State.FAIL),
    (neighbours.UNHARMED, "after.pid", 8, State.FAIL),
    (neighbours.UNHARMED, "again.value", 1.0, State.FAIL),
    (neighbours.UNHARMED, "again.pid", 8, State.FAIL),
    (neighbours.UNHARMED, "as_expected", False, State.UNKNOWN),
    (neighbours.UNHARMED, "restarted", [2.0, 2.0, 3.0], State.FAIL),
    (neighbours.PRIVATE, "names", ["one:0", "two:0"], State.UNKNOWN),
    (neighbours.PRIVATE, "read", [*_WRITTEN[:-1], [12.0, 12.0]], State.FAIL),
    (neighbours.PRIVATE, "read", _WRITTEN[:-1], State.FAIL),
    (neighbours.PRIVATE, "later", [2.0, 2.0, 3.0], State.FAIL),
    (neighbours.PRIVATE, "last", [1.0, 2.0], State.FAIL),
    *[
        (old_state.NAME, f"{place}.{kind}", value, state)
        for kind in _KINDS
        for place, value, state in (
            ("before", {"error": "KeyError", "message": "no"}, State.UNKNOWN),
            ("before", {"value": "another"}, State.UNKNOWN),
            ("after", {"hung": 15.0}, State.FAIL),
            ("after", {"died": "kernel 7 died"}, State.FAIL),
            ("after", {"value": 9.0}, State.FAIL),
            ("after", {"error": "KeyError", "message": "no"}, State.FAIL),
        )
    ],
    *[(old_state.NAME, f"namesake.{one.kind}", {"value": one.result}, State.FAIL) for one in old_state.NAMES],
    *[(old_state.NAME, f"after.{kind}.message", "no", State.FAIL) for kind in _KINDS if of_old_state.REFUSALS[kind][1]],
    (randomness.NAME, "draws.1.random", [0], State.FAIL),
    (randomness.NAME, "draws.2.numpy.random", [1.5], State.FAIL),
    (randomness.NAME, "seeded", [[0.25], [0.25], [0.5]], State.FAIL),
    (warmth.NAME, f"{warmth.WARM}.umask", "0000", State.FAIL),
    (warmth.NAME, f"{warmth.COLD}.umask", "0000", State.FAIL),
    (warmth.NAME, f"{warmth.WARM}.modules", ["re"], State.FAIL),
    (warmth.NAME, f"{warmth.COLD}.modules", ["re"], State.FAIL),
    (warmth.NAME, f"{warmth.COLD}.umask", GONE, State.UNKNOWN),
    (warmth.NAME, f"{warmth.WARM}.umask", GONE, State.UNKNOWN),
]


def judge(name: str, facts: dict[str, Any], error: str = "") -> Verdict:
    return _BY_ID[name].judge(saw(Setting("forkserver", name, "none"), facts, error))


def changed(name: str, place: str, value: Any) -> dict[str, Any]:
    facts = copy.deepcopy(HONEST[name])
    inner: Any = facts
    words = place.split(".", 2) if name == randomness.NAME else place.split(".")
    for word in words[:-1]:
        inner = inner[int(word) if isinstance(inner, list) else word]
    if value is GONE:
        del inner[words[-1]]
    else:
        assert inner[words[-1]] != value
        inner[words[-1]] = value
    return facts


@pytest.mark.parametrize("name", HONEST)
def test_what_holds_passes(name: str) -> None:
    assert judge(name, HONEST[name]).state is State.PASS, judge(name, HONEST[name])


@pytest.mark.parametrize(("name", "place", "value", "state"), WRONG)
def test_one_thing_that_is_wrong_is_enough(name: str, place: str, value: Any, state: State) -> None:
    verdict = judge(name, changed(name, place, value))
    assert verdict.state is state, verdict


@pytest.mark.parametrize("name", HONEST)
def test_what_was_not_played_to_its_end_is_unknown(name: str) -> None:
    assert judge(name, HONEST[name], error="the kernel died") == Verdict.unknown("the kernel died")


@pytest.mark.parametrize("name", sorted(DIFFERENCES.keys() - {"modules"}))
def test_what_is_documented_may_differ_and_what_is_not_may_not(name: str) -> None:
    facts = HONEST[warmth.NAME]
    assert facts[warmth.WARM][name] != facts[warmth.COLD][name]
    renamed = {who: {**seen, "undocumented": seen[name]} for who, seen in facts.items()}
    assert judge(warmth.NAME, renamed).state is State.FAIL


class TestGraphModeByDefault:
    """As in 1.15."""

    GRAPH = {  # noqa: RUF012 - a constant
        "eager": False,
        "has_sessions": True,
        "plain": {name: {"result": result} for name, result in eager.RESULTS.items()},
        "in_graph": {name: {"result": result} for name, result in eager.RESULTS.items()},
    }

    def test_what_holds_passes(self) -> None:
        assert judge(eager.NAME, self.GRAPH).state is State.PASS

    @pytest.mark.parametrize("name", eager.RESULTS)
    def test_a_wrong_result_fails(self, name: str) -> None:
        plain = {**self.GRAPH["plain"], name: {"result": 7.0}}  # type: ignore[dict-item]
        assert judge(eager.NAME, {**self.GRAPH, "plain": plain}).state is State.FAIL

    def test_eager_mode_fails(self) -> None:
        assert judge(eager.NAME, {**self.GRAPH, "eager": True}).state is State.FAIL


_TYPED = sorted(scenario.name for scenario in SCENARIOS)


@pytest.mark.parametrize("name", _TYPED)
class TestTooLittle:
    """A trial that ended early, or a script that forgets something."""

    def verdicts(self, name: str, error: str = "") -> list[Verdict]:
        setting = next(one for one in SCENARIOS if one.name == name).settings[0]
        found = [one.judge(saw(setting, error=error)) for one in GUARANTEES if one.applies(setting)]
        assert found
        return found

    def test_it_is_unknown_with_the_reason(self, name: str) -> None:
        assert {one.state for one in self.verdicts(name, "the kernel died")} == {State.UNKNOWN}
        assert all(one.reason.endswith("the kernel died") for one in self.verdicts(name, "the kernel died"))

    def test_without_a_reason_it_is_unknown_and_says_what_is_missing(self, name: str) -> None:
        missing = Verdict.unknown(f"not seen: {', '.join(unseen(facts_of(name)))}")
        assert set(self.verdicts(name)) == {missing}


_DOCUMENT = Path(__file__).parents[2] / "reference" / "tensorflow-2.21.0.json"
_PLAYED = {
    str(place): (trial["setting"]["example"], trial["facts"])
    for place, trial in enumerate(json.loads(_DOCUMENT.read_text(encoding="utf-8"))["trials"])
    if trial.get("facts") and trial["setting"]["example"] in _TYPED
}


def test_the_reference_has_played_most_scenarios() -> None:
    assert len({name for name, _ in _PLAYED.values()}) > len(_TYPED) // 2


@pytest.mark.parametrize(("name", "seen"), _PLAYED.values(), ids=[name for name, _ in _PLAYED.values()])
def test_facts_go_into_documents_as_they_always_have(name: str, seen: dict[str, Any]) -> None:
    assert plain(facts_of(name, seen)) == seen


class TestReasons:
    """A person reads them, so what they count and name is right."""

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            (eager.NAME, "3 refused without a graph"),
            (neighbours.UNHARMED, f"{_VARIABLE.again_result} before and after"),
            (neighbours.PRIVATE, f"{len(_WRITTEN)} values of each of two kernels, and a third one that began anew"),
            (randomness.NAME, "2 sources, 3 processes"),
            (warmth.NAME, f"1 things are the same, {len(DIFFERENCES)} documented ones need not be"),
        ],
    )
    def test_of_what_holds(self, name: str, reason: str) -> None:
        assert judge(name, HONEST[name]) == Verdict.passed(reason)

    @pytest.mark.parametrize(
        ("name", "place", "value", "reason"),
        [
            (eager.NAME, "eager", False, "TensorFlow began in graph mode, though it has no tf.Session"),
            (eager.NAME, "in_graph.graph_add", {"result": 7.0}, "in a graph, graph_add gave 7.0, not 5.0"),
            (
                eager.NAME,
                "in_graph.graph_add",
                {"error": "KeyError", "message": "'a'"},
                "in a graph, graph_add gave KeyError: 'a', not 5.0",
            ),
            *[
                (
                    configuration.NAME,
                    "first.changes.intra",
                    change,
                    f"a late change (intra) in the first process gave {shown}, not {_LATE!r}",
                )
                for change, shown in (({}, "no error"), ({"error": "ValueError", "message": "no"}, "ValueError: no"))
            ],
            (
                neighbours.PRIVATE,
                "last",
                [1.0, 2.0],
                f"after a later kernel's example the kernels read [1.0, 2.0], not {_WRITTEN[-1]}",
            ),
            (
                warmth.NAME,
                f"{warmth.WARM}.umask",
                {"a": 1, "b": 2},
                "umask: {'a': 1, 'b': 2} in the forked kernel, '0022' in the fresh one",
            ),
            (randomness.NAME, "draws.1.random", [0], "drew the same in two kernels: random"),
        ],
    )
    def test_of_what_is_wrong(self, name: str, place: str, value: Any, reason: str) -> None:
        assert judge(name, changed(name, place, value)) == Verdict.failed(reason)

    def test_of_graph_mode(self) -> None:
        old = TestGraphModeByDefault
        assert judge(eager.NAME, old.GRAPH) == Verdict.passed("graph mode is the default")
        eagerly = {**old.GRAPH, "eager": True}
        began = "TensorFlow began in eager mode, though it has tf.Session"
        assert judge(eager.NAME, eagerly) == Verdict.failed(began)

    @pytest.mark.parametrize(("death", "shown"), [("SIGSEGV", "SIGSEGV"), ("", "it lived")])
    def test_of_a_fault_that_did_something_else(self, death: str, shown: str) -> None:
        facts = {**HONEST[neighbours.UNHARMED], "as_expected": False, "death": death}
        verdict = judge(neighbours.UNHARMED, facts)
        assert verdict == Verdict.unknown(f"none: expected that it dies of SIGKILL, but: {shown}")

    def test_of_two_dictionaries_only_what_differs_is_shown(self) -> None:
        facts = copy.deepcopy(HONEST[warmth.NAME])
        facts[warmth.WARM]["umask"], facts[warmth.COLD]["umask"] = {"a": 1, "b": 2}, {"a": 1, "b": 3}
        said = "umask: {'b': 2} in the forked kernel, {'b': 3} in the fresh one"
        assert judge(warmth.NAME, facts) == Verdict.failed(said)

    def test_all_modules_of_ours_may_be_in_a_forked_one(self) -> None:
        ours = ["_tfkernel_child.forkserver", "_tfkernel_child.imports"]
        assert judge(warmth.NAME, changed(warmth.NAME, f"{warmth.WARM}.modules", ours)).state is State.PASS

    def test_of_kernels_with_one_seed_that_begin_alike(self) -> None:
        facts = changed(randomness.NAME, "seeded", [[0.5], [0.25], [0.25]])
        assert judge(randomness.NAME, facts) == Verdict.failed("one seed of an op gave [[0.5], [0.25], [0.25]]")
