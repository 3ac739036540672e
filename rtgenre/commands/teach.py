"""``rtgenre teach``: tells the running service what is playing, and keeps what was taught."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import ssl
import sys
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from rtgenre.commands.direct import direct_opener
from rtgenre.commands.options import add_config_file, add_setting, config_of
from rtgenre.config import ConfigError
from rtgenre.config.checks import checked_text
from rtgenre.errors import RtgenreError, one_line
from rtgenre.learning.taught.notebook import Notebook
from rtgenre.learning.taught.store import taught_file
from rtgenre.messages.taught import stretches_in_words, taken_in_document
from rtgenre.model.folders import find_model_folder
from rtgenre.model.info import read_model_info
from rtgenre.outputs.web.endpoint import read_token, server_address
from rtgenre.sources.names import told_path

if TYPE_CHECKING:
    import argparse

    from rtgenre.config import Config, WebSocketConfig

TIMEOUT_SECONDS = 20.0
MAX_FILE_BYTES = 128 * 2**20
"""Twice what 5,000 stretches take."""
_STANDARD = Path("-")
"""Names standard output, or input."""


class NotTaughtError(RtgenreError):
    """The service could not be told; the message says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_config_file(parser)
    parser.add_argument("genre", metavar="GENRE", nargs="?", help="one that is known, or a new one")
    parser.add_argument("--node", metavar="NAME", help="the room; needed if there are several")
    add_setting(parser, "--host", "websocket.host", help="where the service is: 127.0.0.1")
    add_setting(parser, "--port", "websocket.port", help="and its port: 8765")
    file = parser.add_mutually_exclusive_group()
    file.add_argument(
        "--export",
        type=Path,
        metavar="FILE",
        help="write all that was taught to a file; - is standard output",
    )
    file.add_argument(
        "--import",
        type=Path,
        metavar="FILE",
        dest="import_",
        help="add what such a file holds, - is standard input; no service need run",
    )


def main(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    config = config_of(options)
    file = options.export or options.import_
    if (options.genre is None) == (file is None):
        raise ConfigError(
            "say what is playing, as in `rtgenre teach jazz`; or give --export FILE or "
            "--import FILE alone"
        )
    if options.export is not None:
        return export_taught(config, options.export)
    if options.import_ is not None:
        return import_taught(config, options.import_)
    return teach(config, options.genre, options.node)


def export_taught(config: Config, file: Path) -> int:
    """Write all that was taught to a file, whole or not at all; return the exit code.

    A link stays, and so does what is no regular file, such as a pipe: it gets the text alone, and
    so does standard output.

    Raises:
        NotTaughtError: the file cannot be written.
        TeachError: what was taught cannot be read.
    """
    text = _notebook(config).written(None)
    if file == _STANDARD:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        return 0
    try:
        if file.exists() and not file.is_file():
            file.write_text(text, encoding="utf-8")
            return 0
        _replace(Path(os.path.realpath(file)), text)
    except OSError as error:
        raise NotTaughtError(f"{told_path(file)} cannot be written: {error.strerror}") from None
    n_stretches = text.count('\n{"node"')
    print(f"{told_path(file)}: {stretches_in_words(n_stretches)}")
    return 0


def _replace(file: Path, text: str) -> None:
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        if file.exists():
            shutil.copymode(file, part)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def import_taught(config: Config, file: Path) -> int:
    """Add what a file holds, all or nothing; a running service knows it soon.

    Raises:
        NotTaughtError: the file cannot be read, or is too large.
        TeachError: it is no file of what was taught, or cannot be kept.
    """
    try:
        with sys.stdin.buffer if file == _STANDARD else file.open("rb") as opened:
            content = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise NotTaughtError(f"{told_path(file)} cannot be read: {error.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise NotTaughtError(
            f"{told_path(file)} is larger than {MAX_FILE_BYTES // 2**20} MB, which no file of what "
            "was taught is"
        )
    taken = _notebook(config).take_in(content.decode(errors="replace"))
    document = taken_in_document(
        n_new=taken.n_new, n_known=taken.n_known, n_forgotten=taken.n_forgotten
    )
    print(document["note"])
    return 0


def _notebook(config: Config) -> Notebook:
    folder = find_model_folder(config.model.folder)
    return Notebook(taught_file(config.teach.file), read_model_info(folder), folder)


def teach(config: Config, genre: str, node: str | None) -> int:
    """Say what is playing, print what was learnt, and return the exit code.

    Raises:
        ConfigError: no genre or room can be called so.
        NotTaughtError: no service runs, or it refuses.
    """
    for name in filter(None, (genre, node)):
        try:
            checked_text(name)
        except ValueError as error:
            raise ConfigError(f"{one_line(name)}: {error}") from None
    query = {"genre": genre} | ({} if node is None else {"node": node})
    print(_post(config.websocket, f"/teach?{urlencode(query)}"))
    return 0


def _post(config: WebSocketConfig, target: str) -> str:
    """Return what the service says was learnt."""
    address = server_address(config, config.port)
    scheme = "https" if config.cert_file else "http"
    token = read_token(config)
    request = urllib.request.Request(
        f"{scheme}://{address}{target}",
        method="POST",
        headers={"Authorization": f"Bearer {token}"} if token else {},
    )
    opener = direct_opener(_own_certificate(config.cert_file) if config.cert_file else None)
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            return str(json.loads(response.read())["note"])
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.UNAUTHORIZED and not token:
            raise NotTaughtError(
                f"the service at {address} asks for its token: set RTGENRE_WEBSOCKET__TOKEN, "
                "[websocket] token or token_file to what it has"
            ) from None
        raise NotTaughtError(_message(error)) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = one_line(str(getattr(error, "reason", error)).strip())
        raise NotTaughtError(
            f"no service answers at {address} ({reason}): start `rtgenre run`, or give its "
            "--host and --port"
        ) from None
    except (KeyError, TypeError):
        raise NotTaughtError(
            f"what answers at {address} is no rtgenre: give its --host and --port"
        ) from None


def _own_certificate(file: Path) -> ssl.SSLContext:
    """Trust the service's own certificate, whatever name it was made for."""
    try:
        context = ssl.create_default_context(cafile=file)
    except OSError as error:
        raise NotTaughtError(
            f"[websocket] cert_file = {str(file)!r} cannot be used: {error.strerror or error}"
        ) from None
    context.check_hostname = False
    return context


def _message(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["message"])
    except (ValueError, KeyError, TypeError, OSError):
        return f"the service answered {error.code}"
