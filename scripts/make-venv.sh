#!/bin/sh
# Makes a virtual environment with Python 3.11 or newer, unless there is one that is whole and of this folder.
# Usage: make-venv.sh PYTHON FOLDER
set -eu
python=$1
folder=$2

. "$(dirname "$0")/one-at-a-time.sh"

# Its Python is another machine's, was replaced by a newer one, or never got its packages: nothing in it is of use.
fresh=--clear
if "$folder/bin/python" -c 'from importlib.metadata import version; version("pip")' 2>/dev/null; then
    # What was installed by another path would run what is there.
    case $(sed -n 's/^command = //p' "$folder/pyvenv.cfg" 2>/dev/null) in *" $(pwd -P)/$folder") exit 0 ;; esac
    fresh=""
fi

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    found=$("$python" --version 2>&1 || true)
    echo "rtgenre needs Python 3.11 or newer; '$python' is: ${found:-not there}." >&2
    echo "Install one and name it, for example: make run PYTHON=python3.12" >&2
    exit 1
fi
echo "Making an environment for Python packages in $folder …"
if ! "$python" -m venv "$folder" $fresh; then
    rm -rf "$folder"
    echo "Python could not make a virtual environment; on Debian and Ubuntu: sudo apt install python3-venv" >&2
    exit 1
fi
