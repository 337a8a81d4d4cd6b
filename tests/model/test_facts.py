"""Facts as documents have them: what was seen, and nothing else."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from typing import Any

from pytest_tfkernel.model.facts import UNSEEN, plain, unseen


@dataclass(frozen=True, kw_only=True)
class Inner:
    told: int | None
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Outer:
    value: Any = UNSEEN
    inner: Inner = UNSEEN
    several: dict[str, Inner] = UNSEEN
    rare: str | None = None


def test_what_was_not_seen_is_no_fact() -> None:
    assert plain(Outer()) == {}
    assert unseen(Outer()) == ("value", "inner", "several")


def test_what_is_seen_of_some_trials_only_is_not_missed() -> None:
    assert unseen(Outer(value=1, inner=Inner(told=1), several={})) == ()


def test_what_was_seen_to_be_nothing_is_a_fact() -> None:
    assert plain(Outer(value=None, inner=Inner(told=None))) == {"value": None, "inner": {"told": None}}
    assert unseen(Outer(value=None, inner=Inner(told=None))) == ("several",)


def test_facts_within_facts_are_plain_too() -> None:
    seen = Outer(
        value=[Inner(told=1), (1, {"a": Inner(told=2)})], several={"b": Inner(told=3, error="no")}, rare="said"
    )
    assert plain(seen) == {
        "value": [{"told": 1}, [1, {"a": {"told": 2}}]],
        "several": {"b": {"told": 3, "error": "no"}},
        "rare": "said",
    }


def test_a_copy_has_seen_as_little() -> None:
    assert unseen(copy.deepcopy(Outer())) == unseen(Outer())
    assert unseen(pickle.loads(pickle.dumps(Outer()))) == unseen(Outer())
