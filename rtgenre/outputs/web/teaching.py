"""``/teach`` and ``/taught``: saying over HTTP what is playing, and what was said before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rtgenre.messages.taught import TeachError, forgotten_document
from rtgenre.outputs.web.http import HttpResponse, error_response, explained, json_response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.messages.taught import (
        RenamedDocument,
        TakenInDocument,
        TaughtDocument,
        TaughtListDocument,
    )
    from rtgenre.outputs.web.http import Query, Route, Upload

_ROUTES = ("POST /teach", "/taught", "DELETE /taught", "POST /taught/rename", "/taught/export")
_IMPORT = "/taught/import"
_JSON_LINES = "application/jsonl; charset=utf-8"
_AS_FILE = {
    "Cache-Control": "no-store",
    "Content-Disposition": 'attachment; filename="rtgenre-taught.jsonl"',
}
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

    async def written(self, numbers: Sequence[int] | None) -> str:
        """Write some of what was taught, or all, as ``take_in`` reads it."""

    async def take_in(self, text: str) -> TakenInDocument:
        """Add what was taught elsewhere, or before."""


def taught_file_response(body: bytes) -> HttpResponse:
    """Answer with what was taught, as a file."""
    return HttpResponse(200, body, _JSON_LINES, _AS_FILE)


def no_teaching_routes() -> dict[str, Route]:
    """Return the answers where nothing may be taught."""

    def answer(_: Query) -> HttpResponse:
        return error_response(403, TEACHING_IS_OFF)

    return dict.fromkeys(_ROUTES, answer)


def no_teaching_uploads() -> dict[str, Upload]:
    """Return the answers to files where nothing may be taught."""

    async def answer(_: bytes, __: Query) -> HttpResponse:
        return error_response(403, TEACHING_IS_OFF)

    return {_IMPORT: answer}


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
        answer: RenamedDocument = {"renamed": await teaching.rename(query["genre"], query["to"])}
        return json_response(answer)

    async def export(query: Query) -> HttpResponse:
        text = await teaching.written(_numbers(query) if "id" in query else None)
        return taught_file_response(text.encode())

    answers = (teach, taught, forget, rename, export)
    return {path: explained(answer) for path, answer in zip(_ROUTES, answers, strict=True)}


def teaching_uploads(teaching: Teaching) -> dict[str, Upload]:
    """Return what to answer to files that are sent."""

    async def take_in(body: bytes, _: Query) -> HttpResponse:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise TeachError("this is no file of what was taught: it is not UTF-8") from None
        return json_response(await teaching.take_in(text))

    return {_IMPORT: explained(take_in)}


def _numbers(query: Query) -> list[int] | None:
    """Return which stretches are meant; None: all.

    Raises:
        TeachError: the query names none.
    """
    if query.get("all") == "yes":
        return None
    try:
        return [int(number) for number in query["id"].split(",")]
    except (KeyError, ValueError):
        raise TeachError(
            "say which ones: ?id=17, several with commas, or ?all=yes for everything"
        ) from None
