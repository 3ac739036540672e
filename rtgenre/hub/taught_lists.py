"""What rooms were taught: passes on what is asked of a room's list to the room's own service."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pydantic import TypeAdapter

from rtgenre.hub.http_request import LongAnswerError
from rtgenre.hub.node import node_named
from rtgenre.hub.own_service import NoWayError
from rtgenre.messages.taught import (
    ForgottenDocument,
    RenamedDocument,
    TakenInDocument,
    TaughtListDocument,
    TeachError,
)
from rtgenre.outputs.web.http import HttpResponse, explained, json_response
from rtgenre.outputs.web.teaching import taught_file_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from rtgenre.hub.node import Node
    from rtgenre.hub.own_service import OwnServices
    from rtgenre.outputs.web.http import Query, Route, Upload

ANSWER_WITHIN_SECONDS = 8.0
"""Who asks over HTTP is answered within ten seconds."""
_EXPORT, _IMPORT = "/taught/export", "/taught/import"
_SEND = f"POST {_IMPORT}"
_ANSWERS: dict[str, TypeAdapter[Any]] = {
    "/taught": TypeAdapter(TaughtListDocument),
    "DELETE /taught": TypeAdapter(ForgottenDocument),
    "POST /taught/rename": TypeAdapter(RenamedDocument),
    _SEND: TypeAdapter(TakenInDocument),
}
_REFUSALS = frozenset({400, 403, 404, 409, 413, 429, 503})
"""With these a service says why; anything else is not its own answer."""
_BAD_GATEWAY, _NO_ANSWER = 502, 504


class TaughtLists:
    """Answers at the hub what a room's own page answers, where the request names the room."""

    def __init__(self, services: OwnServices, nodes: Callable[[], list[Node]]) -> None:
        """Prepare.

        Args:
            services: leads to the rooms' own services.
            nodes: gives the rooms that are shown.
        """
        self._services = services
        self._nodes = nodes

    def routes(self, others: Mapping[str, Route]) -> dict[str, Route]:
        """Return what to answer; ``others`` answer what names no room."""
        found = dict(others)
        for path in (*_ANSWERS.keys() & others.keys(), _EXPORT):
            found[path] = self._route(path, others[path])
        return found

    def uploads(self, others: Mapping[str, Upload]) -> dict[str, Upload]:
        """Return what to answer to files; ``others`` answer where no room is named."""

        async def take_in(body: bytes, query: Query) -> HttpResponse:
            if "node" not in query:
                return await others[_IMPORT](body, query)
            return await self._pass_on(_SEND, query, body)

        return {**others, _IMPORT: explained(take_in)}

    def _route(self, path: str, other: Route) -> Callable[[Query], Awaitable[HttpResponse]]:
        async def answer(query: Query) -> HttpResponse:
            if "node" in query:
                return await self._pass_on(path, query)
            found = other(query)
            return found if isinstance(found, HttpResponse) else await found

        return explained(answer)

    async def _pass_on(self, asked: str, query: Query, body: bytes = b"") -> HttpResponse:
        """Ask a room's own service.

        Raises:
            TeachError: there is no such room, no way to its service, or it refuses.
        """
        node = node_named(query["node"], self._nodes())
        method, _, path = asked.rpartition(" ")
        others = {name: value for name, value in query.items() if name != "node"}
        target = f"{path.removeprefix('/')}?{urlencode(others)}"
        try:
            async with (
                asyncio.timeout(ANSWER_WITHIN_SECONDS),
                self._services.connected(node) as service,
            ):
                status, answer = await service.ask(method or "GET", target, body)
        except NoWayError as error:
            raise TeachError(str(error), _BAD_GATEWAY) from None
        except LongAnswerError:
            message = f"{node.name} answers too much at once: ask for fewer of its stretches, ?id="
            raise TeachError(message, _BAD_GATEWAY) from None
        except TimeoutError:
            message = f"{node.name} did not answer within {ANSWER_WITHIN_SECONDS:g} s"
            raise TeachError(message, _NO_ANSWER) from None
        if status != 200:
            raise _refusal(node.name, status, answer)
        if asked == _EXPORT:
            return taught_file_response(answer)
        try:
            return json_response(_ANSWERS[asked].validate_python(json.loads(answer), strict=True))
        except (ValueError, RecursionError):
            message = f"what {node.name} answers cannot be read: its rtgenre is of another version"
            raise TeachError(message, _BAD_GATEWAY) from None


def _refusal(node: str, status: int, answer: bytes) -> TeachError:
    """Return why a room refuses, in its own words."""
    try:
        message = str(json.loads(answer)["message"])[:500]
    except (ValueError, TypeError, KeyError, RecursionError):
        message = f"it answers {status}"
    return TeachError(f"{node}: {message}", status if status in _REFUSALS else _BAD_GATEWAY)
