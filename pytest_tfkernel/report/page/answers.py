"""The sentence above all else on the page, and the state of the whole."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tfkernel.model.trials import State
from pytest_tfkernel.report.compare.states import of_test
from pytest_tfkernel.report.document import Document
from pytest_tfkernel.report.page.tallies import VerdictCounts
from pytest_tfkernel.report.page.words import plural


def answer(document: Document, tally: VerdictCounts) -> tuple[str, str]:
    """The state of the whole, and the sentence that says it: what failed comes first, whosever test it is."""
    failed = sum(of_test(test) is State.FAIL for test in document.tests)
    if not tally.total:
        if not document.tests:
            return "", "Nothing was checked"
        own = f"{plural(len(document.tests), 'test')} of your own ran"
        # A skipped one has shown nothing.
        state = "FAIL" if failed else "PASS" if _has_passed(document) else "UNKNOWN"
        return state, f"{own}, {failed or 'none'} of them failed; the suite was not asked for"
    if not failed:
        return _of_suite(document, tally)
    return "FAIL", "; ".join([f"{failed:,} of your {plural(len(document.tests), 'test')} failed", *_beside(tally)])


def _of_suite(document: Document, tally: VerdictCounts) -> tuple[str, str]:
    """What verdicts say alone."""
    if tally.failed:
        return "FAIL", _are(tally, "FAIL")
    if not tally.passed and not tally.known:
        if _has_passed(document):
            return "UNKNOWN", "No verdict is PASS, so nothing was shown of kernels"
        return "UNKNOWN", "Nothing passed, so nothing was shown"
    if tally.known or tally.unknown:
        known = " but for what is known" if tally.known else ""
        return tally.state, "; ".join([f"All that could be looked at holds{known}", *_not_passed(tally)])
    return "PASS", _all_passed(tally, "The", "All")


def _beside(tally: VerdictCounts) -> Iterator[str]:
    """The verdicts, below tests that failed."""
    if tally.failed:
        yield _are(tally, "FAIL")
    elif tally.passed == tally.total:
        yield _all_passed(tally, "the", "all")
    else:
        yield from _not_passed(tally)


def _not_passed(tally: VerdictCounts) -> Iterator[str]:
    yield from (_are(tally, state) for state in ("KNOWN", "UNKNOWN") if tally.counts[state])


def _all_passed(tally: VerdictCounts, the: str, every: str) -> str:
    return f"{the} one verdict is PASS" if tally.total == 1 else f"{every} {tally.total:,} verdicts are PASS"


def _are(tally: VerdictCounts, state: str) -> str:
    number = tally.counts[state]
    return f"{number:,} of {plural(tally.total, 'verdict')} {'is' if number == 1 else 'are'} {state}"


def _has_passed(document: Document) -> bool:
    """Whether a test of theirs has."""
    return any(of_test(test) is State.PASS for test in document.tests)
