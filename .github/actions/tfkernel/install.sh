#!/usr/bin/env bash
# INPUT_INSTALL is what pip is to install; empty for the repository that this action is part of.
set -euo pipefail

if [ -n "${INPUT_INSTALL:-}" ]; then
    # A requirement or a path, and never an option of pip's.
    python -I -m pip install --disable-pip-version-check -- "$INPUT_INSTALL"
else
    python -I -m pip install --disable-pip-version-check -- "$(realpath "$GITHUB_ACTION_PATH/../../..")[xdist]"
fi
