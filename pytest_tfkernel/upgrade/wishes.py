"""What of the options a comparison and a bisection have in common."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Sequence

from packaging.version import InvalidVersion, Version

from pytest_tfkernel.upgrade import indexes, ourselves, requirements
from pytest_tfkernel.upgrade.asking import ask
from pytest_tfkernel.upgrade.errors import UpgradeError
from pytest_tfkernel.upgrade.folder import UpgradeFolder
from pytest_tfkernel.upgrade.requirements import Installs
from pytest_tfkernel.upgrade.running import SuiteWishes
from pytest_tfkernel.upgrade.sides import SidesSetup

SUITE_ID = "tfkernel::"
# Are ours to give.
_OURS = ("--tfkernel", "--tfkernel-python", "--tfkernel-report", "--tfkernel-progress", "--tfkernel-compare")


def check_rest(words: Sequence[str]) -> None:
    """Refuse words for pytest that are not the user's to give."""
    for word in words:
        if word.partition("=")[0] in _OURS or word.endswith("no:tfkernel"):
            raise UpgradeError(f"usage error: {word} after --: upgrade itself says that to pytest")


def suite_wishes(options: argparse.Namespace, ids: Sequence[str] = ()) -> SuiteWishes:
    """Those of the options. Raises UpgradeError."""
    if options.workers and importlib.util.find_spec("xdist") is None:
        raise UpgradeError("--workers needs pytest-xdist: pip install 'pytest-tfkernel[xdist]', or leave it out")
    words = [f"--tfkernel-size={options.size}"] if options.size else []
    words += [
        f"--tfkernel-{name}={value}" for name in ("provisioner", "require", "allow") for value in getattr(options, name)
    ]
    return SuiteWishes(tuple(words), options.workers, tuple(ids))


def ingredients(options: argparse.Namespace) -> tuple[Installs, str]:
    """What goes into both environments, and the Python of which they are made. Raises UpgradeError."""
    installs = Installs.of(options.install, options.requirement, options.editable)
    python = requirements.base_python(options.python)
    if options.python is not None:
        _check_version(python, options.python)
    return installs, python


def _check_version(python: str, said: str) -> None:
    done = ask([python, "-I", "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"])
    try:
        found = Version(done.stdout.strip())
    except InvalidVersion:
        words = " ".join((done.stdout + done.stderr).split()[-20:])
        raise UpgradeError(
            f"--python={said} is no Python interpreter: asked for its version, it said {words!r}"
        ) from None
    wanted = ourselves.needed_python()
    if found not in wanted:
        raise UpgradeError(
            f"--python={said} is Python {found}, and {ourselves.NAME}, which goes into each environment, needs"
            f" {wanted}: for the suite alone, make environments of it yourself, and name their interpreters"
        )


def setup(
    made_of: tuple[Installs, str], folder: UpgradeFolder, *, suite: bool, tests: bool, beside: Sequence[str] = ()
) -> SidesSetup:
    """How environments are made. Raises UpgradeError."""
    installs, python = made_of
    plugin = ourselves.write_wheel(folder.environments)
    return SidesSetup(installs, python, plugin, indexes.of(python, folder.environments), suite, tests, tuple(beside))
