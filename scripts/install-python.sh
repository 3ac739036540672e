#!/bin/sh
# Installs rtgenre and the Python packages it needs, and says so before and after.
# Usage: install-python.sh PYTHON WHAT "how much and how long"
set -eu
python=$1
what=$2
estimate=$3

. "$(dirname "$0")/one-at-a-time.sh"

begun=$(date +%s)
echo "Installing rtgenre and what it needs, once: $estimate, by the connection …"
if ! "$python" -m pip install --quiet --disable-pip-version-check --editable "$what"; then
    echo "The installation did not come to an end; the lines above say why. Run make again to go on." >&2
    exit 1
fi
echo "Installed in $(($(date +%s) - begun)) s; from now on this step is left out."
