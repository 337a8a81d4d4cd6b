#!/usr/bin/env bash
# compare.sh REF CHANGED: the comparison goes into the log and into the summary; its exit code is that of `compare`.
set -euo pipefail

python -I -m pytest_tfkernel compare "$1" "$2" || code=$?
case ${code:-0} in
    0) ;;
    1) echo "::error title=tfkernel::this run is worse than its reference" ;;
    *) echo "::error title=tfkernel::this run can't be compared with its reference" ;;
esac
if [ "${code:-0}" -le 1 ]; then
    python -I -m pytest_tfkernel compare --markdown "$1" "$2" >> "${GITHUB_STEP_SUMMARY:-/dev/null}" || true
fi
exit "${code:-0}"
