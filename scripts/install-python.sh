#!/bin/sh
# Installs rtgenre and the Python packages it needs, and says so before and after.
# Usage: install-python.sh PYTHON WHAT "how much and how long"
set -eu
python=$1
what=$2
estimate=$3

# Another make may be at it.
if command -v flock >/dev/null 2>&1; then
    exec 9<"$0"
    flock -n 9 || { echo "Waiting for another make that installs here …"; flock 9 || true; }
fi

begun=$(date +%s)
echo "Installing rtgenre and what it needs, once: $estimate, by the connection …"
if ! "$python" -m pip install --quiet --disable-pip-version-check --editable "$what"; then
    echo "The installation did not come to an end; the lines above say why. Run make again to go on." >&2
    exit 1
fi
echo "Installed in $(($(date +%s) - begun)) s; from now on this step is left out."
