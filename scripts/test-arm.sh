#!/bin/sh
# Tries the wheel on 64-bit ARM: in a root of Debian's, emulated by QEMU. Writes docs/arm.json.
# Usage, as root: sh scripts/test-arm.sh PYTHON [SUITE]
set -eu

python=$1
suite=${2:-trixie} # what Raspberry Pi OS is made of
here=build/arm
root=$here/$suite
binfmt=/proc/sys/fs/binfmt_misc

refuse() {
    echo "make test-arm: $1" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || refuse "needs root, to run programs inside another root; try sudo make test-arm"
for tool in mmdebstrap:mmdebstrap arch-test:arch-test gcc:gcc \
    qemu-aarch64-static:qemu-user-static qemu-aarch64:qemu-user; do
    command -v "${tool%:*}" >/dev/null ||
        refuse "${tool%:*} is missing; apt-get install --no-install-recommends ${tool#*:}"
done
if ! arch-test arm64 >/dev/null 2>&1; then
    # Where no systemd has told the kernel yet which programs QEMU runs.
    [ -e $binfmt/register ] || mount -t binfmt_misc binfmt_misc $binfmt 2>/dev/null ||
        refuse "this kernel has no binfmt_misc, so it cannot run programs of ARM"
    tr -d '\n' </usr/lib/binfmt.d/qemu-aarch64.conf >$binfmt/register
    arch-test arm64 >/dev/null || refuse "this kernel does not run programs of ARM through QEMU"
fi

if ! [ -e "$root/made" ]; then
    echo "Making a root of Debian $suite for ARM, once: a minute or two …"
    mkdir -p "$here"
    rm -rf --one-file-system "$root"
    # Unpacked, not configured: Debian's own scripts would take half an hour under emulation.
    # Of a release that is still being made a mirror may have an older state.
    mmdebstrap --quiet --architectures=arm64 --variant=extract \
        --include=base-files,coreutils,dash,libc-bin,libportaudio2,python3 \
        --aptopt='Acquire::Check-Valid-Until "false"' "$suite" "$root" >"$here/root.log" 2>&1 ||
        refuse "the root cannot be made: $(tail -n 1 "$here/root.log")"
    chroot "$root" /sbin/ldconfig
    mkdir -p "$root/sys/devices/system/cpu"
    for cores in possible present; do echo 0-3 >"$root/sys/devices/system/cpu/$cores"; done
    touch "$root/made"
fi
version=$(chroot "$root" /usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')

pip() {
    "$python" -m pip "$@" --quiet >"$here/pip.log" 2>&1 ||
        refuse "pip $1 failed, see $here/pip.log; $(grep -o 'ERROR.*' "$here/pip.log" | tail -n 1)"
}
rm -rf "$here"/*.whl "$here/wheels" "$root/packages"
pip wheel --no-deps --wheel-dir "$here" .
wheel=$(echo "$here"/rtgenre-*.whl)
# Wheels name the oldest glibc that they run with: Debian 12 has 2.36.
for_arm="--only-binary :all: --platform manylinux2014_aarch64"
for glibc in $(seq 17 36); do
    for_arm="$for_arm --platform manylinux_2_${glibc}_aarch64"
done
# From outside: the root has neither the network's certificates nor its settings, and is slow.
echo "Fetching wheels for ARM and Python $version …"
pip download $for_arm --python-version "$version" --dest "$here/wheels" "$wheel"
# Which Python a wheel is for was seen to when it was fetched; pip would ask for its own.
pip install $for_arm --python-version "$version" --target "$root/packages" --no-compile \
    --no-index --no-deps --ignore-requires-python "$here"/wheels/*.whl
for other in 3.11 3.12 3.13 3.14; do
    pip install $for_arm --dry-run --ignore-installed --target "$here/nowhere" \
        --python-version "$other" "${wheel}[parquet,cluster,plot]"
    echo "Python $other: everything that rtgenre and its extras need has a wheel for ARM"
done

gcc -O2 -shared -fPIC -o "$here/count.so" scripts/count_instructions.c
"$python" -m scripts.arm "$root" "$here/count.so"
"$python" -m scripts.arm_page
