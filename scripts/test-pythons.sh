#!/bin/sh
# Tries the wheel with other Pythons than this one: those of Debian's releases, each in a root of its own.
# Usage, as root: sh scripts/test-pythons.sh PYTHON [SUITE …]; needs mmdebstrap and the package index.
# Says how much is installed, and how long it takes from then to the first genre of a file.
# One that fails leaves no half-made root, and the others are tried all the same.
set -eu

python=$1
shift
[ $# -gt 0 ] || set -- trixie forky # Python 3.13 and 3.14; bookworm has 3.11
here=build/pythons

refuse() {
    echo "make pythons: $1" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || refuse "needs root, to run programs inside another root; try sudo make pythons"
command -v mmdebstrap >/dev/null ||
    refuse "mmdebstrap is missing; apt-get install --no-install-recommends mmdebstrap"

make_root() {
    echo "Making a root of Debian $suite …"
    # Also what a run that was killed has left.
    rm -rf --one-file-system "$root"
    trap 'rm -rf --one-file-system "$root"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # Of a release that is still being made a mirror may have an older state.
    mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,libportaudio2 \
        --aptopt='Acquire::Check-Valid-Until "false"' "$suite" "$root" >"$here/$suite.log" 2>&1 ||
        refuse "the root of $suite cannot be made: $(tail -n 1 "$here/$suite.log")"
    touch "$root/made"
    trap - EXIT INT TERM
}

try_suite() {
    suite=$1
    root=$here/$suite
    [ -e "$root/made" ] || make_root
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
}

mkdir -p "$here"
rm -f "$here"/*.whl
"$python" -m pip wheel --quiet --no-deps --wheel-dir "$here" .

failed=
for suite in "$@"; do
    # Within a condition the shell would ignore what fails.
    set +e
    (set -e && try_suite "$suite")
    code=$?
    set -e
    case $code in
    0) ;;
    130 | 143) exit $code ;; # somebody stopped it
    *) failed="$failed $suite" ;;
    esac
done
[ -z "$failed" ] || refuse "these failed:$failed"
