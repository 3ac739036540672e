#!/bin/sh
# Tries the wheel with newer Pythons than this one: those of Debian's releases, each in a root of its own.
# Usage, as root: sh scripts/test-pythons.sh PYTHON [SUITE …]; needs mmdebstrap and the package index.
set -eu

python=$1
shift
[ $# -gt 0 ] || set -- trixie forky # Python 3.13 and 3.14
here=build/pythons
mkdir -p "$here"
rm -f "$here"/*.whl
"$python" -m pip wheel --quiet --no-deps --wheel-dir "$here" .

for suite in "$@"; do
    root=$here/$suite
    if ! [ -e "$root/made" ]; then
        echo "Making a root of Debian $suite …"
        # Of a release that is still being made a mirror may have an older state.
        mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,libportaudio2 \
            --aptopt='Acquire::Check-Valid-Until "false"' "$suite" "$root"
        touch "$root/made"
    fi
    version=$(chroot "$root" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    rm -rf "$root/wheels" "$root/venv" "$root/settings.toml"
    # Fetched outside, since the root has neither the network's certificates nor its settings.
    "$python" -m pip download --quiet --python-version "$version" --only-binary :all: \
        --dest "$root/wheels" "$here"/rtgenre-*.whl
    chroot "$root" sh -eu <<'END'
cd /tmp
python3 -m venv /venv
/venv/bin/pip install --quiet --no-index --find-links /wheels rtgenre
/venv/bin/rtgenre classify /venv/lib/python3*/site-packages/rtgenre/demo/jazz.ogg | grep ': jazz'
/venv/bin/rtgenre init --yes --config /settings.toml >/dev/null
/venv/bin/rtgenre config check --config /settings.toml
/venv/bin/rtgenre completion fish | grep -q classify
# It plays until it is stopped; what is asked is whether it names a genre.
(timeout 120 /venv/bin/rtgenre demo --json --port 0 2>/tmp/log || true) | grep -m 1 '"state": "music"' >/tmp/heard
test -s /tmp/heard || { cat /tmp/log; exit 1; }
END
    echo "Python $version: rtgenre installs, names genres, and plays its demo"
done
