"""The page in a real browser: read, filtered, opened, by keyboard, in light and dark, narrow, printed."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

import documents
from histories import history
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.history.page import render as render_history
from pytest_tfkernel.report.page.render import render

if TYPE_CHECKING:
    from tests.report.page.conftest import Browser

MakeRun = Callable[..., parts.Document]

pytestmark = pytest.mark.page

FAILED = "t-forkserver-variable_assign-sigabrt-saving-tf2.21.0-py3.11"
VISIBLE = "[...document.querySelectorAll(arguments[0])].filter(one => one.checkVisibility()).length"
# 2 s is what a page of a thousand records may take where nothing else runs.
PATIENCE = 15.0

# The least contrast of any text that is shown, and whose it is (WCAG 2.2, 1.4.3).
CONTRAST = """(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const layers = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (colour) => {
    const [red, green, blue] = colour.map((part) => {
      part /= 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  let least = [99, ""];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!text || !element.checkVisibility() || /^(SCRIPT|STYLE)$/.test(element.tagName)) continue;
    const backs = [];
    for (let one = element; one; one = one.parentElement) backs.unshift(getComputedStyle(one).backgroundColor);
    const style = getComputedStyle(element);
    const colour = element instanceof SVGElement ? style.fill : style.color;
    const [front, back] = [light(layers([...backs, colour])), light(layers(backs))];
    const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (ratio < least[0]) least = [ratio, `${element.tagName}.${element.getAttribute("class")}: ${element.textContent}`];
  }
  return least;
})()"""


# Options of which a line has the dashes only, and headings that begin below their mark.
BROKEN_OPTIONS = r"""(() => {
  const broken = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (/^(SCRIPT|STYLE)$/.test(node.parentElement.tagName) || !node.parentElement.checkVisibility()) continue;
    for (const match of node.data.matchAll(/(?<![\w-])--\w/g)) {
      const range = document.createRange();
      range.setStart(node, match.index);
      range.setEnd(node, match.index + 3);
      const tops = new Set([...range.getClientRects()].filter((one) => one.width).map((one) => Math.round(one.top)));
      if (tops.size > 1) broken.push(`${node.parentElement.outerHTML.slice(0, 60)} ${node.data.slice(match.index, match.index + 30)}`);
    }
  }
  return broken;
})()"""
APART = r"""[...document.querySelectorAll("summary")].filter((one) => {
  const [box, first] = [one, one.firstElementChild].map((element) => element.getBoundingClientRect());
  return one.checkVisibility() && first.top - box.top > 20;
}).map((one) => one.textContent)"""


@pytest.fixture(scope="module")
def page(make_run: MakeRun) -> str:
    """That of a run with two failures."""
    return render(make_run(), make_run(("2.20.0",), failing=("sigterm",)))


def press(browser: Browser, *keys: str) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(browser.driver).send_keys(*keys).perform()


def type_filter(browser: Browser, text: str) -> None:
    browser.ask("document.querySelector('#filter input').focus()")
    press(browser, text)


def is_as_wide_as_its_window(browser: Browser, width: int) -> bool:
    window, visible, needed = browser.ask(
        "[innerWidth, document.documentElement.clientWidth, document.documentElement.scrollWidth]"
    )
    # A scroll bar, of those that are always there, takes some of it.
    return bool(window == width and needed <= visible)


def shown_trials(browser: Browser) -> int:
    count = browser.ask(VISIBLE, "details.trial")
    assert isinstance(count, int)
    return count


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_and_nothing_is_wider_than_the_window(
    browser: Browser, page: str, width: int, scheme: str
) -> None:
    browser.show(page, width, scheme, f"#{FAILED}")
    assert browser.ask("matchMedia('(prefers-color-scheme: dark)').matches") is (scheme == "dark")
    assert is_as_wide_as_its_window(browser, width)
    ratio, where = browser.ask(CONTRAST)
    assert ratio >= 4.5, where


@pytest.mark.parametrize("width", [1280, 400])
def test_odd_names_and_many_kernels_fit(browser: Browser, make_run: MakeRun, width: int) -> None:
    run = make_run(("1.15.5", "2.12.0", "2.21.0"), ("forkserver",))
    odd = "<b>" + "x" * 3_000
    verdicts = [
        msgspec.structs.replace(
            one, reason=odd, guarantee=odd, setting=msgspec.structs.replace(one.setting, fault=odd, kernel=odd)
        )
        for one in run.verdicts
    ]
    browser.show(render(msgspec.structs.replace(run, verdicts=[*run.verdicts, *verdicts])), width)
    assert is_as_wide_as_its_window(browser, width)


@pytest.mark.parametrize("width", [320, 400])
def test_headings_stand_beside_their_marks_and_options_stay_in_one_piece(
    browser: Browser, make_run: MakeRun, width: int
) -> None:
    # Of each width, so that one of them would end a line behind the dashes.
    said = " ".join(f"{'m' * length} --tfkernel-require=gpu" for length in range(1, 33, 4))
    run = make_run(provisioners=("forkserver",), failing=("sigabrt", "sigterm", "exit"))
    number = next(place for place, one in enumerate(run.verdicts) if one.verdict == "UNKNOWN")
    first = next(place for place, one in enumerate(run.verdicts) if one.verdict == "FAIL")
    run = documents.with_options(run, "--tfkernel", *said.split())
    run = documents.with_verdict(documents.with_verdict(run, number, reason=said), first, reason=said)
    run = documents.with_test(run, 0, outcome="failed", error_message=said)
    environment = msgspec.structs.replace(run.environment, capabilities={"gpu": said})
    run = msgspec.structs.replace(run, environment=environment)
    browser.show(render(run, make_run(("2.20.0",), ("subprocess",), failing=("sigterm",))), width, place=f"#{FAILED}")
    browser.ask("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.ask("document.body.innerText.split('--tfkernel-require').length") > 30
    assert browser.ask(BROKEN_OPTIONS) == []
    assert browser.ask("document.querySelectorAll('.changes > summary').length") > 2
    assert browser.ask(APART) == []


def test_text_filters_trials_tests_and_matrix(browser: Browser, page: str) -> None:
    browser.show(page)
    assert shown_trials(browser) == 110
    type_filter(browser, "sigabrt Saving")
    assert shown_trials(browser) == 1
    assert browser.ask("document.querySelector('#shown').textContent") == "1 of 110 trials, 0 of 3 of your tests"
    assert browser.ask(VISIBLE, "a.cell:not(.off)") < 15
    press(browser, "nothing like it")
    assert shown_trials(browser) == 0


def test_states_filter_trials(browser: Browser, page: str) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.show(page)
    browser.ask("document.querySelector('[data-show=PASS]').focus()")
    press(browser, Keys.SPACE)
    assert shown_trials(browser) == 8
    assert browser.ask("document.querySelector('[data-show=PASS]').getAttribute('aria-pressed')") == "false"
    press(browser, Keys.TAB, Keys.TAB, Keys.TAB, Keys.SPACE)
    assert shown_trials(browser) == 2
    press(browser, Keys.SPACE)
    assert shown_trials(browser) == 8


def test_a_failure_is_opened_by_keyboard(browser: Browser, page: str) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.show(page)
    # The skip link, that to the comparison, then the table of contents, which begins with the failures.
    press(browser, Keys.TAB, Keys.TAB, Keys.TAB, Keys.ENTER)
    assert browser.ask("location.hash") == "#failures"
    press(browser, Keys.TAB, Keys.ENTER)
    # The browser opens what holds the target; the page hears of the new address a little later.
    browser.driver.set_script_timeout(PATIENCE)
    browser.driver.execute_async_script("requestAnimationFrame(arguments[0])")
    opened = "document.querySelectorAll('details.trial[open]')"
    assert browser.ask(f"{opened}.length") == 1
    assert browser.ask(f"{opened}[0].querySelector('summary') === document.activeElement") is True
    assert "stack of the main thread" in browser.ask(f"{opened}[0].querySelector('pre').innerText")
    assert browser.ask(f"{opened}[0].querySelector('svg').getBoundingClientRect().height") > 100
    place = browser.ask(f"{opened}[0].querySelector('summary').getBoundingClientRect().top")
    # Below the filter, which stays at the top.
    assert browser.ask("document.querySelector('#filter').getBoundingClientRect().bottom") - 1 <= place < 450
    assert browser.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    press(browser, Keys.ENTER)
    assert browser.ask(f"{opened}.length") == 0


def test_a_failure_is_opened_by_its_cell_although_it_is_filtered_out(browser: Browser, page: str) -> None:
    browser.show(page)
    type_filter(browser, "nothing like it")
    browser.ask("document.querySelector('.matrix a.FAIL[data-trials=\"1\"]').click()")
    assert browser.ask("location.hash") == f"#{FAILED}"
    browser.driver.set_script_timeout(PATIENCE)
    assert browser.driver.execute_async_script("requestAnimationFrame(arguments[0])") is not None
    assert browser.ask("document.getElementById(arguments[0]).closest('details').open", FAILED) is True


@pytest.mark.parametrize("script", [True, False])
def test_a_link_from_elsewhere_opens_its_trial_with_and_without_scripts(
    browser: Browser, page: str, script: bool
) -> None:
    browser.show(page, place=f"#{FAILED}", script=script)
    assert browser.ask("document.getElementById(arguments[0]).checkVisibility()", FAILED) is True
    assert 0 <= browser.ask("document.getElementById(arguments[0]).getBoundingClientRect().top", FAILED) < 450
    assert browser.ask(VISIBLE, "#filter") == int(script)


def test_a_link_leads_to_a_test_that_failed_although_it_is_filtered_out(browser: Browser) -> None:
    browser.show(render(documents.with_test(documents.document(1), 2, outcome="failed")))
    type_filter(browser, "nothing like it")
    assert browser.ask(VISIBLE, ".tests > li") == 0
    browser.ask("document.querySelector('#failures a').click()")
    browser.driver.set_script_timeout(PATIENCE)
    assert browser.driver.execute_async_script("requestAnimationFrame(arguments[0])") is not None
    assert browser.ask("document.activeElement.textContent").startswith("✗ failed test_mine.py::test_2")
    assert browser.ask("document.activeElement.checkVisibility()") is True


def test_a_trial_without_a_verdict_is_there_until_states_are_chosen(browser: Browser) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.show(render(msgspec.structs.replace(documents.document(2), verdicts=[])))
    assert shown_trials(browser) == 2
    browser.ask("document.querySelector('[data-show=KNOWN]').focus()")
    press(browser, Keys.SPACE)
    assert shown_trials(browser) == 0


def test_pointing_at_a_cell_says_why(browser: Browser, page: str) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser.show(page)
    cell = browser.driver.find_element(By.CSS_SELECTOR, ".matrix a.FAIL")
    browser.ask("arguments[0].scrollIntoView({ block: 'center' })", cell)
    time.sleep(0.2)  # A scroll hides hints, and its event comes with the next frame.
    ActionChains(browser.driver).move_to_element(cell).perform()
    hint = browser.driver.find_element(By.ID, "hint")
    assert "the variable read 2.0 before the initializer ran" in hint.text
    press(browser, Keys.ESCAPE)
    assert not hint.is_displayed()
    browser.ask("arguments[0].focus()", cell)
    assert "variable-is-reset" in hint.text


def test_slash_leads_to_the_filter(browser: Browser, page: str) -> None:
    browser.show(page)
    press(browser, "/", "sigabrt")
    assert browser.ask("document.querySelector('#filter input').value") == "sigabrt"


def test_printing_opens_what_failed_and_closes_it_again(browser: Browser, page: str) -> None:
    browser.show(page)
    browser.ask(
        "addEventListener('beforeprint', () => { window.printed = document.querySelectorAll('.trial[open]').length; })"
    )
    pdf = base64.b64decode(browser.driver.print_page())
    assert pdf.startswith(b"%PDF-")
    assert len(pdf) > 20_000
    assert browser.ask("window.printed") == 8
    assert browser.ask("document.querySelectorAll('.trial[open]').length") == 0


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_history_can_be_read_and_its_names_are_not_squeezed(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    run = documents.with_test(documents.document(3), 0, item="tests/test_of_a_longer_name.py::test_" + "x" * 200)
    bad = documents.with_verdict(run, 1, verdict="FAIL", reason="it is gone " * 90)
    bad = documents.with_test(bad, 0, outcome="failed")
    unknown = documents.with_verdict(documents.document(3, "2.22.0"), 3, verdict="UNKNOWN")
    browser.show(render_history(history(tmp_path, *([run, bad, unknown] * 30))), width, scheme)
    assert is_as_wide_as_its_window(browser, width)
    ratio, where = browser.ask(CONTRAST)
    assert ratio >= 4.5, where
    heights = browser.ask("[...document.querySelectorAll('.runs tbody th')].slice(0, 2).map((one) => one.offsetHeight)")
    assert max(heights) < 240


@pytest.mark.parametrize("tests", [0, 3])
def test_runs_with_nothing_to_filter(browser: Browser, tests: int) -> None:
    browser.show(render(documents.document(0, tests=tests)), place="#nowhere")
    assert browser.ask("document.documentElement.dataset.ready") == "true"
    assert browser.ask(VISIBLE, "#filter") == (1 if tests else 0)


def test_the_console_is_heard_and_the_policy_stops_what_is_not_ours(browser: Browser, page: str) -> None:
    attack = "<script>window.attacked = true</script><img src=x onerror='window.attacked = true'><b style='color:red'>"
    browser.show(page.replace("<main", f"{attack}<main"))
    assert browser.ask("window.attacked") is None
    complaints = "\n".join(browser.complaints())
    for directive in ("script-src", "img-src", "style-src"):
        assert directive in complaints


def test_a_thousand_records_are_soon_ready(browser: Browser, record_property: Callable[[str, object], None]) -> None:
    page = render(documents.document(500))
    began = time.monotonic()
    browser.show(page)
    in_page = browser.driver.execute_async_script(
        """
        const done = arguments[arguments.length - 1];
        const input = document.querySelector("#filter input");
        input.value = "fault3";
        input.dispatchEvent(new Event("input", { bubbles: true }));
        requestAnimationFrame(() => setTimeout(() => done(performance.now())));
        """
    )
    seconds = time.monotonic() - began
    record_property("seconds_until_filtered", in_page / 1_000)
    print(
        f"1,000 records: filtered {in_page / 1_000:.2f} s after the page was asked for, {seconds:.2f} s with the driver"
    )
    assert shown_trials(browser) < 500
    assert in_page / 1_000 < PATIENCE
