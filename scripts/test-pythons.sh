#!/bin/sh
# Tries the wheel with newer Pythons than this one: those of Debian's releases, each in a root of its own.
# Usage, as root: sh scripts/test-pythons.sh PYTHON [SUITE …]; needs mmdebstrap and the package index.
# Says how much is installed, and how long it takes from then to the first genre of a file.
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
        # What was begun and not ended is in the way.
        rm -rf --one-file-system "$root"
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
    # With /proc, from which the model's runtime learns what the processor can do; it goes with the last process.
    unshare --mount sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" sh -eu' "$root" <<'END' >"$here/$suite.txt"
cd /tmp
megabytes() { du --summarize --apparent-size --block-size=1MB /venv | cut -f1; }
python3 -m venv /venv
before=$(megabytes)
/venv/bin/pip install --quiet --no-index --find-links /wheels rtgenre
begun=$(date +%s%N)
/venv/bin/rtgenre classify /venv/lib/python3*/site-packages/rtgenre/demo/jazz.ogg >/tmp/genre
took_ms=$((($(date +%s%N) - begun) / 1000000))
size=$(($(megabytes) - before))
grep -q ': jazz' /tmp/genre || { cat /tmp/genre >&2; exit 1; }
/venv/bin/rtgenre init --yes --config /settings.toml >/dev/null
/venv/bin/rtgenre config check --config /settings.toml >&2
/venv/bin/rtgenre completion fish | grep -q classify
# It plays until it is stopped; what is asked is whether it names a genre.
(timeout 120 /venv/bin/rtgenre demo --json --port 0 2>/tmp/log || true) | grep -m 1 '"state": "music"' >/tmp/heard
test -s /tmp/heard || { cat /tmp/log >&2; exit 1; }
echo "$size MB, the first genre of a file $took_ms ms after they were installed"
test "$size" -le 220 || { echo "$size MB are more than the 220 that may be installed" >&2; exit 1; }
END
    echo "Python $version: rtgenre installs, names genres, and plays its demo; $(cat "$here/$suite.txt")"
done
