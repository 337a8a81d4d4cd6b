"""Reports of tests that ran in other processes: those that were told, and those of a death."""

from __future__ import annotations

import builtins
import importlib
import os
import sys
import warnings
from typing import Any

import pytest

from pytest_tfkernel.model.processes import Cause, Killer, PostMortem
from pytest_tfkernel.plugin.isolation import codec, subtests
from pytest_tfkernel.processes.wire import Message

MISSING = "this test was collected with all others, and isn't there when its file is collected alone"
_CAUSES = {
    Cause.OOM_KILL: "out of memory",
    Cause.DEADLINE: "it ran longer than it may",
}
_KILLERS = {Killer.OOM_KILLER: "killed by the OOM killer", Killer.US: "killed by its deadline"}
_CALLERS = ("_pytest", "pluggy", "pytest_tfkernel", "<frozen runpy>")
_AFTER = {None: "setup", "setup": "call", "call": "teardown"}


def told(config: pytest.Config, message: Message) -> Any:
    """A report as the other process has made it."""
    data = codec.decode(message["data"])
    report = config.hook.pytest_report_from_serializable(config=config, data=data)
    subtests.retell(config, report, data, message.get("failed_subtests", 0))
    if message.get("shown") is not None:
        report.longrepr = DistantRepresentation(report.longrepr, message["shown"])
    if isinstance(report, pytest.CollectReport):
        report.result = []
    return report


class DistantRepresentation:
    """A representation that was more than text in the other process, and has no crash entry that a summary shows."""

    def __init__(self, text: str, shown: str) -> None:
        self._text = text
        self._shown = shown

    def toterminal(self, writer: Any) -> None:
        """As pytest asks for it."""
        writer.write(self._shown)

    def __str__(self) -> str:
        return self._text


def of_death(
    item: pytest.Item, last: pytest.TestReport | None, post_mortem: PostMortem, output: tuple[str, str]
) -> pytest.TestReport:
    """That of the phase in which its process has died; `output` is what that phase has printed."""
    when = _AFTER[last.when if last is not None and not _is_rerun(last) else None]
    sections = list(last.sections) if last is not None else []
    for stream, text in zip(("stdout", "stderr"), output, strict=True):
        if text:
            sections.append((f"Captured {stream} {when}", text))
    return pytest.TestReport(
        item.nodeid,
        item.location,
        dict(item.keywords),
        "failed",
        described(post_mortem),
        when,  # type: ignore[arg-type]
        sections,
        duration=post_mortem.uptime,
        user_properties=list(last.user_properties) if last is not None else [],
    )


def described(post_mortem: PostMortem) -> str:
    """What a person reads of a death: what ended the process, and where it was."""
    status = "an unknown exit status" if post_mortem.exit_status is None else str(post_mortem.exit_status)
    why = ", ".join(filter(None, (_CAUSES.get(post_mortem.cause), _KILLERS.get(post_mortem.killer), post_mortem.note)))
    lines = [f"the process of the test died of {status}" + (f": {why}" if why else "")]
    if post_mortem.stack:
        lines.append(_without_frames_of_pytest(post_mortem.stack.strip()))
    for name, text in (("stdout", post_mortem.stdout), ("stderr", post_mortem.stderr)):
        if text.strip():
            lines += [f"--- {name} of the process", text.strip()]
    usage = post_mortem.usage
    used = "" if usage is None else f", {usage.user_seconds + usage.system_seconds:.1f} s of CPU time"
    lines.append(f"(process {post_mortem.process}, {post_mortem.uptime:.1f} s{used})")
    return "\n".join(lines)


def _without_frames_of_pytest(stack: str) -> str:
    """Without the frames by which every test is called, at the end of a thread's stack."""
    threads = stack.split("\n\n")
    kept = []
    for thread in threads:
        lines = thread.splitlines()
        while len(lines) > 1 and any(f"{os.sep}{one}{os.sep}" in lines[-1] or one in lines[-1] for one in _CALLERS):
            lines.pop()
        kept.append("\n".join(lines))
    return "\n\n".join(kept)


def failed(item: pytest.Item, words: str) -> pytest.TestReport:
    """That of a test that never ran."""
    return pytest.TestReport(item.nodeid, item.location, dict(item.keywords), "failed", words, "setup")


def after_passing(report: pytest.TestReport, post_mortem: PostMortem) -> pytest.TestReport:
    """The report of the last teardown, when the process died of something else than its end."""
    report.outcome = "failed"
    words = f"died after passing: {described(post_mortem)}"
    report.longrepr = words if report.longrepr is None else f"{report.longrepr}\n{words}"
    return report


def warning(config: pytest.Config, message: Message) -> None:
    """Let pytest hear of a warning that was recorded in the other process."""
    category = _category(*message["category"])
    recorded = warnings.WarningMessage(category(message["text"]), category, message["filename"], message["lineno"])
    config.hook.pytest_warning_recorded.call_historic(
        kwargs={
            "warning_message": recorded,
            "nodeid": message["nodeid"],
            "when": message["when"],
            "location": codec.decode(message["location"]),
        }
    )


def _category(module: str, name: str) -> type[Warning]:
    """The class itself where this process has it; else one that is called so."""
    found: Any = builtins if module == "builtins" else sys.modules.get(module)
    if found is None and module in sys.stdlib_module_names:
        found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if isinstance(found, type) and issubclass(found, Warning):
        return found
    return type(name.rpartition(".")[2], (Warning,), {"__module__": module})


def _is_rerun(report: pytest.TestReport) -> bool:
    return report.outcome not in ("passed", "failed", "skipped")
