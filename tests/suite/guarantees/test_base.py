"""How a judge becomes a guarantee, and that none can break a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from facts import INTERPRETER
from pytest_tfkernel.model.facts import UNSEEN, Facts
from pytest_tfkernel.model.trials import Setting, Verdict
from pytest_tfkernel.suite.guarantees.base import Guarantee, guarantee

SETTING = Setting("forkserver", "a", "none")


@dataclass(frozen=True)
class Seen:
    one: Any = UNSEEN
    two: Any = UNSEEN


def made(judge: Any) -> Guarantee:
    return guarantee("an-id", where="everywhere", applies=lambda setting: setting is SETTING, control="a saboteur")(
        judge
    )


def seen(facts: Seen, error: str = "") -> Facts[Seen]:
    return Facts(SETTING, INTERPRETER, facts, error)


def test_its_statement_is_what_its_judge_says() -> None:
    def judge(_: object) -> Verdict:
        """One thing
        must hold.
        """
        return Verdict.passed("it does")

    found = made(judge)
    assert (found.id, found.statement, found.where, found.control) == (
        "an-id", "One thing must hold.", "everywhere", "a saboteur",
    )  # fmt: skip
    assert (found.applies(SETTING), found.judge(None)) == (True, Verdict.passed("it does"))


def test_a_judge_that_raises_says_unknown() -> None:
    def judge(_: object) -> Verdict:
        raise KeyError("a")

    assert made(judge).judge(None) == Verdict.unknown("the judge failed on this observation: KeyError: 'a'")


def test_none_is_asked_of_too_little() -> None:
    found = made(lambda facts: Verdict.passed(str(facts.facts)))
    assert found.judge(seen(Seen(1))) == Verdict.unknown("not seen: two")
    assert found.judge(seen(Seen(1, 2))) == Verdict.passed(str(Seen(1, 2)))


def test_of_a_trial_that_broke_off_the_judge_says_why() -> None:
    assert made(lambda facts: Verdict.unknown(facts.error)).judge(seen(Seen(), "it died")) == Verdict.unknown("it died")
