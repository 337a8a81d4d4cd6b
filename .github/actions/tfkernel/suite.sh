#!/usr/bin/env bash
# The inputs of the action come as INPUT_*; none of them is ever read as a command of this shell.
set -euo pipefail

mkdir -p -- "$INPUT_REPORT"
report=$(realpath -- "$INPUT_REPORT")
# Those of an earlier run must not be taken for ours, should this one write none.
rm -f -- "$report"/run.json "$report"/run.json.incomplete "$report"/run.html "$report"/run.incomplete.html
# Before the run: what one leaves that doesn't end is worth keeping, too.
printf 'document=%s\n' "$report/run.json" >> "$GITHUB_OUTPUT"

options=(--tfkernel "--tfkernel-size=$INPUT_SIZE")
options+=("--tfkernel-report=$report/run.json" "--tfkernel-report=$report/run.html")
[ -z "${INPUT_PYTHON:-}" ] || options+=("--tfkernel-python=$INPUT_PYTHON")

read -r -d '' -a required <<< "${INPUT_REQUIRE:-}" || true
for name in "${required[@]}"; do
    options+=("--tfkernel-require=$name")
done

# Quotes mean what they mean in a shell, and nothing else in it means anything.
mapfile -d '' -t args < <(python -I - <<'EOF'
import os, shlex, sys

try:
    words = shlex.split(os.environ.get("INPUT_ARGS", ""))
except ValueError as error:
    sys.exit(f"::error title=tfkernel::the input `args` can't be read: {error}")
for word in words:
    print(word, end="\0")
EOF
)
wait "$!"

python -I -m pytest "${options[@]}" "${args[@]}" || code=$?
# What fails has annotations of its own; a run that could not be has none.
[ "${code:-0}" -le 1 ] || echo "::error title=tfkernel::pytest ended with exit code $code: the log says why"
exit "${code:-0}"
