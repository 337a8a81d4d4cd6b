"""When two requirements don't go together: which one is ours, and where theirs comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pytest_tfkernel.upgrade import requirement_files
from pytest_tfkernel.upgrade.recipes import Recipe


def whose(said: str, recipe: Recipe) -> str:
    """For the words of an installer, who has asked for what; words that go on a sentence, or none."""
    ours = [one for one in recipe.requirements if one in said or f"{_name(one)}==" in said]
    theirs = dict.fromkeys(_theirs(said, recipe))
    if not ours or not theirs:
        return ""
    return f"; ours is {', '.join(ours)}, and theirs {', '.join(theirs)}"


def _theirs(said: str, recipe: Recipe) -> Iterator[str]:
    words = iter(recipe.installs.words)
    for word in words:
        if word == "-r":
            yield from _of_file(said, Path(next(words)))
        elif word == "-e":
            project = next(words)
            # An installer names a project and not its folder.
            if Path(project.partition("[")[0]).name.lower() in said.lower():
                yield f"what {project} needs"
        elif word in said:
            yield word


def _of_file(said: str, path: Path) -> Iterator[str]:
    for line in requirement_files.lines(path):
        if "".join(line.text.split()) in "".join(said.split()):
            yield f"{line.text} ({line.path}, line {line.number})"


def _name(requirement: str) -> str:
    """By which an installer tells which release of it it has found."""
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
