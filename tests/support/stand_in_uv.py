"""A `uv` that takes no time: environments that see what is installed here, and wheels that are unpacked into them."""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

PROGRAM = """#!{python}
import sys
sys.path.insert(0, {support!r})
import stand_in_uv
sys.exit(stand_in_uv.main(sys.argv[1:]))
"""


def put(folder: Path) -> Path:
    """Put it into a folder, which is to stand on PATH."""
    folder.mkdir(exist_ok=True)
    path = folder / "uv"
    path.write_text(PROGRAM.format(python=sys.executable, support=str(Path(__file__).parent)), encoding="utf-8")
    path.chmod(0o755)
    return folder


def main(words: Sequence[str]) -> int:
    """What uv does for an upgrade."""
    if words[0] == "venv":
        return _venv(words[words.index("--python") + 1], Path(words[-1]))
    return _install(Path(words[words.index("--python") + 1]), words[words.index("--python") + 2 :])


def _packages(folder: Path) -> Path:
    return folder / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"


def _venv(python: str, folder: Path) -> int:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/python").symlink_to(os.path.realpath(python))
    (folder / "pyvenv.cfg").write_text(f"home = {Path(os.path.realpath(python)).parent}\n", encoding="utf-8")
    packages = _packages(folder)
    packages.mkdir(parents=True)
    # Behind what is unpacked there; with what an editable installation is found by.
    here = next(one for one in sys.path if one.endswith("site-packages"))
    (packages / "here.pth").write_text(f"import site; site.addsitedir({here!r})\n", encoding="utf-8")
    return 0


def _install(python: Path, words: Sequence[str]) -> int:
    packages = _packages(python.parents[1])
    wanted = iter(words)
    for word in wanted:
        if word == "-r":
            lines = Path(next(wanted)).read_text(encoding="utf-8").split("\n")
            code = _install(python, [line for line in lines if line])
        elif word == "-e":
            (packages / "linked.pth").write_text(f"{next(wanted)}\n", encoding="utf-8")
            code = 0
        else:
            code = 0 if word.startswith("--") else _unpack(packages, word)
        if code:
            return code
    return 0


def _unpack(packages: Path, word: str) -> int:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name, parse_wheel_filename

    if "pytest_tfkernel" in word:
        # It is found as it is installed here; what says that it is there is there.
        with zipfile.ZipFile(word) as file:
            file.extractall(packages, [name for name in file.namelist() if name.endswith("/METADATA")])
        return 0
    if word.endswith(".whl"):
        fitting = [Path(word)]
    else:
        wanted = Requirement(word)
        known = {parse_wheel_filename(path.name)[1]: path for path in Path(os.environ["UV_FIND_LINKS"]).glob("*.whl")
                 if parse_wheel_filename(path.name)[0] == canonicalize_name(wanted.name)}  # fmt: skip
        fitting = [known[version] for version in sorted(known) if wanted.specifier.contains(version)]
    if not fitting:
        said = f"  x No solution found when resolving dependencies:\n  Because there is no version of {word} and you"
        sys.stderr.write(f"{said} require {word}, we can conclude that your requirements are unsatisfiable.\n")
        return 1
    with zipfile.ZipFile(fitting[-1]) as file:
        file.extractall(packages)
    return 0
