"""The run in the terminal: the matrix, then each FAIL, KNOWN and UNKNOWN with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.trials import AS_TOLD, Capability, Record, Setting, State
from pytest_tfkernel.report.matrix import COLOURS, INDENT, Line, matrix, unique


def header(
    interpreters: Mapping[str, Interpreter], capabilities: Sequence[Capability], gpus: Sequence[str] = ()
) -> list[str]:
    """What is checked, what can be, and what can't with the reason; and a line for each thing to know of GPUs.

    `interpreters` are by label, which is left out where there is one.
    """
    can = ", ".join(one.summary for one in capabilities if one.available) or "nothing"
    missing: dict[str, list[str]] = {}
    for one in capabilities:
        if not one.available:
            missing.setdefault(one.reason, []).append(one.summary)
    return [
        *(f"tfkernel: kernels{label} are {one}" for label, one in _labelled(interpreters)),
        f"tfkernel: can check: {can}",
        *(f"tfkernel: can't check {', '.join(summaries)}: {reason}" for reason, summaries in missing.items()),
        *(f"tfkernel: {line}" for line in gpus),
    ]


def _labelled(interpreters: Mapping[str, Interpreter]) -> Iterator[tuple[str, Interpreter]]:
    for label, one in interpreters.items():
        yield f" {label}" if len(interpreters) > 1 else "", one


def summary(
    records: Sequence[Record],
    order: Sequence[Setting],
    columns: Sequence[str],
    capabilities: Sequence[Capability],
    command: str,
) -> Iterator[Line]:
    """All lines after the last test.

    `order` lists the settings as they are to be shown, and `columns` the examples that have one each;
    `command` is what to type in front of an id.
    """
    places = {setting: place for place, setting in enumerate(order)}
    records = sorted(records, key=lambda record: places.get(record.setting, len(places)))
    kernels = unique(setting.kernel for setting in order if setting.kernel is not None)
    several = len(kernels) > 1
    yield from matrix(records, columns, kernels if several else ())
    yield ((_totals(records), "bold"),)
    for state in (State.FAIL, State.KNOWN, State.UNKNOWN):
        yield from _listed([one for one in records if one.verdict.state is state], command, labelled=several)
    yield from _listed([one for one in records if one.verdict.is_mended], command, labelled=several)
    for one in capabilities:
        if one.name == "gpu" and not one.available:
            yield (("nothing about GPUs was checked: ", "yellow"), (one.reason, ""))
    if records and not any(record.verdict.state in AS_TOLD for record in records):
        yield (("nothing passed, so nothing was shown: this run is an error", "red"),)


def _totals(records: Sequence[Record]) -> str:
    states = [record.verdict.state for record in records]
    counts = ", ".join(f"{states.count(state)} {state.value}" for state in State)
    trials = len({record.setting for record in records})
    cold = sum(record.cold_starts for record in records)
    return f"{trials} trials with {cold} cold starts, {len(records)} verdicts: {counts}"


def unseen(entries: Iterable[str]) -> Iterator[Line]:
    """Known defects of the user's that no verdict of the run fits."""
    for entry in entries:
        yield (("known, but nothing here fits it: ", "yellow"), (entry, ""))


def _listed(records: Sequence[Record], command: str, *, labelled: bool) -> Iterator[Line]:
    """Each record: verdict, id, reason, and how to run just that one."""
    for record in records:
        state, setting = record.verdict.state, record.setting.named(labelled=labelled)
        yield ((state.value, COLOURS[state]), (f" {record.guarantee} [{setting}]", "bold"))
        yield ((f"{INDENT}{' '.join(record.verdict.said.split())}", ""),)
        yield ((f'{INDENT}{command} "{record.item}"', ""),)
