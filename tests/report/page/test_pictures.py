"""The page as docs/page.md shows it; TFKERNEL_PAGE_IMAGES names a folder for the pictures, which are not kept otherwise."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import documents
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.page.render import render

if TYPE_CHECKING:
    from tests.report.page.conftest import Browser

pytestmark = pytest.mark.page

FAILED = "t-forkserver-variable_assign-sigabrt-idle-tf2.21.0-py3.11"
TILES = "[...document.querySelectorAll('.tiles b')].map((one) => one.textContent)"
IS_SEEN = """((one) => {
  const box = one.getBoundingClientRect();
  return one.checkVisibility() && box.top >= 0 && box.bottom <= innerHeight;
})(arguments[0])"""


@pytest.fixture(scope="module")
def page(make_run: Callable[..., parts.Document]) -> str:
    """A run in which there is one of everything that a page has a tile for."""
    run = make_run()
    known = next(number for number, one in enumerate(run.verdicts) if one.guarantee == "names-are-private")
    run = documents.with_verdict(run, known, verdict="KNOWN", reason="names of one kernel are seen by the next")
    return render(documents.with_test(run, 0, outcome="failed", error_message="assert None == 3.0"))


@pytest.mark.parametrize(
    ("name", "scheme", "width", "height"),
    [("light", "light", 1280, 1560), ("dark", "dark", 1280, 1180), ("narrow", "light", 400, 1950)],
)
def test_shows(browser: Browser, page: str, name: str, scheme: str, width: int, height: int, tmp_path: Path) -> None:
    browser.show(page, width, scheme, f"#{FAILED}" if name == "dark" else "", height=height)
    if name == "dark":
        seen = browser.ask(f"document.getElementById('{FAILED}')")
    else:
        assert browser.ask(TILES) == ["537", "2", "1", "6", "1"]
        seen = browser.ask("document.querySelector('h1')")
    if name == "light":
        cell = browser.ask("document.querySelector('.matrix a.FAIL')")
        browser.ask("arguments[0].focus({ preventScroll: true })", cell)
        assert browser.ask(IS_SEEN, browser.ask("document.getElementById('hint')"))
    assert browser.ask(IS_SEEN, seen)
    browser.driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
    picture = Path(os.environ.get("TFKERNEL_PAGE_IMAGES", tmp_path), f"page-{name}.png")
    picture.write_bytes(base64.b64decode(browser.driver.execute_cdp_cmd("Page.captureScreenshot", {})["data"]))
    assert picture.read_bytes().startswith(b"\x89PNG")
