"""Both sides of an upgrade, made ready: interpreters that are there, or environments that are made."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.upgrade import indexes, ourselves
from pytest_tfkernel.upgrade.asking import ask
from pytest_tfkernel.upgrade.building import BuiltEnvironment, InstallError, tensorflows
from pytest_tfkernel.upgrade.environments import Environments
from pytest_tfkernel.upgrade.errors import UpgradeError
from pytest_tfkernel.upgrade.recipes import Recipe
from pytest_tfkernel.upgrade.requirements import RELEASES, Installs, Wanted

_VERSION_CODE = "import importlib.metadata as found; print(found.version('pytest-tfkernel'))"


@dataclass(frozen=True)
class UpgradeSide:
    """One side, ready to run. `name` is what people call it; `environment` is None for an interpreter of the user's."""

    name: str
    python: str
    interpreter: Interpreter
    environment: BuiltEnvironment | None = None


@dataclass(frozen=True)
class SidesSetup:
    """What both sides are made of: what is installed beside TensorFlow, and of which Python they are made.

    `plays_suite` and `runs_tests` say what they are for; `beside` are requirements that go into each.
    """

    installs: Installs
    python: str
    plugin: Path
    index: indexes.PackageIndex = field(compare=False)
    plays_suite: bool = True
    runs_tests: bool = False
    beside: tuple[str, ...] = ()

    def recipe(self, requirement: str) -> Recipe:
        """That of an environment with this."""
        imported = "tensorflow" if self.plays_suite else ""
        return Recipe((requirement, *self.beside), self.installs, self.python, self.plugin, imported)


class Preparing:
    """Makes sides ready."""

    def __init__(self, setup: SidesSetup, environments: Environments, launcher: Launcher) -> None:
        self._setup = setup
        self._environments = environments
        self._launcher = launcher

    def both(
        self, ref: Wanted, changed: Wanted, stop: Callable[[], object], *, fresh: bool = False
    ) -> tuple[UpgradeSide, UpgradeSide]:
        """Both sides before the first run: what can't be had is known at once. Raises UpgradeError or TFKernelError.

        Two environments are made side by side; `stop` ends what is done for one when nothing comes of the other.
        """
        wanted = (ref, changed)
        theirs = {one.said: self._of_interpreter(one) for one in wanted if one.interpreter}
        with ThreadPoolExecutor(len(wanted)) as pool:
            made = {
                one.said: pool.submit(self._environment, one, f"environment {number} of 2 ({one.said})", fresh=fresh)
                for number, one in enumerate(wanted, 1)
                if one.requirement
            }
            try:
                # Whichever fails first.
                for future in as_completed(made.values()):
                    future.result()
            except BaseException:
                stop()
                raise
        found = theirs | {one.said: self._side(one, made[one.said].result()) for one in wanted if one.requirement}
        return found[ref.said], found[changed.said]

    def _environment(self, wanted: Wanted, what: str, *, fresh: bool) -> BuiltEnvironment:
        try:
            return self._environments.get(self._setup.recipe(wanted.requirement), what, fresh=fresh)
        except InstallError as error:
            more = ""
            if error.failure.missing:
                version = self._launcher.interpreter(self._setup.python).version
                more = offered(self._setup.index, wanted.requirement, error.failure.missing, version)
            raise UpgradeError(f"{error}{more}") from None

    def _side(self, wanted: Wanted, environment: BuiltEnvironment) -> UpgradeSide:
        found = of_environment(self._launcher, environment)
        if self._setup.plays_suite and found.tensorflow is None:
            raise UpgradeError(f"{environment.folder} has no TensorFlow any more: --fresh makes it anew")
        return UpgradeSide(wanted.said, str(environment.python), found, environment)

    def _of_interpreter(self, wanted: Wanted) -> UpgradeSide:
        python = wanted.interpreter
        found = self._launcher.interpreter(python)
        if self._setup.plays_suite and found.tensorflow is None:
            raise UpgradeError(f"{wanted.said} has no TensorFlow{_remedy(python, RELEASES)}")
        if self._setup.runs_tests:
            _check_plugin(python, wanted.said)
        return UpgradeSide(wanted.said, python, found)


def of_environment(launcher: Launcher, environment: BuiltEnvironment) -> Interpreter:
    """What its interpreter is. Raises UpgradeError where that would import another TensorFlow than is installed."""
    found = launcher.interpreter(str(environment.python))
    installed = [one.partition(" ")[2] for one in tensorflows(environment.folder)]
    if found.tensorflow is not None and installed and found.tensorflow not in installed:
        raise UpgradeError(
            f"TensorFlow {found.tensorflow} would be imported, and not {installed[0]} of {environment.folder}: take"
            f" out of PYTHONPATH ({os.environ.get('PYTHONPATH', 'which is not set')}) where that is"
        )
    return found


def offered(index: indexes.PackageIndex, requirement: str, missing: str, version: tuple[int, int, int]) -> str:
    """For which Pythons there is what this one doesn't get, in words that go on a sentence.

    None where something else is missing, which it needs.
    """
    if _named(missing) != _named(requirement):
        return ""
    try:
        pythons = index.offer(Requirement(requirement).name).pythons(requirement)
    except (UpgradeError, InvalidRequirement):
        return ""
    if not pythons:
        return ""
    here = f"{version[0]}.{version[1]}"
    return f"; this is Python {here}, and there are wheels for {', '.join(pythons)}: name one of those with --python"


def _named(requirement: str) -> str:
    return canonicalize_name(re.split(r"[^\w.-]", requirement, maxsplit=1)[0])


def _check_plugin(python: str, said: str) -> None:
    """Nothing is installed into interpreters of others."""
    if ask([python, "-c", _VERSION_CODE]).returncode:
        how = _remedy(python, ourselves.NAME)
        raise UpgradeError(f"{said} has no {ourselves.NAME}, with whose pytest your tests would run{how}")


def _remedy(python: str, package: str) -> str:
    has_pip = not ask([python, "-m", "pip", "--version"]).returncode
    how = f": `{python} -m pip install {package}`, or" if has_pip else ", and no pip to install it with:"
    return f"{how} name a version, for which an environment is made"
