"""What another TensorFlow changes: run the suite with both, compare, and exit as the comparison does.

    tox -e upgrade -- REF CHANGED [options of pytest]

REF and CHANGED are versions (2.20, 2.21.0), what pip installs (tf-nightly-cpu, "tensorflow==2.21.*"), or paths of
interpreters that have a TensorFlow (.venv-old/bin/python, a Python 3.7 with 1.15). Runs in an environment that has
pytest-tfkernel with pytest-xdist. The two documents, and the environments, are in TFKERNEL_UPGRADE_FOLDER.

Exit codes: 0 same or better, 1 worse, 2 can't be compared, others those of pip or of a pytest that could not run.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(os.environ.get("TFKERNEL_UPGRADE_FOLDER") or "tfkernel-upgrade").absolute()
# pytest's own: everything passed; something failed, which the comparison weighs.
RAN = (0, 1)
# A release has three numbers, a series two.
VERSION = re.compile(r"\d+\.\d+(\.\d+\S*)?")


def main(arguments: list[str]) -> int:
    """Make both documents and compare them; the exit code."""
    wanted = [argument for argument in arguments[:2] if argument and not argument.startswith("-")]
    if len(wanted) != 2:  # noqa: PLR2004 - ref and changed
        print(__doc__, file=sys.stderr)
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    documents = [FOLDER / "ref.json", FOLDER / "changed.json"]
    # Both before the first run: what can't be installed is known at once.
    pythons = [
        interpreter(want, FOLDER / f"{document.stem}-env") for want, document in zip(wanted, documents, strict=True)
    ]
    for python, document in zip(pythons, documents, strict=True):
        words = ["--tfkernel", f"--tfkernel-python={python}", f"--tfkernel-report={document}", *arguments[2:]]
        # That of an earlier run must not be taken for the one of a run that wrote none.
        document.unlink(missing_ok=True)
        code = run(sys.executable, "-m", "pytest", "-n", "2", *words)
        if code not in RAN:
            print(f"upgrade: pytest ended with exit code {code}, so there is nothing to compare", file=sys.stderr)
            return code
    compare = [sys.executable, "-m", "pytest_tfkernel", "compare", *map(str, documents)]
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("ab") as file:
            subprocess.run([*compare, "--markdown"], stdout=file, check=False)
    return run(*compare)


def interpreter(wanted: str, folder: Path) -> Path:
    """The path of an interpreter as it is, or one of a new environment with what was asked for."""
    found = shutil.which(wanted)
    if found is not None:
        # Not resolved: the interpreter of an environment is a link to one that has nothing of it.
        return Path(found).absolute()
    requirement = wanted
    if VERSION.fullmatch(wanted):
        requirement = f"tensorflow-cpu=={wanted}" + ("" if wanted.count(".") > 1 else ".*")
    python = folder / "bin" / "python"
    for command in (
        (sys.executable, "-m", "venv", "--clear", str(folder)),
        (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--", requirement),
    ):
        code = run(*command)
        if code:
            print(f"upgrade: {wanted} can't be installed", file=sys.stderr)
            sys.exit(code if code > 1 else 2)
    return python


def run(*command: str) -> int:
    """Show a command and run it; its exit code."""
    print(f"upgrade: {shlex.join(command)}", flush=True)
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
