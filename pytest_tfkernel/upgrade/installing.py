"""Who makes environments and installs into them: uv where that is there, and otherwise venv and pip."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pytest_tfkernel.upgrade.errors import UpgradeError

UV, PIP = "uv", "pip"
_LONGEST = 600
_LEAST_ROOM = 1 << 20
# What pip prints about itself.
_NOISE = re.compile(r"^(\[notice\]|WARNING: You are using pip|DEPRECATION)")
_CONFLICT = "The conflict is caused by:"
# By these pip would install elsewhere, also into what is somebody's own, or nothing, or would not say why it can't.
NOT_OURS: Mapping[str, str | None] = {
    **dict.fromkeys(("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_DRY_RUN", "PIP_NO_DEPS", "PIP_QUIET")),
    # As configuration files have it.
    "PIP_USER": "0",
    "PIP_REQUIRE_VIRTUALENV": None,
    # It would have an installer believe that what is found by it is there.
    "PYTHONPATH": None,
}
# As pip and uv word them.
_NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|Failed to establish a new connection|Name or service not known"
    r"|Temporary failure in name resolution|ConnectTimeoutError|ProxyError|error sending request|dns error"
)
_NO_ROOM = re.compile(r"No space left on device|os error 28|Errno 28|Disk quota exceeded|os error 122")
_DRAWN = re.compile("[\u2500-\u25ff]")
_NOT_FOUND = re.compile(
    r"No matching distribution found for (?P<pip>\S+)|Because there (?:is|are) no versions? of (?P<uv>\S+)"
    r"|Because only (?P<others>[\w.-]+)[<>=]\S* (?:is|are) available"
    r"|Because (?P<absent>\S+) was not found|(?P<wheel>\S+) has no wheels with a matching"
)


class Installer(Protocol):
    """Says by which commands an environment is made, and something is installed into it."""

    @property
    def name(self) -> str:
        """What it is called."""

    def create(self, python: str, folder: Path) -> Sequence[str]:
        """Of this interpreter, in this folder, which isn't there."""

    def install(self, python: Path, words: Sequence[str]) -> Sequence[str]:
        """These, in the words of pip, into the environment of this interpreter."""


@dataclass(frozen=True)
class Uv:
    """The fast one; `path` is where it is."""

    path: str
    name: str = UV

    def create(self, python: str, folder: Path) -> Sequence[str]:
        """See Installer."""
        return (self.path, "venv", "--no-project", "--python", python, str(folder))

    def install(self, python: Path, words: Sequence[str]) -> Sequence[str]:
        """See Installer."""
        return (self.path, "pip", "install", "--python", str(python), *words)


@dataclass(frozen=True)
class Pip:
    """What Python has. Nothing is compiled beforehand: of most modules nobody asks for the bytecode."""

    name: str = PIP

    def create(self, python: str, folder: Path) -> Sequence[str]:
        """See Installer."""
        # A `logging.py` where the user is would be imported.
        return (python, "-I", "-m", "venv", str(folder))

    def install(self, python: Path, words: Sequence[str]) -> Sequence[str]:
        """See Installer."""
        pip = (str(python), "-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-compile")
        return (*pip, "--progress-bar=off", *words)


def choose(name: str | None) -> Installer:
    """The one of this name, or the best that is there. Raises UpgradeError."""
    uv = shutil.which(UV)
    if name == UV and uv is None:
        raise UpgradeError("--installer=uv: there is no uv on PATH")
    return Uv(uv) if uv is not None and name != PIP else Pip()


@dataclass(frozen=True)
class InstallFailure:
    """Why something could not be installed, in the installer's own words.

    `missing` is what no index offers, if that is why; `is_general`: nothing else could be installed either.
    `is_conflict`: requirements don't go together.
    """

    why: str
    missing: str = ""
    is_general: bool = False
    is_conflict: bool = False


def explain(log: str, free: int = _LEAST_ROOM) -> InstallFailure:
    """What the output of an installer that failed says; `free` is what was left on its disk, in bytes.

    Without room it can't say anything.
    """
    if _NO_ROOM.search(log) or free < _LEAST_ROOM:
        return InstallFailure(
            "there is no room on the disk: free some, or name another place with --folder", is_general=True
        )
    for line in log.splitlines():
        if _NO_NETWORK.search(line):
            return InstallFailure(f"the index can't be reached: {_short(line)}", is_general=True)
    missing = ""
    if found := _NOT_FOUND.search(log):
        missing = next(filter(None, found.groups()))
    if _CONFLICT in log:
        return InstallFailure(_conflict(log), is_conflict=True)
    if "No solution found" in log:
        words = log[log.index("No solution found") :].partition("\n\n")[0]
        return InstallFailure(
            _short(re.sub(r"[\u2570\u2500\u25b6\u256e\u256f\u2502]", " ", words)), missing, is_conflict=not missing
        )
    return InstallFailure(_last_error(log), missing)


def _conflict(log: str) -> str:
    """Who met whom: pip names the files from which requirements came before, and what they say after."""
    above, _, below = log.rpartition(_CONFLICT)
    head = next((line for line in reversed(above.splitlines()) if line.startswith("ERROR: Cannot install")), "")
    causes = [line.strip() for line in below.partition("\n\n")[0].splitlines() if line.strip()]
    return _short(f"{head.removeprefix('ERROR: ')} {'; '.join(causes)}")


def _last_error(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip() and not _NOISE.match(line.strip())]
    errors = [line for line in lines if re.match(r"(?i)(error|fatal|.*\b\w*Error:)", line)]
    # The last one of pip's repeats the name only.
    best = [line for line in errors if "Could not find a version" in line] or errors[-1:] or lines[-1:]
    # What another one has filled may be free again.
    nothing = "it said nothing, as where there was no room on the disk to say it"
    return _short(best[-1].removeprefix("ERROR: ")) if best else nothing


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}..."
