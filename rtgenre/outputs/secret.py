"""A password or token from its setting or from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtgenre.outputs.errors import OutputError

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import SecretStr


def read_secret(value: SecretStr, file: Path | None, setting: str) -> str:
    """Return ``value``, or what ``file`` holds without the line break at its end.

    Args:
        value: the setting itself; counts when there is no file.
        file: a text file that holds the secret alone.
        setting: names the file's setting in errors, for example ``[mqtt] password_file``.

    Raises:
        OutputError: the file cannot be read or is empty.
    """
    if file is None:
        return value.get_secret_value()
    try:
        secret = file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"{setting} = {str(file)!r} cannot be read: {error}") from None
    if not secret:
        raise OutputError(f"{setting} = {str(file)!r} is empty; it must hold the secret alone")
    return secret
