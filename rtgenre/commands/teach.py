"""``rtgenre teach``: tells the running service what is playing."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from rtgenre.commands.options import add_config_file, add_setting, config_of
from rtgenre.errors import RtgenreError
from rtgenre.outputs.web.endpoint import read_token, server_address

if TYPE_CHECKING:
    import argparse

    from rtgenre.config import Config, WebSocketConfig

TIMEOUT_SECONDS = 20.0


class NotTaughtError(RtgenreError):
    """The service could not be told; the message says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    add_config_file(parser)
    parser.add_argument("genre", metavar="GENRE", help="one that is known, or a new one")
    parser.add_argument("--node", metavar="NAME", help="the room; needed if there are several")
    add_setting(parser, "--host", "websocket.host", help="where the service is: 127.0.0.1")
    add_setting(parser, "--port", "websocket.port", help="and its port: 8765")


def main(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    return teach(config_of(options), options.genre, options.node)


def teach(config: Config, genre: str, node: str | None) -> int:
    """Say what is playing, print what was learnt, and return the exit code.

    Raises:
        NotTaughtError: no service runs, or it refuses.
    """
    query = {"genre": genre} | ({} if node is None else {"node": node})
    answer = _post(config.websocket, f"/teach?{urlencode(query)}")
    print(answer["note"])
    return 0


def _post(config: WebSocketConfig, target: str) -> dict[str, Any]:
    address = server_address(config, config.port)
    scheme = "https" if config.cert_file else "http"
    token = read_token(config)
    request = urllib.request.Request(
        f"{scheme}://{address}{target}",
        method="POST",
        headers={"Authorization": f"Bearer {token}"} if token else {},
    )
    context = None
    if config.cert_file is not None:
        # The service's own certificate, whatever name it was made for.
        context = ssl.create_default_context(cafile=config.cert_file)
        context.check_hostname = False
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS, context=context) as response:
            return dict(json.loads(response.read()))
    except urllib.error.HTTPError as error:
        raise NotTaughtError(_message(error)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise NotTaughtError(
            f"no service answers at {address} ({reason}): start `rtgenre run`, or give its "
            "--host and --port"
        ) from None


def _message(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["message"])
    except (ValueError, KeyError, TypeError, OSError):
        return f"the service answered {error.code}"
