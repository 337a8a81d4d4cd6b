"""Each trial as the page shows it, within bounds: its verdicts, its death, its timeline, and what else was seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pytest_tfkernel.report.document import Death, Document, Moment, Setting, Trial, Verdict
from pytest_tfkernel.report.page.matrices import Position
from pytest_tfkernel.report.page.tallies import WORST_FIRST, VerdictCounts
from pytest_tfkernel.report.page.timelines import Timelines
from pytest_tfkernel.report.page.words import block, count, duration, line, namer, plural, size, value

# What all texts of trials together may take of a page, in bytes: what went wrong, and what went well.
_BAD, _GOOD = 1_200_000, 700_000
_REASONS = 600_000
_NAME, _LINE = 120, 400
_MOST_LINES = 40
_MOST_ROWS = 24
# Beyond this, only what went wrong has a picture: a page must open at once.
_MOST_PICTURES = 1_000


@dataclass(frozen=True)
class Limits:
    """How long one text may be, in bytes: of a trial in which all passed, of another one, and of a reason."""

    good: int
    bad: int
    reason: int

    def of(self, tally: VerdictCounts) -> int:
        """For the texts of a trial with these verdicts."""
        return self.good if tally.state == "PASS" else self.bad


@dataclass(frozen=True)
class Judged:
    """A verdict within bounds."""

    guarantee: str
    state: str
    reason: str
    item: str


@dataclass(frozen=True)
class MomentInWords:
    """A moment, in words."""

    name: str
    at: str
    memory: str
    threads: str
    handles: str
    gpu_memory: str


@dataclass(frozen=True)
class Shown:
    """A trial on the page. `seen` are names and texts, `post_mortem` is empty for a kernel that lives."""

    place: Position
    setting: Setting
    tally: VerdictCounts
    seconds: str
    verdicts: tuple[Judged, ...]
    seen: tuple[tuple[str, str], ...]
    post_mortem: str
    picture: Markup
    moments: tuple[MomentInWords, ...]
    more_moments: int
    has_gpu_memory: bool


@dataclass(frozen=True)
class _Found:
    """What a document has about one setting."""

    setting: Setting
    trial: Trial | None
    verdicts: tuple[Verdict, ...]
    tally: VerdictCounts


def shown(document: Document) -> list[Shown]:
    """All trials, the worst first; also those of which there are only verdicts. Needs `svg.settings`."""
    found = _found(document)
    limits = _limits([one.tally for one in found], document)
    name, drawer = namer(), Timelines()
    trials = []
    for number, one in enumerate(found):
        setting = one.setting
        anchor = name(f"t-{setting}-{setting.kernel or ''}")
        has_picture = number < _MOST_PICTURES or one.tally.state != "PASS"
        picture = drawer.draw(one.trial.timeline) if has_picture and one.trial is not None else Markup()
        trials.append(_shown(one, Position(number, anchor), limits, picture))
    return trials


def _found(document: Document) -> list[_Found]:
    # A trial that was played again stands for the one before it.
    trials = {trial.setting: trial for trial in document.trials}
    verdicts: dict[Setting, list[Verdict]] = {setting: [] for setting in trials}
    for one in document.verdicts:
        verdicts.setdefault(one.setting, []).append(one)
    found = []
    for setting, group in verdicts.items():
        judged = sorted(group, key=lambda one: WORST_FIRST.index(one.verdict))
        found.append(_Found(setting, trials.get(setting), tuple(judged), VerdictCounts.of(judged)))
    order = (*WORST_FIRST, "")
    return sorted(found, key=lambda one: order.index(one.tally.state))


def _limits(tallies: Sequence[VerdictCounts], document: Document) -> Limits:
    good = sum(tally.state == "PASS" for tally in tallies)
    bad = len(tallies) - good
    return Limits(
        good=min(2_000, max(300, _GOOD // max(1, good))),
        bad=min(12_000, max(500, _BAD // max(1, bad))),
        reason=min(1_500, max(160, _REASONS // max(1, len(document.verdicts)))),
    )


def _shown(found: _Found, place: Position, limits: Limits, picture: Markup) -> Shown:
    trial, limit = found.trial, limits.of(found.tally)
    timeline = trial.timeline if trial is not None else []
    # Cells are many; what happened to the kernel is never left out.
    rows = [moment for moment in timeline if moment.name != "cell"][:_MOST_ROWS]
    cells = [moment for moment in timeline if moment.name == "cell"][: _MOST_ROWS - len(rows)]
    rows = sorted([*rows, *cells], key=lambda moment: moment.seconds)
    return Shown(
        place=place,
        setting=found.setting,
        tally=found.tally,
        seconds=duration(trial.seconds) if trial is not None else "",
        verdicts=tuple(_judged(one, limits.reason) for one in found.verdicts),
        seen=tuple(_seen(trial, limit)) if trial is not None else (("trial", "no record: the run ended before it"),),
        post_mortem=block(trial.death.report, limit) if trial is not None and trial.death is not None else "",
        picture=picture,
        moments=tuple(map(_moment, rows)),
        more_moments=len(timeline) - len(rows),
        has_gpu_memory=any(moment.gpu_memory is not None for moment in rows),
    )


def _judged(one: Verdict, limit: int) -> Judged:
    return Judged(
        line(one.guarantee, _NAME),
        one.verdict,
        line(one.said, limit),
        line(one.item, _LINE),
    )


def _moment(moment: Moment) -> MomentInWords:
    return MomentInWords(
        line(moment.name, _NAME),
        f"{moment.seconds:.3f} s",
        size(moment.memory),
        count(moment.threads),
        count(moment.handles),
        size(moment.gpu_memory),
    )


def _seen(trial: Trial, limit: int) -> Iterator[tuple[str, str]]:
    """Names and texts, in the order of a trial."""
    if trial.result is not None:
        yield "result", value(trial.result, _LINE)
    if trial.ran_on:
        yield "ran on", line(", ".join(trial.ran_on), _LINE)
    if trial.impossible:
        yield "not possible", line(trial.impossible, limit)
    if trial.error_type is not None or trial.error_message is not None:
        error = ": ".join(text for text in (trial.error_type, trial.error_message) if text)
        yield "the fault's reply", block(error, limit // 2)
    if trial.death is not None:
        yield "death", "; ".join(_death(trial.death))
    if trial.leaks:
        yield "left behind", _lines([*map(str, trial.leaks)], limit // 2)
    if trial.cold_starts:
        yield "cold starts", count(trial.cold_starts)
    facts = list(trial.facts.items())
    for name, fact in facts[:_MOST_LINES]:
        yield line(name, _NAME), value(fact, min(_LINE, limit))
    if len(facts) > _MOST_LINES:
        yield "more", plural(len(facts) - _MOST_LINES, "fact") + " in the run document"


def _death(death: Death) -> Iterator[str]:
    if death.signal is not None:
        yield line(death.signal, _NAME)
    elif death.code is not None:
        yield f"exit code {death.code}"
    if death.cause:
        yield f"cause: {line(death.cause, _NAME)}"
    if death.killer:
        yield f"killed by: {line(death.killer, _NAME)}"
    if death.uptime is not None:
        yield f"lived {duration(death.uptime)}"
    if death.cpu is not None:
        yield f"CPU time {duration(death.cpu)}"
    if death.peak_memory is not None:
        yield f"peak memory {size(death.peak_memory)}"


def _lines(lines: Sequence[str], limit: int) -> str:
    more = [f"… and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else []
    return block("\n".join([*(line(one, _LINE) for one in lines[:_MOST_LINES]), *more]), limit)
