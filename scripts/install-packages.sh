#!/bin/sh
# Installs the system packages that are missing, through apt where root or sudo allows it.
# Usage: install-packages.sh base|test
set -eu

missing=""
need_command() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need_file() { ls $1 >/dev/null 2>&1 || missing="$missing $2"; }

# PortAudio comes with sounddevice's wheels for macOS and Windows.
[ "$(uname -s)" = Linux ] || exit 0

ldconfig=$(command -v ldconfig || echo /sbin/ldconfig)
"$ldconfig" -p 2>/dev/null | grep -q libportaudio || missing="$missing libportaudio2"
if [ "$1" = test ]; then
    need_command mosquitto mosquitto
    need_command mosquitto_sub mosquitto-clients
    need_command pulseaudio pulseaudio
    need_command pactl pulseaudio-utils
    need_command ffmpeg ffmpeg
    need_command espeak-ng espeak-ng
    need_command dbus-daemon dbus
    need_command openssl openssl
    need_command chromium chromium
    # Each completes commands in its own way.
    need_command nginx nginx-light
    need_command zsh zsh
    need_command fish fish
    # For systemd-analyze; it does not become the init system, which is another package.
    need_command systemd-analyze systemd
    need_file '/usr/lib/*/alsa-lib/libasound_module_pcm_pulse.so' libasound2-plugins
fi
# Opens pages in half the time that chromium takes. Where a system has none, tests take chromium.
quicker=""
if [ "$1" = test ] && ! command -v chromium-headless-shell >/dev/null 2>&1; then
    quicker=chromium-headless-shell
fi
[ -n "$missing$quicker" ] || exit 0

as_root=""
if [ "$(id -u)" != 0 ]; then
    as_root="sudo -n"
    if ! sudo -n true 2>/dev/null; then
        as_root=""
        missing_reason="neither root nor sudo without a password"
    fi
fi
if ! command -v apt-get >/dev/null 2>&1; then
    missing_reason="no apt-get here"
fi
leave_it_to_the_user() {
    [ -n "$missing" ] || exit 0
    echo "These system packages are missing ($missing_reason), so please install them yourself:" >&2
    echo "    sudo apt install$missing" >&2
    # The service still plays files and streams without PortAudio; the tests need everything.
    [ "$1" = base ] && exit 0
    exit 1
}
[ -z "${missing_reason:-}" ] || leave_it_to_the_user "$1"
install() { $as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }
echo "Installing$missing $quicker …"
export DEBIAN_FRONTEND=noninteractive
# It also fails over a source of packages that has none of these.
$as_root apt-get update -qq || true
if [ -n "$missing" ] && ! install $missing; then
    missing_reason="apt-get does not install them"
    leave_it_to_the_user "$1"
fi
[ -z "$quicker" ] || install "$quicker" 2>/dev/null || echo "No $quicker here: tests take chromium"
