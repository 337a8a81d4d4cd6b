"""The report of a run as a file: a page, or JSON, by its name."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pytest_tfkernel.report import files
from pytest_tfkernel.run.refusals import WishError
from pytest_tfkernel.run.story import Story

_KINDS = (".html", ".json")


def check(path: Path) -> None:
    """Raise WishError where no report can be written, before anything is run."""
    if path.suffix not in _KINDS:
        raise WishError(f"--report={path}: a report is a page or JSON: name it .html or .json")
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise WishError(f"--report={path} can't be written: there is no such folder, or it is one")
    if not files.is_ordinary(path):
        raise WishError(f"--report={path} can't be written: it is no ordinary file")
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise WishError(f"--report={path} can't be written: permission denied")


def write(path: Path, story: Story) -> None:
    """Put it in its place; an older one stays until the new one is whole. Raises OSError."""
    from pytest_tfkernel.run import data, page

    text = page.render(story) if path.suffix == ".html" else f"{json.dumps(data.of(story), indent=1)}\n"
    files.write(path, text)
