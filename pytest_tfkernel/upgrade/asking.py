"""Short questions to interpreters and to pip: what they print, whatever their exit code."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from pytest_tfkernel.upgrade.commands import environment
from pytest_tfkernel.upgrade.errors import UpgradeError
from pytest_tfkernel.upgrade.installing import NOT_OURS

_SECONDS = 120.0
# Nothing of the working folder is imported, from Python 3.11 on.
_APART = {**NOT_OURS, "PYTHONSAFEPATH": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


def ask(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run it to its end. Raises UpgradeError where that can't be."""
    try:
        return subprocess.run(  # noqa: S603 - interpreters that the user names
            [*words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=environment(_APART),
            timeout=_SECONDS,
            check=False,
        )
    except OSError as error:
        raise UpgradeError(f"{words[0]} can't be asked: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise UpgradeError(f"{' '.join(words[:4])} did not answer for {_SECONDS:.0f} s") from None
