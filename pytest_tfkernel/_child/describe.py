"""`python describe.py`: write one line of JSON that says what this interpreter is to descriptor 3.

Whatever begins and ends with the interpreter (a `sitecustomize`, a `.pth`, a wrapper) may print what it likes.
Parses on Python 2.7 too, so that an interpreter which is too old can say so itself. Keys: `executable`, `version`
(three numbers), `tensorflow` (a version, "unknown", or null), `packages` (versions of those that hosts need, and of
those that decide what a TensorFlow does, by the name of their module), `cuda` (the version of CUDA for which
TensorFlow was built, or null).
"""

import os
import sys

# Where an import would look, but for this folder.
_FOLDER = os.path.dirname(os.path.abspath(__file__))
_SEARCHED = [folder for folder in sys.path if folder != _FOLDER]
# And where we do: what PYTHONPATH names is looked at, and none of it is run.
_LIBRARY = os.path.dirname(os.path.abspath(os.__file__))
sys.path[:] = sorted(_SEARCHED, key=lambda folder: not folder.startswith(_LIBRARY))

import io  # noqa: E402 - see above
import json  # noqa: E402 - see above
import re  # noqa: E402 - see above

ANSWER = 3

# Modules in which, or with which, others run kernels, and what TensorFlow works with.
_PACKAGES = ("ipykernel", "spyder_kernels", "multiprocess", "numpy", "keras")

# What was read of distributions, of which each is asked for each module.
_texts = {}  # type: dict[str, str]

_INSTALLED = (".dist-info", ".egg-info")
_VERSION = re.compile("^Version: *(.+?) *$", re.MULTILINE)
_CUDA = re.compile(r"cuda_version(?:_number)?[\"']?\s*[:=,]\s*[\"']([0-9][0-9.]*)")


def version_of(module):
    """The version of the module that an import would find, "unknown", or None.

    It is that of the distribution that has installed it there, whatever that is called (`tf_nightly_cpu`); it is read,
    not imported (that takes seconds).
    """
    for folder in _SEARCHED:
        if os.path.isfile(os.path.join(folder, module, "__init__.py")):
            owner = _owner(folder, module)
            return _version(owner) if owner else "unknown"
    return None


def _owner(folder, module):
    """The folder of the distribution that the module is of, or None. Of several, the one whose files are there."""
    entries = [entry for entry in sorted(os.listdir(folder)) if entry.endswith(_INSTALLED)]
    infos = [os.path.join(folder, entry) for entry in entries]
    first = os.path.join(module, "__init__.py")
    owners = [info for info in infos if module in _read(info, "top_level.txt").split()]
    # Not every builder writes down what can be imported.
    owners = owners or [info for info in infos if os.path.basename(info).split("-")[0].lower() == module]
    owners = owners or [info for info in infos if _recorded(info, first) is not None]
    owners = owners or [info for info in infos if module in _words(info)]
    if len(owners) > 1:
        said = _digest(os.path.join(folder, first))
        owners = [info for info in owners if _recorded(info, first) == said] or owners
    return owners[0] if owners else None


def _version(info):
    found = _VERSION.search(_read(info, "METADATA") or _read(info, "PKG-INFO"))
    # The name of its folder is made of both.
    numbers = os.path.splitext(os.path.basename(info))[0].partition("-")[2].partition("-py")[0]
    return found.group(1) if found else numbers or "unknown"


def _words(info):
    """The words of which the name of a distribution is made, where it says nothing of what it has installed."""
    if _read(info, "top_level.txt") or _read(info, "RECORD"):
        return []
    return re.split("[-_.]", os.path.basename(info).partition("-")[0].lower())


def _recorded(info, name):
    """What a distribution has written down of a file of its own; None where it has no such file."""
    found = re.search("^" + re.escape(name) + ",([^,]*),", _read(info, "RECORD"), re.MULTILINE)
    return found.group(1) if found else None


def _digest(path):
    # Seldom asked for, and imports OpenSSL.
    import base64
    import hashlib

    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def _read(info, name):
    """A text of a distribution; empty where there is none."""
    path = os.path.join(info, name)
    if path not in _texts:
        try:
            # Of names of people, with any locale.
            with io.open(path, encoding="utf-8", errors="replace") as file:
                _texts[path] = file.read()
        except (IOError, OSError):
            _texts[path] = ""
    return _texts[path]


def cuda_version():
    """The CUDA for which the TensorFlow that an import would find was built, or None."""
    for folder in _SEARCHED:
        for module in ("tensorflow", "tensorflow_core"):
            path = os.path.join(folder, module, "python", "platform", "build_info.py")
            if os.path.isfile(path):
                with open(path) as file:
                    found = _CUDA.search(file.read())
                return found.group(1) if found else None
    return None


if __name__ == "__main__":
    found = [(module, version_of(module)) for module in _PACKAGES]
    packages = {module: version for module, version in found if version is not None}
    facts = {
        "executable": sys.executable,
        "version": list(sys.version_info[:3]),
        "tensorflow": version_of("tensorflow"),
        "packages": packages,
        "cuda": cuda_version(),
    }
    os.write(ANSWER, (json.dumps(facts) + "\n").encode("ascii"))
