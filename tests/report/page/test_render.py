"""The page as text: whole, escaped, within its size, whatever the document has."""

from __future__ import annotations

import html.parser
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

import documents
from pytest_tfkernel.model.defects import Defect
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.page.render import render

MakeRun = Callable[..., parts.Document]

ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></script></pre><svg onload=alert(1)>",
    "{{ 7 * 191 }}{% raw %}",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07\x00\x07\r\n\x9b",
    "a\ud800b\udfff",
    "\u202egnp.exe\u2066 \u2028",
    "$\\frac{x}$",
    "",
    "long " * 100_000,
)
VOID = {"meta", "link", "input", "br", "img"}


class Reader(html.parser.HTMLParser):
    """Checks that what opens is closed, and keeps elements, ids, links and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        assert len({name for name, _ in attrs}) == len(attrs), f"{tag} has an attribute twice: {attrs}"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag == "path"
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> within {self.open}"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"script", "style"}:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, name: str) -> list[str]:
        return [value for attribute, value in self.attributes if attribute == name]


def read(page: str) -> Reader:
    page.encode("utf-8")
    reader = Reader()
    # These are of the words of a text, and are about where lines end.
    reader.feed(re.sub('<span class="option">(.*?)</span>', r"\1", page))
    reader.close()
    assert reader.open == []
    assert reader.tags.count("script") == reader.tags.count("style") == 1
    assert "img" not in reader.tags
    assert [name for name, _ in reader.attributes if name.startswith("on") or name in {"style", "src"}] == []
    ids = reader.all("id")
    assert len(set(ids)) == len(ids)
    assert [href for href in reader.all("href") if href[0] != "#" and href != "data:,"] == []
    assert {href[1:] for href in reader.all("href") if href[0] == "#"} <= set(ids)
    return reader


def filled(value: Any, text: str) -> Any:
    """The same part with this text in front of each of its texts, but for those that choose what is drawn."""
    if isinstance(value, msgspec.Struct):
        names = set(value.__struct_fields__) - {"verdict", "phase", "outcome"}
        if isinstance(value, parts.Moment):
            names.discard("name")
        return msgspec.structs.replace(value, **{name: filled(getattr(value, name), text) for name in names})
    if isinstance(value, str):
        return text + value if value else value
    if isinstance(value, dict):
        return {text + key: filled(item, text) for key, item in value.items()}
    return [filled(item, text) for item in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def full(make_run: MakeRun) -> parts.Document:
    """One that has something in each field, and few records: each text of theirs is looked at many times."""
    run = make_run(provisioners=("forkserver",))
    faults = {"none", "index-error", "oom-memory-error", "sigkill", "sigabrt"}
    first, *rest = [one for one in run.trials if one.setting.fault in faults]
    death = parts.Death(signal="SIGKILL", cause="signal", killer="us", report="killed")
    first = msgspec.structs.replace(
        first,
        error_type="IndexError",
        error_message="out of range",
        death=death,
        leaks=[parts.Leak(kind="process", name="1", detail="sleep 60", since="cell")],
        facts={"seen": ["a", {"b": "c"}]},
        impossible="no",
        timeline=[
            msgspec.structs.replace(moment, gpu_memory=5 << 30) for moment in documents.trial(first.setting).timeline
        ],
    )
    machine = msgspec.structs.replace(run.environment.machine, driver="550", gpus=["H100", "H200"])
    test = parts.Test(
        item="t", outcome="failed", seconds=1, error_type="E", error_message="m", leaks=[documents.leak("k", "l", "d")]
    )
    return msgspec.structs.replace(
        run,
        environment=msgspec.structs.replace(run.environment, machine=machine),
        trials=[first, *rest],
        verdicts=[one for one in run.verdicts if one.setting.fault in faults],
        tests=[*run.tests, test],
        end=parts.End(seconds=1, exit_code=1, collected=9, unreported=["tfkernel::x[y]"]),
    )


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from texts_of(getattr(value, name))
    elif isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)


@pytest.fixture(scope="module")
def whole(make_run: MakeRun) -> str:
    """The page of a large run."""
    return render(make_run())


def test_every_verdict_and_every_trial_is_there(make_run: MakeRun, whole: str) -> None:
    run, reader = make_run(), read(whole)
    assert reader.tags.count("details") == len(run.trials)
    for guarantee in {one.guarantee for one in run.verdicts}:
        count = sum(one.guarantee == guarantee for one in run.verdicts)
        assert reader.texts.count(guarantee) >= count
    assert "2 of 546 verdicts are FAIL" in reader.text
    assert "538 ✓ PASS 2 ✗ FAIL 0 ! KNOWN 6 ? UNKNOWN 0 ✗ of your 3 tests" in reader.text
    assert reader.all("data-state").count("FAIL") == 2


def test_a_failure_has_its_reason_its_post_mortem_and_its_command(whole: str) -> None:
    text = read(whole).text
    assert "the variable read 2.0 before the initializer ran" in text
    assert "stack of the main thread: File &quot;" not in text
    assert 'stack of the main thread: File "<cell 4>", line 1 in <module>' in text
    assert 'pytest "tfkernel::variable-is-reset[forkserver-variable_assign-sigabrt-idle]"' in text


@pytest.fixture(scope="module")
def full_page(full: parts.Document) -> Reader:
    return read(render(full))


def test_every_text_of_a_document_is_shown(full: parts.Document, full_page: Reader) -> None:
    reader = full_page
    shown = reader.text + " ".join(reader.all("aria-label"))
    assert [
        text
        for part in (full.trials[0], full.environment, full.tests, full.end)
        for text in texts_of(part)
        if text not in shown
    ] == []


@pytest.fixture(scope="module")
def tags(full: parts.Document) -> list[str]:
    """Those of the page."""
    return read(render(full, full)).tags


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_no_text_becomes_markup(full: parts.Document, tags: list[str], attack: str) -> None:
    run = filled(full, attack)
    page = render(run, run)
    assert read(page).tags == tags
    assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", page) is None
    assert "1337" not in page
    assert len(page.encode()) < 5_000_000


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_marks_have_any_name(attack: str) -> None:
    run = documents.document(1, tests=0)
    moments = [*run.trials[0].timeline, parts.Moment(name=attack, seconds=9)]
    trials = [msgspec.structs.replace(run.trials[0], timeline=moments)]
    text = read(render(msgspec.structs.replace(run, trials=trials))).text
    assert "9.000 s \u2013 \u2013 \u2013" in text


def test_policy_allows_only_what_is_ours(whole: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', whole)
    assert policy is not None
    assert policy[1].startswith("default-src &#39;none&#39;; script-src &#39;sha256-")
    assert "unsafe" not in policy[1]


def test_same_run_gives_the_same_page(make_run: MakeRun, whole: str) -> None:
    assert render(make_run()) == whole


def test_incomplete_run_says_so_first(full: parts.Document) -> None:
    run = documents.with_verdict(full, 0, verdict="FAIL", reason="it didn't hold")
    text = read(render(msgspec.structs.replace(run, complete=False, end=None))).text
    assert text.index("Incomplete. This run was cut short") < text.index("What failed")


def test_what_was_never_reported_is_named_first(full_page: Reader) -> None:
    text = full_page.text
    assert text.index("Collected, but never reported: tfkernel::x[y].") < text.index("What failed")


def test_empty_run(make_run: MakeRun) -> None:
    reader = read(render(documents.document(0, tests=0)))
    assert "Nothing was checked No trial was played" in reader.text
    assert "details" not in reader.tags


def test_run_without_kernels_and_with_unknown_machine() -> None:
    empty = documents.document(0, tests=0)
    machine = parts.Machine(linux="", architecture="", cpus=0, memory=0)
    run = msgspec.structs.replace(empty, environment=parts.Environment(machine=machine, kernels=[]))
    assert "GPUs none" in read(render(run)).text


def test_run_of_users_tests_alone() -> None:
    run = documents.document(0)
    bad = parts.Test(item="test_mine.py::test_bad", outcome="failed", seconds=1.5, error_type="AssertionError")
    text = read(render(msgspec.structs.replace(run, tests=[*run.tests, bad]))).text
    assert "4 tests of your own ran, 1 of them failed; the suite was not asked for" in text
    assert "✗ failed test_mine.py::test_bad 1.5 s AssertionError" in text


def test_own_tests_that_failed_are_in_headline_cards_and_what_failed() -> None:
    run = documents.with_verdict(documents.document(2), 0, verdict="UNKNOWN", reason="not here")
    run = documents.with_test(run, 1, outcome="failed", error_type="ValueError", error_message="two\nlines")
    run = documents.with_test(run, 2, outcome="error")
    page = render(run)
    text = read(page).text
    assert "FAIL: 2 of your 3 tests failed; 1 of 4 verdicts is UNKNOWN" in text
    assert "1 ? UNKNOWN 2 ✗ of your 3 tests Failures Unknown" in text
    failed = text[text.index("What failed") : text.index("What could not be looked at")]
    assert failed == (
        "What failed test_mine.py::test_1 failed ValueError: two lines test_mine.py::test_2 error no reason was given "
    )
    # What failed comes first below, too, and the links lead there.
    assert re.search('<li id="own-1" data-state="FAIL" .*test_1', page)
    assert re.search('<li id="own-3" data-state="PASS" .*test_0', page)


def test_many_tests_that_failed_are_counted() -> None:
    tests = [parts.Test(item=f"test_{n}", outcome="failed" if n > 2_050 else "passed", seconds=1) for n in range(2_200)]
    run = documents.document(2)
    for number in (0, 2):
        run = documents.with_verdict(run, number, verdict="FAIL", reason="it didn't hold")
    reader = read(render(msgspec.structs.replace(run, tests=tests)))
    assert "149 of your 2,200 tests failed; 2 of 4 verdicts are FAIL" in reader.text
    assert "… and 89 tests more, among your own below." in reader.text
    assert reader.all("data-state").count("FAIL") == 2 + 149


def test_what_is_known_is_told_apart() -> None:
    run = documents.document(2, tests=0)
    defect = Defect("deaf", "it is deaf", table="ours", always=True)
    known = documents.with_verdict(run, 0, verdict="KNOWN", reason="not heard", defect=defect)
    reader = read(render(known))
    assert "All that could be looked at holds but for what is known; 1 of 4 verdicts is KNOWN" in reader.text
    assert "3 ✓ PASS 0 ✗ FAIL 1 ! KNOWN 0 ? UNKNOWN" in reader.text
    assert "What did not hold, as is known 1 verdict : not heard; known: it is deaf" in reader.text
    assert reader.all("data-state") == ["KNOWN", "PASS"]
    unknown = read(render(documents.with_verdict(known, 1, verdict="UNKNOWN"))).text
    assert "what is known; 1 of 4 verdicts is KNOWN; 1 of 4 verdicts is UNKNOWN" in unknown
    only = msgspec.structs.replace(known, verdicts=known.verdicts[:1])
    assert "Nothing passed" not in read(render(only)).text


def test_what_is_mended_is_told() -> None:
    defect = Defect("deaf", "it is deaf", table="ours", always=True)
    text = read(render(documents.with_verdict(documents.document(2, tests=0), 0, defect=defect))).text
    assert "All 4 verdicts are PASS" in text
    assert "What holds, though it is known not to 1 verdict : mended: deaf is listed as always seen" in text


def test_run_in_which_nothing_passed() -> None:
    run = documents.document(1, tests=0)
    verdicts = [msgspec.structs.replace(one, verdict="UNKNOWN", reason="no TensorFlow") for one in run.verdicts]
    text = read(render(msgspec.structs.replace(run, verdicts=verdicts))).text
    assert "Nothing passed, so nothing was shown" in text
    assert "2 verdicts : no TensorFlow" in text


def test_verdict_without_its_trial_is_shown() -> None:
    run = documents.document(2)
    text = read(render(msgspec.structs.replace(run, trials=[]))).text
    assert "no record: the run ended before it" in text
    assert "2 trials with kernels" in text


def test_trial_without_verdicts_is_shown() -> None:
    text = read(render(msgspec.structs.replace(documents.document(2), verdicts=[]))).text
    assert "\u2013 no verdict fault0 graph_add" in text


def test_without_time_lines_there_is_no_picture_and_no_latency() -> None:
    run = documents.document(4)
    trials = [msgspec.structs.replace(one, timeline=[]) for one in run.trials]
    reader = read(render(msgspec.structs.replace(run, trials=trials)))
    assert "svg" not in reader.tags
    assert "How long it took" not in reader.text


@pytest.mark.parametrize("number", [1, 2, 3, 6])
def test_kernels_are_columns(make_run: MakeRun, number: int) -> None:
    versions = ("1.15.5", "2.12.0", "2.15.1", "2.18.1", "2.20.0", "2.21.0")[:number]
    run = make_run(versions)
    small = [one for one in run.verdicts if one.setting.fault in {"none", "sigkill"}]
    text = read(render(msgspec.structs.replace(run, verdicts=small, trials=[]))).text
    kernels = " ".join(f"tf{version}-py3.11" for version in versions)
    assert ("guarantee forkserver subprocess " if number == 1 else f"guarantee {kernels} ") in text
    assert f"TensorFlow {versions[-1]} on Python 3.11.7, in 1 min 15 s" in text


def test_comparison_lists_what_changed(make_run: MakeRun) -> None:
    page = render(make_run(), make_run(("2.20.0",), failing=("sigterm",)))
    text = read(page).text
    assert "\u2717 worse" in text
    assert "Lost: passed, and fails now (2, a regression) variable-is-reset : PASS \u2192 FAIL" in text
    assert (
        'href="#t-forkserver-variable_assign-sigabrt-idle-tf2.21.0-py3.11">forkserver-variable_assign-sigabrt' in page
    )
    assert "Fixed: failed, and passes now (2)" in text
    assert "forkserver, ref: median" in text
