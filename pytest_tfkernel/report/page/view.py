"""What the page shows, in the order in which it shows it: the answer first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_tfkernel.model.trials import State
from pytest_tfkernel.report.compare.comparison import Comparison
from pytest_tfkernel.report.compare.states import of_test
from pytest_tfkernel.report.document import Document, Setting, Test, Verdict
from pytest_tfkernel.report.page import latencies, matrices, trials
from pytest_tfkernel.report.page.answers import answer
from pytest_tfkernel.report.page.compared import Compared, compared, ref_of
from pytest_tfkernel.report.page.matrices import Position
from pytest_tfkernel.report.page.tallies import VerdictCounts
from pytest_tfkernel.report.page.words import block, duration, line, plural, size, when

_MOST_FAILURES = 60
_MOST_REASONS = 20
_MOST_TESTS = 2_000
_TEST_TEXTS = 500_000
_REASON, _NAME = 600, 200


@dataclass(frozen=True)
class Failure:
    """A FAIL, or a KNOWN or UNKNOWN and how many share its reason; `place` is where to read on."""

    guarantee: str
    setting: Setting
    reason: str
    place: Position
    times: int = 1


@dataclass(frozen=True)
class OwnTest:
    """One of the user's tests; its `state` is that of the filter, its `anchor` how a link names it."""

    anchor: str
    item: str
    outcome: str
    state: str
    seconds: str
    error: str


@dataclass(frozen=True)
class Page:
    """Everything."""

    title: str
    state: str
    answer: str
    lead: str
    warnings: tuple[str, ...]
    document: Document
    tally: VerdictCounts
    machine: tuple[tuple[str, str], ...]
    failures: tuple[Failure, ...]
    more_failures: int
    failed_tests: tuple[OwnTest, ...]
    more_failed_tests: int
    known: tuple[Failure, ...]
    more_known: int
    mended: tuple[Failure, ...]
    more_mended: int
    unknown: tuple[Failure, ...]
    more_unknown: int
    compared: Compared | None
    guarantees: matrices.Matrix
    blocks: tuple[matrices.Block, ...]
    latencies: tuple[latencies.Plot, ...]
    trials: tuple[trials.Shown, ...]
    own_failed: int
    tests: tuple[OwnTest, ...]
    more_tests: int


def page(document: Document, ref: Document | Comparison | None = None) -> Page:
    """All that there is to show of a run, and of what differs from a ref. Needs `svg.settings`."""
    shown = trials.shown(document)
    places = {one.setting: one.place for one in shown}
    tally = VerdictCounts.of(document.verdicts)
    state, said = answer(document, tally)
    failures = [_failure(one, places) for one in _of(document, "FAIL")]
    known, unknown = ([*_by_reason(_of(document, state), places)] for state in ("KNOWN", "UNKNOWN"))
    own = sorted(document.tests, key=lambda test: of_test(test) is not State.FAIL)
    tests = [_own(one, number, len(own)) for number, one in enumerate(own[:_MOST_TESTS], 1)]
    own_failed = sum(of_test(test) is State.FAIL for test in own)
    mended = [*_by_reason([one for one in document.verdicts if one.is_mended], places)]
    return Page(
        title=f"{state or 'run'}: {said}",
        state=state,
        answer=said,
        lead=_lead(document, len(shown)),
        warnings=tuple(_warnings(document)),
        document=document,
        tally=tally,
        machine=tuple(_machine(document)),
        failures=tuple(failures[:_MOST_FAILURES]),
        more_failures=max(0, len(failures) - _MOST_FAILURES),
        failed_tests=tuple(tests[: min(own_failed, _MOST_FAILURES)]),
        more_failed_tests=max(0, own_failed - _MOST_FAILURES),
        known=tuple(known[:_MOST_REASONS]),
        more_known=max(0, len(known) - _MOST_REASONS),
        mended=tuple(mended[:_MOST_REASONS]),
        more_mended=max(0, len(mended) - _MOST_REASONS),
        unknown=tuple(unknown[:_MOST_REASONS]),
        more_unknown=max(0, len(unknown) - _MOST_REASONS),
        compared=None if ref is None else compared(document, ref, places),
        guarantees=matrices.by_guarantee(document.verdicts, places.__getitem__),
        blocks=tuple(matrices.blocks(document.verdicts, places.__getitem__)),
        latencies=tuple(latencies.plots(document, None if ref is None else ref_of(ref))),
        trials=tuple(shown),
        own_failed=own_failed,
        tests=tuple(tests),
        more_tests=max(0, len(document.tests) - _MOST_TESTS),
    )


def _lead(document: Document, played: int) -> str:
    kernels = document.environment.kernels
    names = [f"TensorFlow {line(one.tensorflow or 'none', 40)} on Python {line(one.python, 40)}" for one in kernels]
    what = f"{plural(played, 'trial')} with kernels of {_listed(names)}" if played else "No trial was played"
    took = f", in {duration(document.end.seconds)}" if document.end is not None else ""
    own = f" Beside them, {plural(len(document.tests), 'test')} of your own." if document.tests and played else ""
    return f"{what}{took}.{own}"


def _listed(names: Sequence[str]) -> str:
    if not names:
        return "an unknown TensorFlow"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _warnings(document: Document) -> Iterator[str]:
    if not document.complete:
        yield "This run was cut short. Here is what it had written until then: what is missing was not looked at."
    if document.end is not None and document.end.unreported:
        items = document.end.unreported
        few = ", ".join(line(item, _NAME) for item in items[:10])
        rest = f" and {len(items) - 10:,} more" if len(items) > 10 else ""  # noqa: PLR2004 - as above
        yield f"Collected, but never reported: {few}{rest}."


def _machine(document: Document) -> Iterator[tuple[str, str]]:
    environment, machine = document.environment, document.environment.machine
    yield "began", when(document.began)
    cgroup = f", cgroup v{machine.cgroup}" if machine.cgroup is not None else ""
    cpus = plural(machine.cpus, "CPU")
    yield "machine", f"Linux {machine.linux}, {machine.architecture}, {cpus}, {size(machine.memory)}{cgroup}"
    driver = f"; driver {machine.driver}" if machine.driver else ""
    yield "GPUs", (", ".join(machine.gpus) or "none") + driver
    packages = environment.packages.items()
    yield "beside pytest", ", ".join(f"{name} {version}" for name, version in packages) or "\u2013"
    if environment.options:
        yield "command line", line(" ".join(environment.options), _REASON)
    if document.end is not None:
        yield "exit code", str(document.end.exit_code)


def _failure(one: Verdict, places: dict[Setting, Position], times: int = 1) -> Failure:
    return Failure(line(one.guarantee, _NAME), one.setting, line(one.said, _REASON), places[one.setting], times)


def _of(document: Document, state: str) -> list[Verdict]:
    return [one for one in document.verdicts if one.verdict == state]


def _by_reason(verdicts: Sequence[Verdict], places: dict[Setting, Position]) -> Iterator[Failure]:
    """One for each reason: a machine without a GPU has hundreds that are the same."""
    reasons: dict[str, list[Verdict]] = {}
    for one in verdicts:
        reasons.setdefault(line(one.said, _REASON), []).append(one)
    for group in sorted(reasons.values(), key=len, reverse=True):
        yield _failure(group[0], places, len(group))


def _own(test: Test, number: int, total: int) -> OwnTest:
    limit = min(4_000, max(200, _TEST_TEXTS // total))
    texts = [": ".join(text for text in (test.error_type, test.error_message) if text), *map(str, test.leaks)]
    return OwnTest(
        anchor=f"own-{number}",
        item=line(test.item, _NAME),
        outcome=line(test.outcome, _NAME),
        state=of_test(test).value,
        seconds=duration(test.seconds),
        error=block("\n".join(text for text in texts if text), limit),
    )
