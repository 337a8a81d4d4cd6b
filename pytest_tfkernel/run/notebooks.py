"""A notebook as a file: its code cells, and the copy that has what they show."""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_tfkernel.report import files
from pytest_tfkernel.run.refusals import WishError

_VERSION = 4
_LANGUAGE = "python"
_MISSING = f"a notebook needs nbformat: {sys.executable} -m pip install 'pytest-tfkernel[notebook]'"
ShownMessage = dict[str, Any]


class NotebookFile:
    """One that was read; `cells` are those with code, by their numbers from 1, the empty ones too."""

    def __init__(self, path: Path) -> None:
        """Raises WishError for what is no notebook, or where nobody can read one."""
        try:
            nbformat: Any = importlib.import_module("nbformat")
        except ImportError:
            raise WishError(_MISSING) from None
        self._format = nbformat
        # What any cell has shown under a name, by which a later one may change it.
        self._named: dict[str, list[Any]] = {}
        self.path = path
        try:
            with warnings.catch_warnings():
                # Of cells without an id, as older notebooks have them.
                warnings.simplefilter("ignore")
                self._node: Any = nbformat.read(path, as_version=_VERSION)
            # It reads much that is no notebook.
            self.cells = [cell for cell in self._node.cells if cell.cell_type == "code"]
            self._texts = [str(cell.source) for cell in self.cells]
        except Exception as error:  # noqa: BLE001 - whatever it says of a file of somebody else's
            words = str(error).splitlines() or [""]
            raise WishError(f"{path} is no notebook: {type(error).__name__}: {words[0][:200]}") from None
        if not self.cells:
            raise WishError(f"{path} has no cell with code")
        language = self._told("language_info").get("name") or self._told("kernelspec").get("language") or _LANGUAGE
        if str(language).lower() not in (_LANGUAGE, "ipython"):
            raise WishError(f"{path} is a notebook of {language}, and only those of Python are run")

    @property
    def kernelspec(self) -> str | None:
        """The name of the one that it asks for."""
        name = self._told("kernelspec").get("name")
        return str(name) if name else None

    def _told(self, matter: str) -> Mapping[str, Any]:
        """What it says of itself, where it does so as it should."""
        told = _mapping(self._node.get("metadata")).get(matter)
        return _mapping(told)

    def source(self, number: int) -> str:
        """The text of a cell; a cell of blanks is empty."""
        text = self._texts[number - 1]
        return text if text.strip() else ""

    def may_raise(self, number: int) -> bool:
        """Whether an error there is wanted, by the tag that Jupyter knows."""
        tags = _mapping(self.cells[number - 1].get("metadata")).get("tags")
        return isinstance(tags, list) and "raises-exception" in tags

    def clear(self) -> None:
        """Forget what cells have shown before."""
        for cell in self.cells:
            cell.outputs, cell.execution_count = [], None

    def note(self, number: int, count: int, messages: Iterable[ShownMessage]) -> None:
        """Note what a cell has shown as the `count`th that ran."""
        cell = self.cells[number - 1]
        cell.execution_count = count
        cell.outputs = outputs(messages, self._named)

    def write(self, path: Path) -> None:
        """Write the copy; an older one stays until this one is whole. Raises OSError."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = self._format.writes(self._node)
        files.write(path, text, "backslashreplace")


def _mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}


def outputs(messages: Iterable[ShownMessage], named: dict[str, list[Any]]) -> list[Any]:
    """Outputs as a notebook keeps them: prints in one piece, and nothing of what was cleared.

    Those that are `named` are changed by what updates them, and remembered for further cells.
    """
    v4: Any = importlib.import_module("nbformat.v4")
    found: list[Any] = []
    to_clear = False
    for one in messages:
        if one["kind"] == "clear_output":
            to_clear = bool(one["content"].get("wait"))
            found = found if to_clear else []
            continue
        name = _name_of(one["content"])
        if one["kind"] == "update_display_data":
            for shown in named.get(name, ()):
                shown.data, shown.metadata = _as_kept(one["content"])
            continue
        if to_clear:
            found, to_clear = [], False
        new = v4.output_from_msg({"header": {"msg_type": one["kind"]}, "content": one["content"]})
        if name:
            named.setdefault(name, []).append(new)
        if (
            found
            and new.output_type == "stream"
            and (found[-1].output_type, found[-1].get("name")) == ("stream", new.name)
        ):
            found[-1].text += new.text
        else:
            found.append(new)
    return found


def _name_of(content: ShownMessage) -> str:
    return str(_mapping(content.get("transient")).get("display_id") or "")


def _as_kept(content: ShownMessage) -> tuple[Any, Any]:
    notebooknode: Any = importlib.import_module("nbformat.notebooknode")
    return notebooknode.from_dict(content.get("data", {})), notebooknode.from_dict(content.get("metadata", {}))


def _read(line: bytes) -> ShownMessage | None:
    """None for what is no message: where a disk is full, a host writes a part of one."""
    with contextlib.suppress(ValueError, RecursionError):
        found = json.loads(line)
        if isinstance(found, dict) and {"kind", "content"} <= found.keys():
            return found
    return None


class ShownFile:
    """The file to which a host writes what a cell shows, read as it grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._place = 0
        self._rest = b""
        self.messages: list[ShownMessage] = []

    def follow(self) -> list[ShownMessage]:
        """What has come since."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._place)
                data = file.read()
        except OSError:
            return []
        self._place += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        new = [found for found in map(_read, lines) if found is not None]
        self.messages += new
        return new

    def remove(self) -> None:
        """It is of no use any more."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
