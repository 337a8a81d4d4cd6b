from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_tfkernel.report.compare.differences import About, Change, CompareError, Difference
from pytest_tfkernel.report.compare.expectations import Expectation, Expectations

LOST = Difference(
    Change.LOST, About.GUARANTEE, "interrupt-is-heard", "forkserver-graph_add-interrupt-idle", "tf2.21", "PASS", "FAIL"
)
ERROR = Difference(Change.ERROR, About.TRIAL, "", "subprocess-graph_add-interrupt-idle", "", "KeyError", "IndexError")
TEST = Difference(Change.LOST, About.TEST, "tests/test_a.py::test_b[1-x]", "", "", "passed", "failed: two\nlines")
SLOWER = Difference(Change.SLOWER, About.FIGURE, "forkserver: whole trial", before="1 s", after="2 s", percent=100.0)


def fits(one: Difference, **fields: str) -> bool:
    known = Expectation(reason="because", **{"change": "*", **fields})
    (reason,), unseen = Expectations([known]).reasons([one])
    assert (reason == "because") == (unseen == [])
    return reason == "because"


@pytest.mark.parametrize(
    ("one", "fields"),
    [
        (LOST, {"guarantee": "interrupt-is-heard"}),
        (LOST, {"guarantee": "interrupt-*", "change": "lost"}),
        (LOST, {"guarantee": "*", "trial": "forkserver-*-interrupt-*", "was": "PASS", "now": "FAIL*"}),
        (LOST, {"trial": "*-idle", "kernel": "tf2.2?"}),
        (ERROR, {"trial": "*", "change": "error", "was": "KeyError", "now": "IndexError"}),
        (TEST, {"test": "tests/test_a.py::test_b[1-x]"}),
        (TEST, {"test": "tests/test_a.py::*", "now": "failed: two*lines"}),
        (SLOWER, {"figure": "forkserver: *", "change": "slower"}),
    ],
)
def test_fits(one: Difference, fields: dict[str, str]) -> None:
    assert fits(one, **fields)


@pytest.mark.parametrize(
    ("one", "fields"),
    [
        (LOST, {"guarantee": "interrupt"}),
        (LOST, {"guarantee": "*", "change": "fixed"}),
        (LOST, {"guarantee": "*", "trial": "subprocess-*"}),
        (LOST, {"guarantee": "*", "kernel": "tf2.20"}),
        (LOST, {"guarantee": "*", "now": "PASS"}),
        (LOST, {"guarantee": "*", "was": "FAIL"}),
        (LOST, {"test": "*"}),
        (ERROR, {"guarantee": "*"}),
        (ERROR, {"guarantee": "*", "trial": "*"}),
        (TEST, {"trial": "*"}),
        # Brackets of an id mean themselves, and so does a dot.
        (TEST, {"test": "tests/test_a.py::test_b1"}),
        (TEST, {"test": "tests/test_axpy::*"}),
        (SLOWER, {"figure": "subprocess: *"}),
        (SLOWER, {"trial": "*"}),
    ],
)
def test_does_not_fit(one: Difference, fields: dict[str, str]) -> None:
    assert not fits(one, **fields)


def test_the_first_that_fits_gives_the_reason_and_all_that_fit_are_seen() -> None:
    known = [
        Expectation(reason="first", change="lost", guarantee="*"),
        Expectation(reason="second", change="*", guarantee="interrupt-*"),
        Expectation(reason="never", change="fixed", guarantee="*", test=""),
    ]
    assert Expectations(known).reasons([ERROR, LOST]) == (["", "first"], [known[2]])


def test_one_says_what_it_is_about() -> None:
    assert str(Expectation(reason="r", change="lost", guarantee="a-*", trial="b")) == "guarantee a-*, trial b: lost"


@pytest.mark.parametrize("what", ["guarantee", "trial", "test", "figure"])
def test_it_is_enough_to_say_one_thing_of_what_it_is_about(tmp_path: Path, what: str) -> None:
    path = tmp_path / "known.json"
    path.write_text(json.dumps([{what: "a*", "change": "*", "reason": "known"}]))
    (unseen,) = Expectations.load(path).reasons([])[1]
    assert str(unseen) == f"{what} a*: *"


def test_a_file_is_a_list(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    path.write_text(json.dumps([{"guarantee": "interrupt-*", "change": "lost", "reason": "fixed in 2.22"}]))
    assert Expectations.load(path).reasons([LOST]) == (["fixed in 2.22"], [])
    path.write_text("[]")
    assert Expectations.load(path).reasons([LOST]) == ([""], [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not a list of known differences: Input data was truncated"),
        ("{}", "is not a list of known differences: Expected `array`, got `object`"),
        ("[3]", "is not a list of known differences: Expected `object`, got `int` - at `$[0]`"),
        (
            '[{"guarantee": "a", "change": "lost"}]',
            "is not a list of known differences: Object missing required field `reason` - at `$[0]`",
        ),
        ('[{"guarantee": "a", "change": "lost", "reason": " "}]', ", entry 1 has no reason"),
        (
            '[{"change": "lost", "reason": "r"}]',
            ", entry 1 doesn't say what it is about: guarantee, trial, test or figure",
        ),
        (
            '[{"guarantee": "a", "change": "lost", "reason": "r", "kernels": "x"}]',
            "is not a list of known differences: Object contains unknown field `kernels` - at `$[0]`",
        ),
        ("[" * 100_000, "is not a list of known differences: Expected `object`, got `array` - at `$[0]`"),
    ],
)
def test_a_bad_file_is_told(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "known.json"
    path.write_text(content)
    with pytest.raises(CompareError) as refused:
        Expectations.load(path)
    assert str(refused.value).removeprefix(str(path)).strip() == said


def test_a_change_that_is_none_is_told_with_all_that_are(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    path.write_text('[{"guarantee": "a", "change": "worse", "reason": "r"}]')
    with pytest.raises(CompareError, match="entry 1 has the change 'worse': choose from lost, failing, .*, or \\*"):
        Expectations.load(path)


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    for path, why in ((tmp_path, "Is a directory"), (tmp_path / "none", "No such file"), (Path("a\0b"), "null byte")):
        with pytest.raises(CompareError, match=why):
            Expectations.load(path)
    path = tmp_path / "latin"
    path.write_bytes(b'[{"reason": "\xff"}]')
    with pytest.raises(CompareError, match="is not a list of known differences"):
        Expectations.load(path)
