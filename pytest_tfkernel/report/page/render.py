"""The page itself: a template, one style sheet and one script, all in one file."""

from __future__ import annotations

import base64
import functools
import hashlib
import warnings
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from pytest_tfkernel.report.compare.comparison import Comparison
from pytest_tfkernel.report.document import Document
from pytest_tfkernel.report.page.tallies import SYMBOLS
from pytest_tfkernel.report.page.words import clean, line, plural, unbroken, when


def render(document: Document, ref: Document | Comparison | None = None) -> str:
    """The HTML of a run, compared with a ref, or as it was compared; all of it can be encoded in UTF-8."""
    with warnings.catch_warnings():
        # What plotting libraries warn of, when they are imported too, must not end a run under `-W error`.
        warnings.simplefilter("ignore")
        return _render(document, ref)


def _render(document: Document, ref: Document | Comparison | None) -> str:
    from pytest_tfkernel.report.page import svg
    from pytest_tfkernel.report.page.view import page

    with svg.settings():
        shown = page(document, ref)
    return fill("page.html.j2", resource("page.css"), resource("page.js"), page=shown)


def fill(template: str, style: str, script: str = "", **given: Any) -> str:
    """A template of ours with what is given to it; nothing but this style sheet and this script has any effect."""
    return (
        templates()
        .get_template(template)
        .render(symbols=SYMBOLS, style=style, script=script, policy=_policy(style, script), **given)
    )


@functools.cache
def templates() -> jinja2.Environment:
    """Ours, each of which is compiled once."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pytest_tfkernel.report.page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        # Whatever is put on the page, wherever it came from: it is cleaned here, then escaped.
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"line": line, "plural": plural, "unbroken": unbroken, "when": when}
    return environment


def _clean(value: Any) -> Any:
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def resource(name: str) -> Markup:
    """A style sheet or a script."""
    text = (resources.files("pytest_tfkernel.report.page") / name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 - a file of ours


def _policy(style: str, script: str) -> str:
    """Nothing may run, load or look but our own script and style sheet, even if some text were not escaped."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
