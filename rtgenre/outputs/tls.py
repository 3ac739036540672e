"""TLS with the certificates of the settings."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from rtgenre.outputs.errors import OutputError

if TYPE_CHECKING:
    from rtgenre.config import MqttConfig, WebSocketConfig

# With an empty passphrase an encrypted key fails; without any, OpenSSL asks on the terminal.
_NO_PASSPHRASE = ""


def server_tls(config: WebSocketConfig) -> ssl.SSLContext | None:
    """Load the certificate; None where none is set.

    Raises:
        OutputError: the certificate or its key cannot be used.
    """
    if config.cert_file is None or config.key_file is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(config.cert_file, config.key_file, password=_NO_PASSPHRASE)
    except (OSError, ValueError) as error:
        raise OutputError(
            f"[websocket] cert_file = {str(config.cert_file)!r} and key_file = "
            f"{str(config.key_file)!r} cannot be used: {error}; both must be PEM files, the key "
            "that of the certificate and without a passphrase"
        ) from None
    return context


def client_tls(config: MqttConfig) -> ssl.SSLContext | None:
    """Load the certificates; None without TLS.

    Raises:
        OutputError: one of them cannot be used.
    """
    if not config.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=config.ca_file)
        if config.cert_file is not None:
            context.load_cert_chain(config.cert_file, config.key_file, password=_NO_PASSPHRASE)
    except (OSError, ValueError) as error:
        files = [str(file) for file in (config.ca_file, config.cert_file, config.key_file) if file]
        raise OutputError(
            f"[mqtt] ca_file, cert_file and key_file ({', '.join(files)}) cannot be used: {error}; "
            "they must be PEM files, the key that of the certificate and without a passphrase"
        ) from None
    return context
