"""Reports of tests that ran in other processes: those that were told, and those of a death."""

from __future__ import annotations

import builtins
import importlib
import sys
import warnings
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from pytest_tfkernel.model.processes import PostMortem, signal_name
from pytest_tfkernel.plugin import workers
from pytest_tfkernel.plugin.isolation import codec, subtests
from pytest_tfkernel.plugin.isolation.phases import MOST_BYTES
from pytest_tfkernel.processes.wire import Message
from pytest_tfkernel.report.document import IsolatedProcess

_MISSING = "this test was collected with all others, and isn't there when its file is collected alone"
NO_REPORT = "its process says that this test ran, and has told no report of that"


class UnreadableError(Exception):
    """What was told is no report."""


def told(config: pytest.Config, message: Message) -> Any:
    """A report as the other process has made it. Raises UnreadableError."""
    try:
        data = codec.decode(message["data"])
        report = config.hook.pytest_report_from_serializable(config=config, data=data)
        if _is_sound(report):
            subtests.retell(config, report, data, message.get("failed_subtests") or 0)
    except Exception as error:  # noqa: BLE001 - whatever it is, and whichever plugin reads it
        raise UnreadableError(f"a report of it can't be read: {type(error).__name__}: {error}") from None
    if not _is_sound(report):
        raise UnreadableError("a report of it can't be read: it is none, or has parts that no report has")
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


def missing(why: str) -> str:
    """What is told of a test that its own process doesn't know, where collecting has told why."""
    return f"{_MISSING}:\n{why}" if why else _MISSING


def failed(item: pytest.Item, words: str) -> pytest.TestReport:
    """That of a test that never ran."""
    return pytest.TestReport(item.nodeid, item.location, dict.fromkeys(item.keywords, 1), "failed", words, "setup")


def torn_down(item: pytest.Item, last: pytest.TestReport) -> pytest.TestReport:
    """The report that comes last of each test, where its process can't tell it: some wait for it."""
    return pytest.TestReport(
        item.nodeid,
        item.location,
        dict.fromkeys(item.keywords, 1),
        "passed",
        None,
        "teardown",
        list(last.sections),
        user_properties=list(last.user_properties),
    )


def tell_process(report: pytest.TestReport, how: str, peak: int | None) -> None:
    """Say in the last report of a test in which process it ran, for the run document."""
    workers.attach(report, workers.PROCESS, IsolatedProcess(how=how, peak_memory=peak))


def tell_end(report: pytest.TestReport, post_mortem: PostMortem, *, died: bool) -> None:
    """Say how that process has ended, as it was to or not."""
    told_before = workers.attached(report, workers.PROCESS, IsolatedProcess)
    status, usage = post_mortem.exit_status, post_mortem.usage
    if told_before is None or status is None:
        return
    ended = msgspec.structs.replace(
        told_before,
        code=status.code,
        signal=signal_name(status.signal) if status.signal is not None else None,
        cause=post_mortem.cause.value if died else None,
        peak_memory=told_before.peak_memory or (usage.max_rss if usage is not None else None),
    )
    workers.attach(report, workers.PROCESS, ended)


def tell_cut(report: pytest.TestReport, cut: Mapping[str, tuple[int, str]]) -> None:
    """Say of what a phase has printed that not all of it is there."""
    for name, (count, end) in cut.items():
        words = f"({count} bytes were cut, since there were more than {MOST_BYTES >> 20} MiB; the last of them:)\n{end}"
        report.sections.append((f"Captured {name} {report.when}, cut", words))


def warning(config: pytest.Config, message: Message) -> None:
    """Let pytest hear of a warning that was recorded in the other process."""
    category = _category(*message["category"])
    try:
        text: Warning | str = category(message["text"])
    except Exception:  # noqa: BLE001 - one that is made of something else
        text = message["text"]
    recorded = warnings.WarningMessage(text, category, message["filename"], message["lineno"])
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


def _is_sound(report: object) -> bool:
    """Whether all that pytest and others read of it without a look is what they think."""
    if not isinstance(report, pytest.TestReport | pytest.CollectReport):
        return False
    is_sound = isinstance(report.nodeid, str) and isinstance(report.outcome, str) and _are_pairs(report.sections)
    if isinstance(report, pytest.CollectReport) or not is_sound:
        return is_sound
    return (
        report.when in ("setup", "call", "teardown")
        and isinstance(report.location, tuple)
        and len(report.location) == 3  # noqa: PLR2004 - path, line, name
        and isinstance(report.keywords, dict)
        and isinstance(report.duration, int | float)
        and isinstance(report.user_properties, list)
        and all(isinstance(one, tuple | list) and len(one) == 2 for one in report.user_properties)  # noqa: PLR2004
    )


def _are_pairs(sections: object) -> bool:
    return isinstance(sections, list) and all(
        isinstance(one, tuple | list) and len(one) == 2 and all(isinstance(part, str) for part in one)  # noqa: PLR2004
        for one in sections
    )
