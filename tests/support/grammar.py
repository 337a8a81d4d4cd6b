"""What the programs themselves say of the words of a command, without doing what it asks for."""

from __future__ import annotations

import configparser
import contextlib
import dataclasses
import io
import itertools
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property

import msgspec
from packaging.requirements import InvalidRequirement, Requirement

from pages import ROOT
from pytest_tfkernel import commands
from pytest_tfkernel.catalogue.entries import CAPABILITY, FAULT, PROVISIONER, entries
from pytest_tfkernel.plugin.options import SIZES

OURS = "pytest-tfkernel"
_MODULE = "pytest_tfkernel"
_BETWEEN = {"&&", "||", "|", ";"}
# With a value behind each, but for the first ones.
_PIP = {"-q", "-e", "-c", "-r"}
_PIP_ALONE = {"-q"}
# The kind of name that an option of ours wants.
_KINDS = {"--tfkernel-provisioner": PROVISIONER, "--tfkernel-require": CAPABILITY, "--tfkernel-allow": FAULT}


@dataclasses.dataclass(frozen=True)
class Grammar:
    """`pytest_help` is what `pytest --help` prints with our plugin and pytest-xdist."""

    pytest_help: str

    @cached_property
    def of_pytest(self) -> set[str]:
        """Its options, short ones too."""
        return {word for line in self.pytest_help.splitlines() for word in _declared(line)}

    def complaint(self, command: str) -> str:
        """What is wrong with it; empty if nothing is."""
        try:
            words = shlex.split(command)
        except ValueError as error:
            return f"no shell reads it: {error}"
        parts = itertools.groupby(words, key=lambda word: word in _BETWEEN)
        said = (self._of_one([*part]) for between, part in parts if not between)
        return next(filter(None, said), "")

    def _of_one(self, words: list[str]) -> str:
        while words and re.match(r"[A-Z_]+=", words[0]):
            del words[0]
        if not words:
            return ""
        program = words[0].rpartition("/")[2]
        if re.fullmatch(r"python[\d.]*", program):
            return self._of_python(words[1:])
        known: dict[str, Callable[[list[str]], str]] = {
            OURS: _of_ours,
            "bash": _of_a_script,
            "cd": _of_a_folder,
            "pip": _of_pip,
            "pytest": self._of_pytest,
            "tox": _of_tox,
        }
        if program in known:
            return known[program](words[1:])
        # What there is no way to ask.
        if program in {"apt-get", "cat", "coverage", "export", "jupyter", "spyder"} or words[0].startswith("./"):
            return ""
        return f"teach tests/support/grammar.py what {program} is told"

    def _of_python(self, words: list[str]) -> str:
        while words and words[0] in {"-I", "-u", "-P"}:
            del words[0]
        if words[:1] != ["-m"]:
            return _of_a_script(words[:1]) or (self._of_one(words[1:]) if words[1:] else "")
        module, *rest = words[1:] or [""]
        known: dict[str, Callable[[list[str]], str]] = {
            _MODULE: _of_ours,
            "benchmarks.run": _of_benchmarks,
            "pip": _of_pip,
            "pytest": self._of_pytest,
            "tox": _of_tox,
            "venv": lambda words: "" if len(words) == 1 and words[0][0] != "-" else "a folder is what venv wants",
        }
        return known[module](rest) if module in known else f"teach tests/support/grammar.py what {module} is told"

    def _of_pytest(self, words: list[str]) -> str:
        for word in words:
            name, is_set, value = word.partition("=")
            if not word.startswith("-"):
                continue
            if name not in self.of_pytest:
                return f"pytest has no option {name}"
            if name.startswith("--tfkernel") and is_set:
                choices = {form.partition("=")[2] for form in self.of_pytest if form.startswith(f"{name}=")}
                choices |= _values(name)
                if value not in (choices or {value}) or f"{name}=" not in self.pytest_help:
                    return f"{name} takes {' or '.join(sorted(choices)) or 'nothing'}, and not {value!r}"
        return ""


def options_of_ours() -> dict[str, set[str]]:
    """The long options of each command."""
    found = {}
    for name in commands._COMMANDS:
        said = _parsed([name, "--help"])[1]
        found[name] = {word for line in said.splitlines() for word in _declared(line) if word[:2] == "--"} - {"--help"}
    return found


def _declared(line: str) -> Iterator[str]:
    """The options of which a line of a help begins to speak."""
    if re.match(r"  -", line):
        for word in re.split(r", ", line.strip()):
            match = re.match(r"-\w\b|--[a-zA-Z][\w-]*(?:=[a-z]+\b)?", word)
            if match is None:
                return
            yield match[0]
            yield match[0].partition("=")[0]
            if "  " in word:
                return


def _parsed(words: Sequence[str]) -> tuple[int, str, str]:
    """What the real parser says; nothing runs."""
    inert = {name: dataclasses.replace(one, run=lambda _: (0, "", "")) for name, one in commands._COMMANDS.items()}
    before = dict(commands._COMMANDS)
    out, err = io.StringIO(), io.StringIO()
    try:
        commands._COMMANDS.update(inert)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = commands.run(words)
            except SystemExit as end:
                code = int(end.code or 0)
    finally:
        commands._COMMANDS.update(before)
    return code, out.getvalue(), err.getvalue()


def _of_ours(words: list[str]) -> str:
    code, _, err = _parsed(words)
    return err.strip().rpartition("\n")[2] if code else ""


def _of_a_script(words: list[str]) -> str:
    return "" if words and (ROOT / words[0]).is_file() else f"there is no file {' '.join(words)}"


def _of_a_folder(words: list[str]) -> str:
    return "" if (ROOT / words[0]).is_dir() else f"there is no folder {words[0]}"


def _of_benchmarks(words: list[str]) -> str:
    source = (ROOT / "benchmarks/run.py").read_text(encoding="utf-8")
    unknown = [word for word in words if f'"{word.partition("=")[0]}"' not in source]
    return f"benchmarks.run knows no {unknown[0]}" if unknown else ""


def _of_pip(words: list[str]) -> str:
    if words[:1] != ["install"]:
        return "pip is to install something"
    rest = iter(words[1:])
    for word in rest:
        if word.startswith("-"):
            if word not in _PIP:
                return f"teach tests/support/grammar.py that pip knows {word}"
            if word in _PIP_ALONE:
                continue
            if word in {"-c", "-r"}:
                name = next(rest)
                if not (ROOT / name).exists():
                    return f"there is no file {name}"
                continue
            word = next(rest)  # noqa: PLW2901 - what is to be linked
        # A folder is ours.
        if complaint := _of_a_requirement(re.sub(r"^\.(?=\[|$)", OURS, word)):
            return complaint
    return ""


def _of_a_requirement(text: str) -> str:
    try:
        wanted = Requirement(text)
    except InvalidRequirement as error:
        return str(error).partition("\n")[0]
    unknown = wanted.extras - _extras() if wanted.name == OURS else set()
    return f"there is no extra {', '.join(sorted(unknown))}" if unknown else ""


@cache
def _extras() -> set[str]:
    project = msgspec.toml.decode((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return set(project["optional-dependencies"])


@cache
def _values(option: str) -> set[str]:
    """Empty where it may be anything."""
    if option == "--tfkernel-size":
        return set(SIZES)
    return {one.name for one in entries() if one.kind == _KINDS.get(option)}


def _of_tox(words: list[str]) -> str:
    words = words[1:] if words[:1] == ["run"] else words
    if not words:
        return ""
    if words[0] != "-e":
        return f"teach tests/support/grammar.py what tox is told by {words[0]}"
    names = words[1].split(",")
    if unknown := [name for name in names if name not in _environments()]:
        return f"tox.ini has no {unknown[0]}"
    told: dict[str, Callable[[list[str]], str]] = {
        "bench": _of_benchmarks,
        "mutants": _of_mutants,
        "upgrade": lambda words: _of_ours(["upgrade", *words]),
    }
    return told[names[0]](words[3:]) if words[2:3] == ["--"] and names[0] in told else ""


def _of_mutants(words: list[str]) -> str:
    rooms = msgspec.toml.decode((ROOT / "tests/mutants.toml").read_text(encoding="utf-8"))["rooms"]
    return next((f"tests/mutants.toml has no room {word}" for word in words if word not in rooms), "")


@cache
def _environments() -> set[str]:
    """Those that have a section, and those of the list."""
    file = configparser.ConfigParser(interpolation=None)
    file.read(ROOT / "tox.ini", encoding="utf-8")
    titles = [title.removeprefix("testenv:") for title in file.sections() if title.startswith("testenv:")]
    return {name for text in (*titles, *file["tox"]["env_list"].split()) for name in _expanded(text)}


def _expanded(text: str) -> list[str]:
    match = re.search(r"\{([^}]*)\}", text)
    if match is None:
        return [text]
    return [one for part in match[1].split(",") for one in _expanded(text.replace(match[0], part, 1))]
