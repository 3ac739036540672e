"""``/teach`` and ``/taught``: saying over HTTP what is playing, and what was said before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rtgenre.messages.taught import TeachError, forgotten_document
from rtgenre.outputs.web.http import HttpResponse, error_response, json_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from rtgenre.messages.taught import TaughtDocument, TaughtListDocument
    from rtgenre.outputs.web.http import Query, Route

_ROUTES = ("POST /teach", "/taught", "DELETE /taught", "POST /taught/rename")
TEACHING_IS_OFF = "teaching is off here: [teach] enabled = false"


class Teaching(Protocol):
    """What takes in lessons; every call may raise ``TeachError``."""

    async def teach(self, node: str, genre: str) -> TaughtDocument:
        """Say what is playing now in a room."""

    async def forget(self, numbers: Sequence[int] | None) -> int:
        """Forget some stretches, or everything, and say how many there were."""

    async def rename(self, genre: str, new_genre: str) -> int:
        """Call a genre something else, and say how many stretches that were."""

    async def list(self) -> TaughtListDocument:
        """List all that was taught."""


def no_teaching_routes() -> dict[str, Route]:
    """Return the answers where nothing may be taught."""

    def answer(_: Query) -> HttpResponse:
        return error_response(403, TEACHING_IS_OFF)

    return dict.fromkeys(
        ("POST /teach", "/taught", "DELETE /taught", "POST /taught/rename"), answer
    )


def teaching_routes(teaching: Teaching, nodes: Sequence[str]) -> dict[str, Route]:
    """Return what to answer beside the WebSocket.

    Args:
        teaching: takes in lessons.
        nodes: the rooms; where there is only one, it need not be named.
    """

    async def teach(query: Query) -> HttpResponse:
        node = query.get("node", nodes[0] if len(nodes) == 1 else "")
        if "genre" not in query:
            raise TeachError("genre is missing; add ?genre= with what is playing")
        return json_response(await teaching.teach(node, query["genre"]))

    async def taught(_: Query) -> HttpResponse:
        return json_response(await teaching.list())

    async def forget(query: Query) -> HttpResponse:
        n = await teaching.forget(_numbers(query))
        return json_response(forgotten_document(n))

    async def rename(query: Query) -> HttpResponse:
        if not {"genre", "to"} <= query.keys():
            raise TeachError("rename takes ?genre= and &to=, the old name and the new one")
        return json_response({"renamed": await teaching.rename(query["genre"], query["to"])})

    return {
        "POST /teach": _explained(teach),
        "/taught": _explained(taught),
        "DELETE /taught": _explained(forget),
        "POST /taught/rename": _explained(rename),
    }


def _explained(route: Callable[[Query], Awaitable[HttpResponse]]) -> Route:
    async def answer(query: Query) -> HttpResponse:
        try:
            return await route(query)
        except TeachError as error:
            return error_response(error.status, str(error))

    return answer


def _numbers(query: Query) -> list[int] | None:
    """Return which stretches are to be forgotten; None: all.

    Raises:
        TeachError: the query names none.
    """
    if query.get("all") == "yes":
        return None
    try:
        return [int(number) for number in query["id"].split(",")]
    except (KeyError, ValueError):
        raise TeachError(
            "say which to forget: ?id=17, several with commas, or ?all=yes for everything"
        ) from None
