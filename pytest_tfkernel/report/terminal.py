"""The run in the terminal: the matrix, then each FAIL, KNOWN and UNKNOWN with its reason."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.numbers import counted
from pytest_tfkernel.model.trials import Capability, Record, Setting, State
from pytest_tfkernel.report.matrix import COLOURS, INDENT, WIDTH, Line, matrix, unique

# Of a reason; the whole of it is in documents.
_MOST = 400


def header(
    interpreters: Mapping[str, Interpreter],
    capabilities: Sequence[Capability],
    gpus: Sequence[str] = (),
    width: int = WIDTH,
) -> list[str]:
    """What is checked, what can be, and what can't with the reason; and what there is to know of GPUs.

    `interpreters` are by label, which is left out where there is one. Lines are broken before `width`, between words.
    """
    can = ", ".join(one.summary for one in capabilities if one.available) or "nothing"
    missing: dict[str, list[str]] = {}
    for one in capabilities:
        if not one.available:
            missing.setdefault(one.reason, []).append(one.summary)
    lines = [
        *(f"kernels{label} are {one}" for label, one in _labelled(interpreters)),
        f"can check: {can}",
        *(f"can't check {', '.join(summaries)}: {reason}" for reason, summaries in missing.items()),
        *gpus,
    ]
    return [part for line in lines for part in _wrapped(f"tfkernel: {line}", width)]


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent + INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _labelled(interpreters: Mapping[str, Interpreter]) -> Iterator[tuple[str, Interpreter]]:
    for label, one in interpreters.items():
        yield f" {label}" if len(interpreters) > 1 else "", one


@dataclass(frozen=True)
class Layout:
    """How verdicts are shown: settings in this `order`, and the examples that have a column each.

    `command` is what to type in front of an id; `width` is how many characters a line has.
    """

    order: Sequence[Setting]
    columns: Sequence[str]
    command: str = "pytest"
    width: int = WIDTH


def summary(records: Sequence[Record], capabilities: Sequence[Capability], layout: Layout) -> Iterator[Line]:
    """All lines after the last test."""
    order, columns, command, width = layout.order, layout.columns, layout.command, layout.width
    places = {setting: place for place, setting in enumerate(order)}
    records = sorted(records, key=lambda record: places.get(record.setting, len(places)))
    kernels = unique(setting.kernel for setting in order if setting.kernel is not None)
    several = len(kernels) > 1
    yield from matrix(records, columns, kernels if several else (), width)
    yield ((_totals(records), "bold"),)
    for state in (State.FAIL, State.KNOWN, State.UNKNOWN):
        yield from _listed([one for one in records if one.verdict.state is state], command, width, labelled=several)
    yield from _listed([one for one in records if one.verdict.is_mended], command, width, labelled=several)
    for one in capabilities:
        if one.name == "gpu" and not one.available:
            yield (("nothing about GPUs was checked: ", "yellow"), (one.reason, ""))
    if records and all(record.verdict.state is State.UNKNOWN for record in records):
        yield (("no verdict is PASS, so nothing was shown: this run is an error", "red"),)


def _totals(records: Sequence[Record]) -> str:
    states = [record.verdict.state for record in records]
    counts = ", ".join(f"{states.count(state)} {state.value}" for state in State)
    trials = len({record.setting for record in records})
    cold = sum(record.cold_starts for record in records)
    words = f"{counted(trials, 'trial')} with {counted(cold, 'cold start')}, {counted(len(records), 'verdict')}"
    return f"{words}: {counts}"


def unseen(entries: Iterable[str]) -> Iterator[Line]:
    """Known defects of the user's that no verdict of the run fits."""
    for entry in entries:
        yield (("known, but nothing here fits it: ", "yellow"), (entry, ""))


def _listed(records: Sequence[Record], command: str, width: int, *, labelled: bool) -> Iterator[Line]:
    """Each record: verdict, id, reason, and how to run just that one; UNKNOWNs of one reason together."""
    alike: dict[object, list[Record]] = {}
    for number, record in enumerate(records):
        alike.setdefault(record.verdict.said if record.verdict.state is State.UNKNOWN else number, []).append(record)
    for found in alike.values():
        if len(found) > 1:
            yield from _together(found, command, width, labelled=labelled)
            continue
        (record,) = found
        state, setting = record.verdict.state, record.setting.named(labelled=labelled)
        yield ((state.value, COLOURS[state]), (f" {record.guarantee} [{setting}]", "bold"))
        yield from _reason(record, width)
        yield ((f'{INDENT}{command} "{record.item}"', ""),)


def _together(records: Sequence[Record], command: str, width: int, *, labelled: bool) -> Iterator[Line]:
    """A line for each guarantee, and how to run one of them."""
    state = records[0].verdict.state
    yield ((f"{state.value} {len(records)} times", COLOURS[state]),)
    yield from _reason(records[0], width)
    for name in unique(record.guarantee for record in records):
        own = [record for record in records if record.guarantee == name]
        more = f" and {len(own) - 1} more" if len(own) > 1 else ""
        yield ((f"{INDENT}{name}", "bold"), (f" [{own[0].setting.named(labelled=labelled)}]{more}", ""))
    yield ((f'{INDENT}such as {command} "{records[0].item}"', ""),)


def _reason(record: Record, width: int) -> Iterator[Line]:
    """Of a reason in several lines the first; what follows is a post-mortem, say, which the report of the item has."""
    said = " ".join(record.verdict.said.partition("\n")[0].split())
    said = said if len(said) <= _MOST else f"{said[:_MOST]} [...]"
    yield from (((line, ""),) for line in _wrapped(said, width, INDENT))
