#!/usr/bin/env bash
# Usage: check-sizes.sh FILE...   Fails where a file is larger than 2 MiB, unless it is a bundled model.
set -euo pipefail
status=0
for file in "$@"; do
    case $file in assets/ensembles/*) continue ;; esac
    size=$(stat -c %s "$file" 2>/dev/null || stat -f %z "$file")
    if [ "$size" -gt 2097152 ]; then
        echo "$file has $((size / 1024)) KiB; files above 2048 KiB do not belong in the repository." >&2
        status=1
    fi
done
exit $status
