from __future__ import annotations

import pytest

from pytest_tfkernel.report.compare.differences import BEHAVIOURS, About, Change, CompareError, Difference
from pytest_tfkernel.report.compare.thresholds import Thresholds


def crossed(change: Change, *words: str, percent: float | None = None) -> bool:
    about = About.FIGURE if change in {Change.SLOWER, Change.MEMORY} else About.TRIAL
    return Thresholds.of(words).is_crossed(Difference(change, about, "n", percent=percent))


def test_without_a_word_only_failures_count() -> None:
    assert {change for change in Change if crossed(change)} == {Change.LOST, Change.FAILING}


@pytest.mark.parametrize(
    ("word", "changes"),
    [
        ("changed", BEHAVIOURS),
        ("leak", {Change.LEAK}),
        ("missing", {Change.MISSING}),
        ("unknown", {Change.UNKNOWN}),
        ("leak, unknown", {Change.LEAK, Change.UNKNOWN}),
    ],
)
def test_each_word_adds_its_changes(word: str, changes: set[Change]) -> None:
    assert {change for change in Change if crossed(change, word)} == {Change.LOST, Change.FAILING} | changes


@pytest.mark.parametrize(("word", "change"), [("slower:50%", Change.SLOWER), ("memory:50%", Change.MEMORY)])
def test_a_percentage_is_a_limit(word: str, change: Change) -> None:
    assert not crossed(change, word, percent=50.0)
    assert crossed(change, word, percent=50.1)
    # From nothing to something.
    assert crossed(change, word, percent=None)
    assert not crossed(change, "missing", percent=1000.0)


def test_one_limit_is_none_for_the_other() -> None:
    assert not crossed(Change.MEMORY, "slower:1%", percent=99.0)
    assert crossed(Change.MEMORY, "slower:1%,memory:12.5%", percent=99.0)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("slower", "--fail-on=slower: how many percent? Write --fail-on=slower:50%"),
        ("slower:50", "--fail-on=slower:50: how many percent? Write --fail-on=slower:50%"),
        ("memory:-0.5%", "--fail-on=memory:-0.5%: how many percent? Write --fail-on=memory:50%"),
        ("memory:-5%", "--fail-on=memory:-5%: how many percent? Write --fail-on=memory:50%"),
        ("slower:nan%", "--fail-on=slower:nan%: how many percent? Write --fail-on=slower:50%"),
        ("slower:inf%", "--fail-on=slower:inf%: how many percent? Write --fail-on=slower:50%"),
        ("slower:much%", "--fail-on=slower:much%: how many percent? Write --fail-on=slower:50%"),
        ("leak:3", "--fail-on=leak:3: leak has no amount; write --fail-on=leak"),
        (
            "warmer",
            "--fail-on=warmer: unknown; choose from slower:50%, memory:20%, changed, leak, missing or unknown",
        ),
        ("", "--fail-on=: unknown; choose from slower:50%, memory:20%, changed, leak, missing or unknown"),
    ],
)
def test_nonsense_is_told(word: str, said: str) -> None:
    with pytest.raises(CompareError) as refused:
        Thresholds.of([word])
    assert str(refused.value) == said


def test_the_option_is_named_as_it_was_typed() -> None:
    with pytest.raises(CompareError, match="^--tfkernel-fail-on=x: unknown"):
        Thresholds.of(["x"], "--tfkernel-fail-on")
