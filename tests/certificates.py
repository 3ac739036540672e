"""Certificates that openssl makes for a test."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


async def a_certificate(folder: Path) -> tuple[Path, Path]:
    """Return a self-signed certificate for this machine, and its key."""
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    process = await asyncio.create_subprocess_exec(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-days", "2", "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
        *("-keyout", str(key_file), "-out", str(cert_file)),
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == 0
    return cert_file, key_file
