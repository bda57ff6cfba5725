#!/bin/bash
# Create .venv with a Python of at least 3.11; say what to install where there is none.
set -euo pipefail
cd "$(dirname "$0")/.."

fits() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if [ -x .venv/bin/python ] && fits .venv/bin/python; then
    exit 0
fi
for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null && fits "$candidate"; then
        echo "installing the Python packages into .venv ($("$candidate" -V))"
        rm -rf .venv
        if ! said=$("$candidate" -m venv .venv 2>&1); then
            rm -rf .venv
            printf '%s\n' "$said" >&2
            echo "make: $candidate cannot create a virtual environment; on Debian: apt-get install python3-venv" >&2
            exit 1
        fi
        exit 0
    fi
done
echo "make: everytick needs Python 3.11 or newer; install it, or name it: make setup PYTHON=/path/to/python3" >&2
exit 1
