"""`python .ci/constraints.py PYTHON...` renews constraints.txt with what these interpreters would install today.

Name each Python that is supported, as in `python3.10 python3.11`. Nothing is installed: pip is asked what it would.
A constraint is an upper bound, and has a marker where versions differ between Pythons. Wants `packaging`.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
FILE = ROOT / "constraints.txt"
HEAD = """\
# The newest release of everything with which the project's own tests have passed: pip install -c constraints.txt ...
# Made by `python .ci/constraints.py`, and renewed by .github/workflows/constraints.yml.
"""
# Ourselves with all extras but `cuda`, whose packages are gigabytes; and what CI and tox.ini install beside that.
EXTRAS = "cpu,dev,html,jupyter,multiprocess,neighbours,notebook,page,spyder,xdist"
WANTED = ((f"{ROOT}[{EXTRAS}]", "build", "cosmic-ray", "hatchling", "packaging", "tox", "twine"),)
# What is asked of one Python only.
ALSO = {
    "3.11": (
        (f"{ROOT}[dev]", "tensorflow-cpu==2.12.*"),
        (f"{ROOT}[dev]", "tensorflow-cpu==2.15.*"),
        (f"{ROOT}[dev]", "tensorflow==2.21.*"),
        ("ipython<9.18", "jupyter_server", "spyder==6.1.*", "tensorflow-cpu"),
    )
}
OURS = "pytest-tfkernel"

Versions = Mapping[str, Version]


def main(pythons: list[str]) -> int:
    """Ask each interpreter, and write the file; the exit code."""
    if not pythons or any(word.startswith("-") for word in pythons):
        print(__doc__, file=sys.stderr)
        return 2
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, python in enumerate(pythons):
            environment = Path(folder) / str(number)
            subprocess.run([python, "-m", "venv", str(environment)], check=True)
            name, answers = _ask(environment / "bin/python")
            found[name] = newest(answers)
    FILE.write_text(HEAD + "".join(f"{line}\n" for line in lines(found)), encoding="utf-8")
    return 0


def newest(answers: Iterable[Versions]) -> Versions:
    """Of each package, the newest version in any of them."""
    found: dict[str, Version] = {}
    for name, version in itertools.chain.from_iterable(one.items() for one in answers):
        found[name] = max(version, found.get(name, version))
    return found


def lines(found: Mapping[str, Versions]) -> Iterator[str]:
    """The constraints. Keys are Pythons, as in `3.10`."""
    pythons = sorted(found, key=Version)
    for name in sorted(set().union(*found.values()) - {OURS}):
        having = [(python, found[python][name]) for python in pythons if name in found[python]]
        # Each bound, and the Pythons from the first one with it up to the next bound, older and newer ones included.
        runs = [(version, next(those)[0]) for version, those in itertools.groupby(having, lambda one: one[1])]
        for number, (version, first) in enumerate(runs):
            markers = [f'python_version >= "{first}"'] if number else []
            markers += [f'python_version < "{beyond}"' for _, beyond in runs[number + 1 : number + 2]]
            yield f"{name}<={version}" + (f"; {' and '.join(markers)}" if markers else "")


def _ask(python: Path) -> tuple[str, list[Versions]]:
    """The version of an interpreter, and what pip would install there for each set of requirements."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    name = subprocess.run([python, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    return name, [_resolve(python, wanted) for wanted in (*WANTED, *ALSO.get(name, ()))]


def _resolve(python: Path, wanted: Iterable[str]) -> Versions:
    words = ["install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-", *wanted]
    answer = subprocess.run([python, "-m", "pip", *words], check=True, stdout=subprocess.PIPE).stdout
    packages = [one["metadata"] for one in json.loads(answer)["install"]]
    return {canonicalize_name(one["name"]): Version(one["version"]) for one in packages}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
