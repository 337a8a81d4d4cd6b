"""The judges, on observations written by hand: what no kernel, not even a saboteur, shows on demand."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from facts import INTERPRETER, saw
from observations import honest, honest_trial
from pytest_tfkernel.model.cells import CellError
from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.faults import Lives
from pytest_tfkernel.model.kernels import Outcome, Reply
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer, Leftover, PostMortem, ProcessId
from pytest_tfkernel.model.resources import Audit, Blind, Kind, Leak, Resource
from pytest_tfkernel.model.trials import Generation, Observation, Setting, State, Verdict
from pytest_tfkernel.suite import guarantees
from pytest_tfkernel.suite.guarantees import GUARANTEES, Guarantee
from pytest_tfkernel.suite.scenarios.gpu import Handover, Release, Share
from pytest_tfkernel.suite.scenarios.planted import PLANTED
from pytest_tfkernel.suite.scenarios.runner_death import DAEMON, RunnerDeath
from pytest_tfkernel.suite.settings import settings

_BY_ID = {guarantee.id: guarantee for guarantee in GUARANTEES}
KILLED = Setting("forkserver", "variable_assign", "sigkill")
SEGV = Setting("forkserver", "graph_add", "sigsegv")
COLD = Setting("subprocess", "variable_assign", "sigkill")
ERROR = Setting("forkserver", "variable_assign", "index-error")
CALM = Setting("forkserver", "variable_assign", "none")
MATMUL = Setting("forkserver", "gpu_matmul", "none")
SCRIPT = Setting("forkserver", "graph_add", "index-error-script")

AFTER_DEATH = ("death-is-explained", "process-is-new", "session-is-rebuilt", "variable-is-reset", "nothing-is-left")


def judge(name: str, seen: Observation | Facts[Any]) -> Verdict:
    return _BY_ID[name].judge(seen)


def first(seen: Observation, **changes: object) -> Observation:
    return dataclasses.replace(seen, first=dataclasses.replace(seen.first, **changes))  # type: ignore[arg-type]


def second(seen: Observation, **changes: object) -> Observation:
    assert seen.second is not None
    return dataclasses.replace(seen, second=dataclasses.replace(seen.second, **changes))  # type: ignore[arg-type]


def death(seen: Observation, **changes: object) -> Observation:
    assert seen.outcome is not None
    assert seen.outcome.post_mortem is not None
    post_mortem: PostMortem = dataclasses.replace(seen.outcome.post_mortem, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(seen, outcome=dataclasses.replace(seen.outcome, post_mortem=post_mortem))


def survived(seen: Observation) -> Observation:
    assert seen.outcome is not None
    return dataclasses.replace(seen, outcome=dataclasses.replace(seen.outcome, post_mortem=None))


def is_played(setting: Setting) -> bool:
    seen = honest(setting)
    return isinstance(seen, Observation) or not seen.error


@pytest.mark.parametrize("setting", [one for one in settings() if is_played(one)], ids=str)
def test_all_that_applies_passes_when_everything_holds(setting: Setting) -> None:
    verdicts = {one.id: one.judge(honest(setting)) for one in GUARANTEES if one.applies(setting)}
    assert verdicts
    assert {verdict.state for verdict in verdicts.values()} == {State.PASS}, verdicts


class TestNothingCouldBeSeen:
    @pytest.mark.parametrize("name", AFTER_DEATH)
    def test_fault_that_is_not_possible_is_unknown_with_the_reason(self, name: str) -> None:
        seen = dataclasses.replace(
            honest_trial(KILLED), outcome=None, second=None, audit=None, not_possible="no cgroup"
        )
        assert judge(name, seen) == Verdict.unknown("no cgroup")

    @pytest.mark.parametrize("name", AFTER_DEATH)
    def test_fault_that_never_came_is_unknown(self, name: str) -> None:
        seen = dataclasses.replace(honest_trial(KILLED), outcome=None)
        assert judge(name, seen) == Verdict.unknown("the fault was not injected")

    @pytest.mark.parametrize("name", AFTER_DEATH)
    def test_example_that_did_not_run_makes_what_follows_a_death_unknown(self, name: str) -> None:
        verdict = judge(name, first(honest_trial(KILLED), error="ImportError: tensorflow"))
        assert verdict == Verdict.unknown("the example did not run: ImportError: tensorflow")

    @pytest.mark.parametrize("name", ["session-is-rebuilt", "variable-is-reset", "nothing-is-left"])
    def test_what_follows_a_death_is_unknown_when_there_was_none(self, name: str) -> None:
        assert judge(name, survived(honest_trial(KILLED))).state is State.UNKNOWN

    @pytest.mark.parametrize("name", [one.id for one in GUARANTEES])
    @pytest.mark.parametrize("nonsense", [None, 1, "observation"], ids=repr)
    def test_judge_that_raises_says_unknown(self, name: str, nonsense: object) -> None:
        verdict = _BY_ID[name].judge(nonsense)
        assert verdict.state is State.UNKNOWN
        assert verdict.reason.startswith("the judge failed on this observation: AttributeError: ")


class TestStartsBlank:
    def test_unknown_when_a_new_kernel_could_not_be_looked_at(self) -> None:
        seen = first(honest_trial(CALM), operations_before=None, error="it died")
        assert judge("starts-blank", seen) == Verdict.unknown("a new kernel could not be looked at: it died")

    def test_looks_at_the_second_kernel_too(self) -> None:
        assert judge("starts-blank", second(honest_trial(KILLED), operations_before=3)).state is State.FAIL
        assert judge("starts-blank", second(honest_trial(KILLED), session=True)).state is State.FAIL
        assert judge("starts-blank", second(honest_trial(COLD), imported=True)).state is State.FAIL
        assert judge("starts-blank", second(honest_trial(COLD), operations_before=None)).state is State.UNKNOWN


class TestExamples:
    @pytest.mark.parametrize(
        ("name", "setting"),
        [("graph-add", SEGV), ("variable-assign", CALM), ("gpu-matmul", MATMUL)],
        ids=str,
    )
    def test_one_that_did_not_run_fails_with_the_reason(self, name: str, setting: Setting) -> None:
        verdict = judge(name, first(honest_trial(setting), error="InternalError: no device"))
        assert verdict == Verdict.failed("the example did not run: InternalError: no device")

    @pytest.mark.parametrize("result", [5, 5.0])
    def test_a_whole_number_will_do(self, result: float) -> None:
        assert judge("graph-add", first(honest_trial(SEGV), result=result)).state is State.PASS

    def test_state_is_unknown_where_the_example_did_not_run(self) -> None:
        assert judge("state-lives-with-process", first(honest_trial(CALM), error="no")).state is State.UNKNOWN


def replied(seen: Observation, error: CellError | None) -> Observation:
    reply = Reply(ok=error is None, value=None, stdout="", stderr="", error=error, seconds=0.0)
    return dataclasses.replace(seen, outcome=Outcome(seen.setting.fault, reply, None))


class TestErrorIsNotDeath:
    def test_unknown_where_the_fault_is_not_possible(self) -> None:
        seen = dataclasses.replace(honest_trial(ERROR), outcome=None, not_possible="no limits here")
        assert judge("error-is-not-death", seen) == Verdict.unknown("no limits here")

    def test_unknown_where_the_fault_never_came(self) -> None:
        seen = dataclasses.replace(honest_trial(ERROR), outcome=None)
        assert judge("error-is-not-death", seen) == Verdict.unknown("the fault was not injected")

    def test_unknown_where_the_example_did_not_run(self) -> None:
        assert judge("error-is-not-death", first(honest_trial(ERROR), error="no")).state is State.UNKNOWN

    def test_fault_that_gives_no_error_fails(self) -> None:
        verdict = judge("error-is-not-death", replied(honest_trial(ERROR), None))
        assert verdict == Verdict.failed("index-error gave no error, not IndexError")

    def test_no_reply_at_all_fails(self) -> None:
        seen = dataclasses.replace(honest_trial(ERROR), outcome=Outcome("index-error", None, None))
        assert judge("error-is-not-death", seen).state is State.FAIL

    def test_another_error_fails_in_one_line(self) -> None:
        verdict = judge("error-is-not-death", replied(honest_trial(ERROR), CellError("OSError", "first\nsecond", "")))
        assert verdict == Verdict.failed("index-error gave OSError: first, not IndexError")

    @pytest.mark.parametrize("name", ["IndexError", "some.module.IndexError"])
    def test_error_is_known_by_the_end_of_its_name(self, name: str) -> None:
        assert judge("error-is-not-death", replied(honest_trial(ERROR), CellError(name, "", ""))).state is State.PASS

    def test_error_whose_name_only_ends_alike_fails(self) -> None:
        seen = replied(honest_trial(ERROR), CellError("mine.NoIndexError", "", ""))
        assert judge("error-is-not-death", seen).state is State.FAIL

    def test_any_of_several_errors_will_do(self) -> None:
        seen = dataclasses.replace(honest_trial(ERROR), expects=Lives(("KeyError", "IndexError")))
        assert judge("error-is-not-death", seen).state is State.PASS

    def test_another_process_fails(self) -> None:
        seen = dataclasses.replace(honest_trial(ERROR), process_after_fault=ProcessId(4211, 1001))
        assert judge("error-is-not-death", seen).state is State.FAIL

    def test_session_that_says_something_else_fails(self) -> None:
        seen = dataclasses.replace(honest_trial(ERROR), after_fault=1.0)
        assert "said 1.0" in judge("error-is-not-death", seen).reason

    def test_session_that_says_nothing_fails(self) -> None:
        seen = dataclasses.replace(honest_trial(ERROR), after_fault=None, after_fault_error="RuntimeError: closed")
        assert "could not be used" in judge("error-is-not-death", seen).reason


class TestDeathIsExplained:
    @pytest.mark.parametrize(
        "changes",
        [
            {"exit_status": None, "cause": Cause.UNKNOWN, "killer": Killer.UNKNOWN},
            {"exit_status": ExitStatus(signal=15)},
            {"exit_status": ExitStatus(code=9)},
            {"cause": Cause.OOM_KILL},
            {"cause": Cause.DEADLINE},
            {"killer": Killer.UNKNOWN},
            {"stdout": ""},
            {"stderr": ""},
        ],
        ids=str,
    )
    def test_anything_that_is_wrong_or_missing_fails(self, changes: dict[str, object]) -> None:
        assert judge("death-is-explained", death(honest_trial(KILLED), **changes)).state is State.FAIL

    def test_stack_is_wanted_of_crashes_only(self) -> None:
        assert judge("death-is-explained", death(honest_trial(KILLED), stack="")).state is State.PASS
        assert judge("death-is-explained", death(honest_trial(SEGV), stack="Fatal Python error")).state is State.FAIL

    def test_kernel_that_survives_fails(self) -> None:
        assert "survived sigkill" in judge("death-is-explained", survived(honest_trial(KILLED))).reason

    def test_unknown_when_nothing_says_what_must_follow(self) -> None:
        seen = dataclasses.replace(honest_trial(KILLED), expects=None)
        assert judge("death-is-explained", seen).state is State.UNKNOWN


class TestScriptDiesOfError:
    @pytest.mark.parametrize("status", [ExitStatus(code=0), ExitStatus(code=2), ExitStatus(signal=1), None], ids=str)
    def test_another_end_fails(self, status: ExitStatus | None) -> None:
        assert judge("script-dies-of-error", death(honest_trial(SCRIPT), exit_status=status)).state is State.FAIL

    @pytest.mark.parametrize("stderr", ["", "IndexError", "Traceback (most recent call last):\nKeyError"])
    def test_another_traceback_or_none_fails(self, stderr: str) -> None:
        assert judge("script-dies-of-error", death(honest_trial(SCRIPT), stderr=stderr)).state is State.FAIL


class TestProcessIsNew:
    @pytest.mark.parametrize("gone", [False, None])
    def test_process_that_nobody_reaped_fails(self, gone: bool | None) -> None:
        verdict = judge("process-is-new", dataclasses.replace(honest_trial(KILLED), old_is_gone=gone))
        assert verdict == Verdict.failed("process 4211 still exists after its death: nobody reaped it")

    def test_no_second_process_fails_with_the_reason(self) -> None:
        seen = dataclasses.replace(honest_trial(KILLED), second=None, no_restart="no memory")
        assert judge("process-is-new", seen) == Verdict.failed("no new process started: no memory")

    def test_same_process_fails(self) -> None:
        seen = honest_trial(KILLED)
        verdict = judge("process-is-new", second(seen, process=seen.first.process))
        assert verdict == Verdict.failed("process 4211 answered again after the restart")

    def test_same_pid_of_another_process_passes(self) -> None:
        assert judge("process-is-new", second(honest_trial(KILLED), process=ProcessId(4211, 2000))).state is State.PASS


class TestSessionIsRebuilt:
    @pytest.mark.parametrize(
        "changes",
        [
            {"operations_before": 1},
            {"operations_before": None, "error": "it died"},
            {"error": "InternalError"},
            {"operations_after": 14},
            {"operations_after": 6},
            {"operations_after": 0},
            {"operations_after": None},
            {"result": [1.0]},
        ],
        ids=str,
    )
    def test_anything_else_than_before_fails(self, changes: dict[str, object]) -> None:
        assert judge("session-is-rebuilt", second(honest_trial(KILLED), **changes)).state is State.FAIL

    def test_no_restart_fails_with_the_reason(self) -> None:
        seen = dataclasses.replace(honest_trial(KILLED), second=None, no_restart="no memory")
        assert judge("session-is-rebuilt", seen) == Verdict.failed("the kernel did not start again: no memory")


class TestVariableIsReset:
    @pytest.mark.parametrize("read", [[2.0, 2.0, 3.0], ["FailedPreconditionError", 2.0, 3.0], [1.0, 1.0, 2.0], None])
    def test_anything_but_uninitialised_then_1_then_2_fails(self, read: object) -> None:
        assert judge("variable-is-reset", second(honest_trial(KILLED), result=read)).state is State.FAIL

    def test_unknown_when_the_variable_had_not_been_changed(self) -> None:
        assert judge("variable-is-reset", first(honest_trial(KILLED), again=1.0)).state is State.UNKNOWN

    def test_unknown_when_the_example_did_not_run_again(self) -> None:
        assert judge("variable-is-reset", second(honest_trial(KILLED), error="it died")).state is State.UNKNOWN


class TestNothingIsLeft:
    def test_unknown_when_nobody_looked(self) -> None:
        assert judge("nothing-is-left", dataclasses.replace(honest_trial(KILLED), audit=None)).state is State.UNKNOWN

    def test_names_all_that_is_left(self) -> None:
        left = (
            Leak(Resource(Kind.PROCESS, "7", "1", detail="sleep 60"), 5, "import os"),
            Leak(Resource(Kind.FILE, "/tmp/a", "2", detail="file"), 5),
        )
        verdict = judge("nothing-is-left", dataclasses.replace(honest_trial(KILLED), audit=Audit(left)))
        assert verdict == Verdict.failed(
            "left behind: process 7 (sleep 60), first seen after the cell 'import os', temporary-file /tmp/a (file)"
        )

    def test_unknown_when_a_place_could_not_be_looked_at(self) -> None:
        blind = Audit(blind=(Blind(Kind.HANDLE, "/proc/7/fd", "Permission denied"),) * 5)
        verdict = judge("nothing-is-left", dataclasses.replace(honest_trial(KILLED), audit=blind))
        assert verdict.state is State.UNKNOWN
        assert verdict.reason.startswith("5 place(s) could not be looked at: /proc/7/fd: Permission denied;")

    def test_unknown_when_planted_leaks_are_not_found(self) -> None:
        seen = dataclasses.replace(honest_trial(KILLED), untrusted=(Kind.LOCK, Kind.SOCKET))
        verdict = judge("nothing-is-left", seen)
        assert verdict.state is State.UNKNOWN
        assert "lock, socket" in verdict.reason

    def test_a_leak_is_one_even_if_the_audit_is_not_trusted(self) -> None:
        left = Audit((Leak(Resource(Kind.PROCESS, "7"), 5),))
        seen = dataclasses.replace(honest_trial(KILLED), audit=left, untrusted=(Kind.LOCK,))
        assert judge("nothing-is-left", seen).state is State.FAIL


class TestAuditIsTrusted:
    def test_unknown_when_nothing_could_be_planted(self) -> None:
        seen = saw(PLANTED.settings[0], {"found": [], "missed": ["lock"]}, "no kernel")
        assert judge("audit-is-trusted", seen).state is State.UNKNOWN

    def test_unknown_when_the_machine_refuses_a_kind(self) -> None:
        facts = {"found": ["process"], "missed": [], "refused": {"semaphore": "Read-only file system"}, "seconds": 0.5}
        verdict = judge("audit-is-trusted", saw(PLANTED.settings[0], facts))
        assert verdict == Verdict.unknown("could not be planted here: semaphore: Read-only file system")

    def test_names_what_was_not_found(self) -> None:
        seen = saw(PLANTED.settings[0], {"found": ["process"], "missed": ["lock"], "refused": {}, "seconds": 0.5})
        assert judge("audit-is-trusted", seen) == Verdict.failed("planted and not found: lock")


GPU_SETTING = Setting("forkserver", "gpu-is-released", "sigkill")


def gpu(held: dict[str, Any] | None = None, **changes: Any) -> Facts[Handover]:
    share = Share(listed=True, memory=1000)
    release = Release(listed=False, seconds=0.2, baseline=5000, used=5000, error="", advisory="")
    seen = Handover(
        held=dataclasses.replace(share, **(held or {})), release=dataclasses.replace(release, **changes), again=share
    )
    return Facts(GPU_SETTING, INTERPRETER, seen)


def again(**changes: Any) -> Facts[Handover]:
    seen = gpu()
    return dataclasses.replace(
        seen, facts=dataclasses.replace(seen.facts, again=dataclasses.replace(seen.facts.again, **changes))
    )


def lost(seen: Facts[Handover]) -> Facts[Handover]:
    """The same, where NVML could not tell whether the GPU was released."""
    release = dataclasses.replace(seen.facts.release, error="GPU is lost", listed=None)
    return dataclasses.replace(seen, facts=dataclasses.replace(seen.facts, release=release))


class TestNoCudaContext:
    @pytest.mark.parametrize(
        ("seen", "state", "reason"),
        [
            (gpu(), State.PASS, "memory back at 5000 bytes"),
            (gpu({"listed": False}), State.UNKNOWN, "did not list the kernel while it lived"),
            (gpu({"listed": None}), State.UNKNOWN, "did not list the kernel while it lived"),
            (gpu({"listed": False}, listed=True), State.UNKNOWN, "did not list the kernel while it lived"),
            (gpu(error="NVML could not be read: lost", listed=None), State.UNKNOWN, "could not be read"),
            (gpu(listed=True), State.FAIL, "still lists the dead process"),
            (gpu(used=5000 + (8 << 20) + 1), State.FAIL, "8388609 bytes more are in use"),
            (gpu(used=5000 + (8 << 20)), State.PASS, ""),
            (gpu(used=1), State.PASS, ""),
            (gpu(used=None), State.PASS, "memory is no evidence here"),
            (gpu(baseline=None, advisory="shared"), State.PASS, "memory is no evidence here: shared"),
            (dataclasses.replace(gpu(), error="no GPU"), State.UNKNOWN, "no GPU"),
        ],
    )
    def test_what_was_seen_of_the_dead_one_counts(self, seen: Facts[Handover], state: State, reason: str) -> None:
        verdict = judge("no-cuda-context", seen)
        assert verdict.state is state, verdict
        assert reason in f"{verdict.reason} {verdict.given}"

    @pytest.mark.parametrize(
        ("seen", "state", "reason"),
        [
            (again(), State.PASS, "1000 bytes again, of 1000"),
            (gpu({"listed": False}), State.UNKNOWN, "nothing to compare with"),
            (again(error="out of memory"), State.FAIL, "could not use the GPU: out of memory"),
            (lost(again(error="no device")), State.UNKNOWN, "lost; the next kernel could not use the GPU: no device"),
            (lost(again()), State.PASS, "1000 bytes again, of 1000"),
            (again(listed=False), State.FAIL, "NVML doesn't list it"),
            (again(memory=950), State.PASS, "950 bytes again"),
            (again(memory=949), State.FAIL, "got 949 bytes"),
            (again(memory=None), State.UNKNOWN, "doesn't say here"),
            (gpu({"memory": 0}), State.UNKNOWN, "doesn't say here"),
            (dataclasses.replace(gpu(), error="no GPU"), State.UNKNOWN, "no GPU"),
        ],
    )
    def test_what_the_next_one_gets_counts(self, seen: Facts[Handover], state: State, reason: str) -> None:
        verdict = judge("gpu-is-usable-again", seen)
        assert verdict.state is state, verdict
        assert reason in verdict.reason


def runner(started: int, *left: Leftover, seconds: float = 2.0) -> Facts[RunnerDeath]:
    return Facts(DAEMON.settings[0], INTERPRETER, RunnerDeath(started=started, seconds=seconds), left=left)


class TestRunnerDeathLeavesNothing:
    def test_unknown_where_no_runner_was_killed(self) -> None:
        seen = saw(DAEMON.settings[0], error="no runner came up")
        assert judge("runner-death-leaves-nothing", seen) == Verdict.unknown("no runner came up")

    def test_survivor_fails_by_name(self) -> None:
        left = Leftover(ProcessId(7, 1), 1, "S", "sleep 60")
        verdict = judge("runner-death-leaves-nothing", runner(2, left))
        assert verdict == Verdict.failed("1 of 2 alive after 2 s: process 7 (sleep 60)")

    def test_survivor_that_came_later_fails_too(self) -> None:
        later = [Leftover(ProcessId(pid, 1), 1, "S", "sleep 60") for pid in (8, 9)]
        assert judge("runner-death-leaves-nothing", runner(1, *later)).state is State.FAIL

    def test_unknown_where_nothing_was_there_that_could_be_left(self) -> None:
        assert judge("runner-death-leaves-nothing", runner(0, seconds=0.1)).state is State.UNKNOWN

    @pytest.mark.parametrize(("seconds", "state"), [(0.0, State.PASS), (2.0, State.PASS), (2.01, State.UNKNOWN)])
    def test_unknown_when_the_last_look_was_later_than_what_is_promised(self, seconds: float, state: State) -> None:
        assert judge("runner-death-leaves-nothing", runner(1, seconds=seconds)).state is state


class TestGuarantees:
    def test_ids_are_stable(self) -> None:
        # Records of runs are compared by these: a new one is added, none is ever changed.
        assert {guarantee.id for guarantee in GUARANTEES} >= {
            "starts-blank",
            "graph-add",
            "variable-assign",
            "gpu-matmul",
            "state-lives-with-process",
            "error-is-not-death",
            "script-dies-of-error",
            "death-is-explained",
            "process-is-new",
            "session-is-rebuilt",
            "variable-is-reset",
            "nothing-is-left",
            "runner-death-leaves-nothing",
        }

    @pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda one: one.id)
    def test_each_says_what_must_hold_in_one_sentence(self, guarantee: Guarantee) -> None:
        assert re.fullmatch(r"[A-Z].*[a-z)0-9]\.", guarantee.statement)
        assert ". " not in guarantee.statement

    @pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda one: one.id)
    def test_each_is_asked_somewhere(self, guarantee: Guarantee) -> None:
        assert [setting for setting in settings() if guarantee.applies(setting)]


_JUDGES = sorted(Path(guarantees.__file__).parent.glob("*.py"))


def _versions(source: str) -> list[str]:
    """What in the code of a judge, its docstrings too, is a version or asks for one."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in {"interpreter", "tensorflow", "version", "version_info"}:
            found.append(ast.unparse(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # Values have one digit behind their point.
            found += re.findall(r"(?<![\d.])[12]\.\d\d(?!\d)", node.value)
        elif isinstance(node, ast.Tuple):
            values = [one.value for one in node.elts if isinstance(one, ast.Constant)]
            is_version = len(values) == len(node.elts) > 1 and all(type(value) is int for value in values)
            found += [ast.unparse(node)] if is_version else []
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found += [one.name for one in node.names if "version" in one.name.lower()]
            found += re.findall("packaging|defects", getattr(node, "module", None) or "")
    return found


@pytest.mark.parametrize("path", _JUDGES, ids=lambda path: path.stem)
def test_no_judge_knows_versions(path: Path) -> None:
    assert _versions(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "seen.interpreter.tensorflow",
        "text.startswith('1.15')",
        "if is_since((2, 18)): pass",
        "from packaging.version import parse",
        "from pytest_tfkernel.suite.defects.spans import Span",
        'def judge(seen):\n    "It is swallowed since 2.18."',
        "sys.version_info",
    ],
)
def test_that_look_finds_each(source: str) -> None:
    assert _versions(source)


def test_a_generation_that_showed_nothing_says_nothing() -> None:
    blank = Generation(ProcessId(1, 1))
    assert (blank.imported, blank.operations_before, blank.session, blank.again, blank.error) == (None,) * 4 + ("",)
