"""Both sides of an upgrade, made ready: interpreters that are there, or environments that are made."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.upgrade import indexes, ourselves
from pytest_tfkernel.upgrade.asking import ask
from pytest_tfkernel.upgrade.building import BuiltEnvironment, InstallError
from pytest_tfkernel.upgrade.environments import Environments
from pytest_tfkernel.upgrade.errors import UpgradeError
from pytest_tfkernel.upgrade.recipes import Recipe
from pytest_tfkernel.upgrade.requirements import Installs, Wanted

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
                more = offered(self._setup.index, wanted.requirement, version)
            raise UpgradeError(f"{error}{more}") from None

    def _side(self, wanted: Wanted, environment: BuiltEnvironment) -> UpgradeSide:
        python = str(environment.python)
        return UpgradeSide(wanted.said, python, self._launcher.interpreter(python), environment)

    def _of_interpreter(self, wanted: Wanted) -> UpgradeSide:
        python = wanted.interpreter
        found = self._launcher.interpreter(python)
        if self._setup.plays_suite and found.tensorflow is None:
            raise UpgradeError(
                f"{wanted.said} has no TensorFlow: `{python} -m pip install tensorflow-cpu`, or name a version, for"
                " which an environment is made"
            )
        if self._setup.runs_tests:
            _check_plugin(python, wanted.said)
        return UpgradeSide(wanted.said, python, found)


def offered(index: indexes.PackageIndex, requirement: str, version: tuple[int, int, int]) -> str:
    """For which Pythons there is what this one doesn't get, in words that go on a sentence."""
    try:
        pythons = index.offer(Requirement(requirement).name).pythons(requirement)
    except (UpgradeError, InvalidRequirement):
        return ""
    if not pythons:
        return ""
    here = f"{version[0]}.{version[1]}"
    return f"; this is Python {here}, and there are wheels for {', '.join(pythons)}: name one of those with --python"


def _check_plugin(python: str, said: str) -> None:
    """Nothing is installed into interpreters of others."""
    if ask([python, "-c", _VERSION_CODE]).returncode:
        has_pip = not ask([python, "-m", "pip", "--version"]).returncode
        how = f"`{python} -m pip install {ourselves.NAME}`" if has_pip else "and no pip to install it with"
        raise UpgradeError(
            f"{said} has no {ourselves.NAME}, with whose pytest your tests would run: {how}; or name a version, for"
            " which an environment is made"
        )
