"""What a session sees, as parts of a run document."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pytest_tfkernel.gate.findings import Finding
from pytest_tfkernel.model.errors import TFKernelError
from pytest_tfkernel.model.facts import plain
from pytest_tfkernel.model.processes import Leftover, PostMortem, signal_name
from pytest_tfkernel.model.resources import Kind, Leak, Resource
from pytest_tfkernel.model.trials import Moment, Observation, Record, Setting
from pytest_tfkernel.plugin import raised, workers
from pytest_tfkernel.plugin.suite.playing import Played
from pytest_tfkernel.report import document
from pytest_tfkernel.trials import placement


def _setting(setting: Setting) -> document.Setting:
    return document.Setting(
        kernel=setting.kernel,
        provisioner=setting.provisioner,
        example=setting.example,
        fault=setting.fault,
        phase=setting.phase,
    )


def trial(setting: Setting, played: Played) -> document.Trial:
    """A trial that was played."""
    seen = played.seen
    fields: dict[str, Any] = {}
    if isinstance(seen, Observation):
        fields = _of_observation(seen)
    elif isinstance(seen, TFKernelError):
        fields = {"impossible": str(seen)}
    else:
        fields = {
            "facts": _without_values(plain(seen.facts)),
            "leaks": [_survivor(one) for one in seen.left],
            "impossible": seen.error,
        }
    return document.Trial(setting=_setting(setting), seconds=played.seconds, cold_starts=played.cold_starts, **fields)


def _without_values(facts: Any) -> Any:
    """Facts whose environments are names only: a document is passed on, and the values may be secrets."""
    if isinstance(facts, dict):
        return {
            name: sorted(fact) if name == "environment" and isinstance(fact, dict) else _without_values(fact)
            for name, fact in facts.items()
        }
    return [_without_values(one) for one in facts] if isinstance(facts, list) else facts


def verdict(record: Record) -> document.Verdict:
    """A verdict that was given."""
    return document.Verdict(
        guarantee=record.guarantee,
        setting=_setting(record.setting),
        item=record.item,
        verdict=record.verdict.state.value,
        reason=record.verdict.reason,
        given=record.verdict.given,
        defect=record.verdict.defect,
    )


def _of_observation(seen: Observation) -> dict[str, Any]:
    reply = seen.outcome.reply if seen.outcome is not None else None
    error = reply.error if reply is not None else None
    died = seen.outcome.post_mortem if seen.outcome is not None else None
    return {
        "result": seen.first.result,
        "ran_on": [
            placement.short(device) for device in placement.products((seen.first.details or {}).get("ran") or ())
        ],
        "error_type": error.type if error is not None else None,
        "error_message": error.message[: document.LONGEST_MESSAGE] if error is not None else None,
        "death": _death(died) if died is not None else None,
        "leaks": [_leak(leak) for leak in seen.audit.leaks] if seen.audit is not None else [],
        "timeline": [_moment(moment) for moment in seen.timeline],
        "impossible": seen.not_possible or seen.first.error or seen.no_restart,
    }


def _leak(leak: Leak) -> document.Leak:
    return msgspec.structs.replace(_left(leak.resource), since=leak.since or None)


def _left(thing: Resource) -> document.Leak:
    return document.Leak(kind=thing.kind.value, name=thing.name, detail=thing.detail)


def _survivor(one: Leftover) -> document.Leak:
    kind = Kind.ZOMBIE if one.state == "Z" else Kind.PROCESS
    return document.Leak(kind=kind.value, name=str(one.process), detail=one.command or "no command line")


def _death(died: PostMortem) -> document.Death:
    status, usage = died.exit_status, died.usage
    return document.Death(
        code=status.code if status is not None else None,
        signal=signal_name(status.signal) if status is not None and status.signal is not None else None,
        cause=died.cause.value,
        killer=died.killer.value,
        uptime=died.uptime,
        cpu=usage.user_seconds + usage.system_seconds if usage is not None else None,
        peak_memory=usage.max_rss if usage is not None else None,
        report=died.describe(),
    )


def _moment(moment: Moment) -> document.Moment:
    return document.Moment(
        name=moment.name,
        seconds=moment.seconds,
        memory=moment.memory,
        threads=moment.threads,
        handles=moment.handles,
        gpu_memory=moment.gpu_memory,
    )


class OwnTests:
    """The user's own tests, put together from the reports of their phases."""

    def __init__(self) -> None:
        self._phases: dict[str, list[pytest.TestReport]] = {}
        # Those whose present try is repeated, as pytest-rerunfailures does it.
        self._repeated: set[str] = set()

    def add(self, report: pytest.TestReport) -> document.Test | None:
        """The test, when this was its last report."""
        phases = self._phases.setdefault(report.nodeid, [])
        phases.append(report)
        if report.outcome not in ("passed", "failed", "skipped"):
            self._repeated.add(report.nodeid)
        # That of a worker that crashed has no phase, and nothing comes after it.
        if report.when in ("setup", "call"):
            return None
        del self._phases[report.nodeid]
        if report.nodeid in self._repeated:
            self._repeated.discard(report.nodeid)
            return None
        return _test(phases)


def _test(phases: list[pytest.TestReport]) -> document.Test:
    failed = next((report for report in phases if report.failed), None)
    kind, message = raised.noted(failed) or (None, None)
    if failed is not None and kind is None:
        message = str(failed.longrepr)[: document.LONGEST_MESSAGE]
    left = [_left(one) for report in phases for found in _findings(report) for one in found.left]
    file, line, _ = phases[-1].location
    return document.Test(
        item=phases[-1].nodeid,
        # Of a worker that crashed, pytest-xdist knows no line.
        file=file or None,
        line=None if line is None else line + 1,
        outcome=_outcome(phases, failed),
        seconds=sum(report.duration for report in phases),
        error_type=kind,
        error_message=message,
        leaks=left,
        process=workers.attached(phases[-1], workers.PROCESS, document.IsolatedProcess),
    )


def _findings(report: pytest.TestReport) -> tuple[Finding, ...]:
    return workers.attached(report, workers.FINDINGS, tuple[Finding, ...]) or ()


def _outcome(phases: list[pytest.TestReport], failed: pytest.TestReport | None) -> document.OutcomeWord:
    if failed is not None:
        return "error" if failed.when in ("setup", "teardown") else "failed"
    excused = any(hasattr(report, "wasxfail") for report in phases)
    if any(report.skipped for report in phases):
        return "xfailed" if excused else "skipped"
    return "xpassed" if excused else "passed"
