"""What one trial, verdict or test was in ref, and what it is in changed."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence

from pytest_tfkernel.model.resources import Kind
from pytest_tfkernel.model.trials import State
from pytest_tfkernel.report.compare.alike import normal, same_text, same_value, shared_path
from pytest_tfkernel.report.compare.differences import About, Change, Difference
from pytest_tfkernel.report.compare.pairs import Pair, Pairs, Place
from pytest_tfkernel.report.compare.states import change, of_test, of_verdict
from pytest_tfkernel.report.document import Death, Leak, Test, Trial, Verdict
from pytest_tfkernel.report.needs import needs
from pytest_tfkernel.report.store import encode

_NOTHING = "nothing"


def differences(pairs: Pairs) -> Iterator[Difference]:
    """All but those of time and memory."""
    scenarios = {place for place, one in pairs.trials.items() if one.ref is not None and one.ref.facts}
    for (guarantee, place), verdicts in pairs.verdicts.items():
        if not _says_why_nobody_could_look(verdicts, pairs.lacks):
            yield from _of_verdicts(guarantee, place, verdicts, is_scenario=place in scenarios)
    judged_in_ref = {place for (_, place), one in pairs.verdicts.items() if one.ref is not None}
    judged_now = {place for (_, place), one in pairs.verdicts.items() if one.changed is not None}
    for place, trials in pairs.trials.items():
        if trials.ref is not None and trials.changed is not None:
            yield from _of_trials(place, trials.ref, trials.changed)
        # Otherwise its verdicts say so.
        elif trials.changed is None and place not in judged_in_ref:
            yield Difference(Change.MISSING, About.TRIAL, "", str(place), place.kernel, "run", "not run")
        elif trials.ref is None and place not in judged_now:
            yield Difference(Change.NEW, About.TRIAL, "", str(place), place.kernel, "not run", "run")
    for item, tests in pairs.tests.items():
        yield from _of_tests(item, tests)


def _says_why_nobody_could_look(pair: Pair[Verdict], lacks: tuple[frozenset[str], frozenset[str]]) -> bool:
    """Whether both runs lacked what it takes: why is of the machines, and stands with what else differs of them."""
    return all(
        one is not None and of_verdict(one) is State.UNKNOWN and any(needs(one, name) for name in lacking)
        for one, lacking in zip((pair.ref, pair.changed), lacks, strict=True)
    )


def _of_verdicts(guarantee: str, place: Place, pair: Pair[Verdict], *, is_scenario: bool) -> Iterator[Difference]:
    ref = None if pair.ref is None else of_verdict(pair.ref)
    changed = None if pair.changed is None else of_verdict(pair.changed)
    found = change(ref, changed)
    if found in {Change.KNOWN, Change.FIXED} and _is_seen_sometimes(pair):
        return
    if found is not None:
        before, after = (_said(one) for one in (pair.ref, pair.changed))
        yield Difference(found, About.GUARANTEE, guarantee, str(place), place.kernel, before, after)
    elif pair.ref is not None and pair.changed is not None and (is_scenario or changed is not State.PASS):
        before, after = pair.ref.reason, pair.changed.reason
        # What a scenario saw differs from run to run in every detail: its judge says what of it matters.
        kind = Change.FACT if changed is State.PASS else Change.MESSAGE
        if not same_text(before, after):
            yield Difference(kind, About.GUARANTEE, guarantee, str(place), place.kernel, before, after)


def _is_seen_sometimes(pair: Pair[Verdict]) -> bool:
    """Whether both runs list the same defect, which only sometimes shows: then only one of them has seen it."""
    ref, changed = (None if one is None else one.defect for one in (pair.ref, pair.changed))
    return ref is not None and changed is not None and ref.id == changed.id and not (ref.always or changed.always)


def _said(verdict: Verdict | None) -> str:
    if verdict is None:
        return "not run"
    reason = f": {verdict.reason}" if verdict.reason and verdict.verdict != State.PASS.value else ""
    return f"{verdict.verdict}{reason}"


def _of_trials(place: Place, ref: Trial, changed: Trial) -> Iterator[Difference]:
    if ref.impossible or changed.impossible:
        # There is nothing to be seen then, and the verdicts are UNKNOWN with that reason.
        return

    def note(kind: Change, before: str, after: str, name: str = "") -> Difference:
        return Difference(kind, About.TRIAL, name, str(place), place.kernel, before, after)

    if _key(ref.death) != _key(changed.death):
        yield note(Change.EXIT, _ended(ref.death), _ended(changed.death))
    for kind, before, after in _of_errors(ref, changed):
        yield note(kind, before, after)
    if not same_value(ref.result, changed.result):
        yield note(Change.RESULT, _shown(ref.result), _shown(changed.result))
    for kind, before, after, alike in _of_leaks(ref.leaks, changed.leaks):
        yield dataclasses.replace(note(kind, before, after), alike=alike)


def _of_tests(item: str, pair: Pair[Test]) -> Iterator[Difference]:
    ref, changed = pair.ref, pair.changed
    found = change(None if ref is None else of_test(ref), None if changed is None else of_test(changed))
    if found is not None:
        before, after = ("not run" if one is None else _outcome(one) for one in (ref, changed))
        yield Difference(found, About.TEST, item, before=before, after=after)
    if ref is None or changed is None:
        return
    if found is None and ref.outcome != changed.outcome:
        yield Difference(Change.OUTCOME, About.TEST, item, before=ref.outcome, after=changed.outcome)
    if found is None:
        for kind, before, after in _of_errors(ref, changed):
            yield Difference(kind, About.TEST, item, before=before, after=after)
    for kind, before, after, alike in _of_leaks(ref.leaks, changed.leaks):
        yield Difference(kind, About.TEST, item, before=before, after=after, alike=alike)


def _outcome(test: Test) -> str:
    error = ": ".join(filter(None, (test.error_type, test.error_message)))
    return f"{test.outcome}: {error}" if error else test.outcome


def _of_errors(ref: Trial | Test, changed: Trial | Test) -> Iterator[tuple[Change, str, str]]:
    """An error of another class, or, of the same class, with another message."""
    before, after = ref.error_message or "", changed.error_message or ""
    if ref.error_type != changed.error_type:
        texts = [": ".join(filter(None, (one.error_type, one.error_message))) or "no error" for one in (ref, changed)]
        yield Change.ERROR, texts[0], texts[1]
    elif not same_text(before, after):
        yield Change.MESSAGE, before, after


def _of_leaks(ref: Sequence[Leak], changed: Sequence[Leak]) -> Iterator[tuple[Change, str, str, tuple[str, ...]]]:
    """Leaks that are in one of them only; a pid or the name of a temporary file is no difference."""
    if ref == changed:
        return
    before, after = (Counter(map(_likeness, leaks)) for leaks in (ref, changed))
    for likeness in (after - before).elements():
        yield Change.LEAK, _NOTHING, _example(likeness, changed), likeness
    for likeness in (before - after).elements():
        yield Change.LEAK_GONE, _example(likeness, ref), _NOTHING, likeness


def _likeness(leak: Leak) -> tuple[str, str]:
    """What of a leak is the same in another run: of one that has a number for a name, the kind alone.

    Its detail has ages and amounts, and documents of older versions don't have it.
    """
    if leak.name.isdigit() or leak.kind == Kind.SEGMENT.value:
        return leak.kind, ""
    # A message ends a path at a space; this is the whole of it.
    return leak.kind, normal(shared_path(leak.name) if leak.name.startswith("/") else leak.name)


def _example(likeness: tuple[str, str], leaks: Sequence[Leak]) -> str:
    return next(leak.what for leak in leaks if _likeness(leak) == likeness)


def _key(death: Death | None) -> tuple[object, ...] | None:
    return None if death is None else (death.code, death.signal, death.cause, death.killer)


def _ended(death: Death | None) -> str:
    """How a kernel died, in words."""
    if death is None:
        return "lives"
    status = death.signal or ("unknown exit status" if death.code is None else f"exit code {death.code}")
    known = [f"cause: {death.cause}" if death.cause else "", f"killed by: {death.killer}" if death.killer else ""]
    details = ", ".join(filter(None, known))
    return f"{status} ({details})" if details else status


def _shown(value: object) -> str:
    return _NOTHING if value is None else encode(value).decode("utf-8")
