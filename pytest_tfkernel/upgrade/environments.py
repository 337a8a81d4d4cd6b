"""Environments of their own: made once for what is asked for, and used again when the same is asked for."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from pytest_tfkernel._child import removal
from pytest_tfkernel.upgrade.building import BuiltEnvironment
from pytest_tfkernel.upgrade.errors import UpgradeError
from pytest_tfkernel.upgrade.progress import Progress
from pytest_tfkernel.upgrade.recipes import FORMAT, SCHEMA, Marker, Recipe

# Written last: without it, whatever lies there isn't whole.
MARKER = "tfkernel-upgrade.json"


class Builds(Protocol):
    """What makes environments (`building.Builder`)."""

    def build(self, found: BuiltEnvironment, recipe: Recipe, what: str) -> None:
        """See `building.Builder`."""

    def renew(self, found: BuiltEnvironment, recipe: Recipe, what: str, anew: Sequence[str]) -> None:
        """See `building.Builder`."""


class Environments:
    """Those in a folder. `now` is the time of day."""

    def __init__(
        self,
        folder: Path,
        builder: Builds,
        progress: Progress,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.timezone.utc),
    ) -> None:
        self._folder = folder
        self._builder = builder
        self._progress = progress
        self._now = now

    def get(self, recipe: Recipe, what: str, *, fresh: bool = False) -> BuiltEnvironment:
        """The environment, ready. `what` is what people call it. Raises UpgradeError, and InstallError of them."""
        found = BuiltEnvironment(self._folder / recipe.name, self._folder / recipe.name / "bin" / "python")
        made = None if fresh else self._marker(found.folder)
        wanted = recipe.marker(self._now())
        # What a file of requirements doesn't name any more would stay.
        if made is None or not found.python.exists() or _changed(made, wanted) & recipe.installs.files:
            self.remove(found)
            with self._removed_on_failure(found):
                self._builder.build(found, recipe, what)
            self._mark(found.folder, wanted)
            return found
        age = _age(self._now() - dt.datetime.fromisoformat(made.made))
        anew = [one for one in recipe.installs.words if one.partition("[")[0] in _changed(made, wanted)]
        anew += [str(recipe.plugin)] if made.plugin != wanted.plugin else []
        renewed = bool(anew or _changed(made, wanted))
        self._progress.say(f"{what}: used again, made {age} ago{', what has changed is installed anew' * renewed}")
        if renewed:
            # While it changes, it isn't whole.
            (found.folder / MARKER).unlink()
            with self._removed_on_failure(found):
                self._builder.renew(found, recipe, what, anew)
            self._mark(found.folder, msgspec.structs.replace(wanted, made=made.made))
        return found

    def has(self, recipe: Recipe) -> bool:
        """Whether it is there, as it is wanted or as it was."""
        return self._marker(self._folder / recipe.name) is not None

    def remove(self, environment: BuiltEnvironment) -> None:
        """Have it no more."""
        # What isn't whole must not look so.
        with contextlib.suppress(OSError):
            (environment.folder / MARKER).unlink(missing_ok=True)
        removal.remove(str(environment.folder))

    @contextlib.contextmanager
    def _removed_on_failure(self, found: BuiltEnvironment) -> Iterator[None]:
        """What isn't whole would be in the way, and fill a disk that is full."""
        try:
            yield
        except UpgradeError:
            self.remove(found)
            raise

    def _marker(self, folder: Path) -> Marker | None:
        try:
            marker = msgspec.json.decode((folder / MARKER).read_bytes(), type=Marker)
            is_dated = dt.datetime.fromisoformat(marker.made).tzinfo is not None
        except (OSError, msgspec.MsgspecError, ValueError):
            return None
        return marker if is_dated and (marker.format, marker.schema) == (FORMAT, SCHEMA) else None

    def _mark(self, folder: Path, marker: Marker) -> None:
        aside = folder / f"{MARKER}.new"
        try:
            aside.write_bytes(msgspec.json.format(msgspec.json.encode(marker), indent=1) + b"\n")
            aside.replace(folder / MARKER)
        except OSError as error:
            raise UpgradeError(
                f"{folder} can't be written: {error.strerror}; make room, or name another place with --folder"
            ) from None


def _changed(made: Marker, wanted: Marker) -> set[str]:
    return {path for path, state in wanted.sources.items() if made.sources.get(path) != state}


def _age(delta: dt.timedelta) -> str:
    seconds = max(0.0, delta.total_seconds())
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {unit}{'s' * (number != 1)}"
    return "less than a minute"
