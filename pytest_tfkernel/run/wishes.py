"""What is asked of a run, checked before anything is started."""

from __future__ import annotations

import math
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel.model.provisioners import Managed, chosen
from pytest_tfkernel.run.faults import Aim
from pytest_tfkernel.run.refusals import WishError

NOTEBOOK = ".ipynb"

_OF_NOTEBOOKS = ("--restart", "--output")
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([kmgt]?)(?:i?b)?", re.IGNORECASE)


@dataclass(frozen=True)
class RunWishes:
    """One run. `memory` is in bytes, `timeout` in seconds.

    Of a notebook, `restart` is the cell at which it goes on after a death, `output` the place for its copy, and
    `has_python` says that somebody has chosen the interpreter.
    """

    file: Path
    arguments: tuple[str, ...]
    python: str
    provisioner: str
    memory: int | None = None
    timeout: float = math.inf
    aim: Aim | None = None
    report: Path | None = None
    restart: int | None = None
    output: Path | None = None
    has_python: bool = False

    @property
    def is_notebook(self) -> bool:
        """Whether it is run cell by cell."""
        return is_notebook(self.file)

    @property
    def is_managed(self) -> bool:
        """Whether its kernel belongs to a manager of Jupyter's or Spyder's. Raises SpecError for an unknown one."""
        return isinstance(chosen(self.provisioner), Managed)

    def check(self) -> None:
        """Raise WishError for what doesn't go together, and SpecError for an unknown provisioner."""
        if not self.is_notebook and (self.restart is not None or self.output is not None):
            raise WishError(f"{' and '.join(_OF_NOTEBOOKS)} are for notebooks, and {self.file} is none")
        if self.aim is not None:
            where = "a notebook" if self.is_notebook else f"a {self.provisioner} kernel" if self.is_managed else ""
            self.aim.check(where, has_end=self.timeout < math.inf)

    def doubts(self) -> list[str]:
        """What is possible, and perhaps not meant: a line each."""
        mine = [one for one in self.arguments if one.partition("=")[0] in _OF_NOTEBOOKS]
        return [f"{one} stands after {self.file}, so it is the notebook's own; ours stand before it" for one in mine]

    @property
    def copy(self) -> Path:
        """Where the copy of a notebook goes, with what its cells show."""
        return self.output or self.file.with_suffix(f".run{NOTEBOOK}")


def is_notebook(file: Path) -> bool:
    """Whether it is one by its name, however that is written."""
    return file.name.lower().endswith(NOTEBOOK)


def check_file(file: Path) -> None:
    """Raise WishError for what is no text that can be read."""
    try:
        if file.is_dir():
            raise WishError(f"{file} is a folder: name a .py file or an {NOTEBOOK} notebook")
        if file.exists() and not file.is_file():
            # What was read here would be gone there.
            raise WishError(f"{file} is no ordinary file, and can't be read twice: save it first")
        data = file.read_bytes()
    except FileNotFoundError:
        raise WishError(f"{file} isn't there: name a .py file or an {NOTEBOOK} notebook") from None
    except (OSError, ValueError) as error:
        raise WishError(f"{file} can't be read: {getattr(error, 'strerror', None) or error}") from None
    if b"\0" in data:
        raise WishError(f"{file} isn't text: it holds null bytes; name a .py file or an {NOTEBOOK} notebook")
    try:
        with tokenize.open(file) as text:
            text.read()
    except (SyntaxError, ValueError) as error:
        raise WishError(f"{file} isn't text: {error}; save it as UTF-8, or name its encoding in line 1") from None


def size(text: str) -> int:
    """Bytes, of `512M`, `1.5GiB` or a plain number. Raises ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None or not float(found[1]):
        raise ValueError(f"{text!r} is no size: write 512M or 1.5GiB")
    return int(float(found[1]) * _UNITS[found[2].lower()])


def shown(number: float) -> str:
    """A size for people: `512 MiB`."""
    for unit in ("B", "KiB", "MiB"):
        if number < 1000:  # noqa: PLR2004 - three digits
            return f"{number:.0f} {unit}"
        number /= 1024
    return f"{number:.1f} GiB"
