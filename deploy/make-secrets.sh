#!/bin/sh
# Makes the token and the passwords that compose.yaml uses, and leaves existing ones alone.
# Needs mosquitto_passwd (Debian: mosquitto) or docker, and openssl.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
cd secrets

make_secret() {
    [ -s "$1" ] || openssl rand -hex 24 >"$1"
    # Containers read it as another user; the folder keeps this machine's other users out.
    chmod 644 "$1"
}
make_secret token
make_secret rtgenre_password
make_secret smarthome_password

hash_passwords() {
    if command -v mosquitto_passwd >/dev/null 2>&1; then
        mosquitto_passwd -U "$1"
    else
        docker run --rm --volume "$PWD:/secrets" eclipse-mosquitto:2 mosquitto_passwd -U "/secrets/$1"
    fi
}
if [ ! -s mosquitto_passwords ]; then
    printf 'rtgenre:%s\nsmarthome:%s\n' "$(cat rtgenre_password)" "$(cat smarthome_password)" \
        >mosquitto_passwords.new
    hash_passwords mosquitto_passwords.new
    mv mosquitto_passwords.new mosquitto_passwords
    chmod 644 mosquitto_passwords
fi
echo "The token for the page is: $(cat token)"
