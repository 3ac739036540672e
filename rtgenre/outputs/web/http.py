"""Answers to HTTP requests, as values: no sockets, no files, no clock."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, ParamSpec
from urllib.parse import parse_qsl

from typing_extensions import TypedDict

from rtgenre.errors import RefusedError
from rtgenre.messages.fields import SchemaVersion
from rtgenre.messages.version import SCHEMA_VERSION

P = ParamSpec("P")

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
SCHEMA_PATH = "/schema.json"
_PATHS = {"index.html": "/", "schema.json": SCHEMA_PATH}
MAX_QUERY_FIELDS = 20
NO_BODY = "only requests without a body are answered: GET, HEAD, POST or DELETE"

Query = Mapping[str, str]
"""A request's ``?name=value`` parts; of a name given twice the last value counts."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What is sent back, before the headers that every response carries."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


Route = Callable[[Query], HttpResponse | Awaitable[HttpResponse]]
"""Answers a request; one that waits for a disk or a thread is a coroutine function."""


Upload = Callable[[bytes, Query], Awaitable[HttpResponse]]
"""Answers a request with a body, at most ``connection.MAX_BODY_BYTES`` long."""


class ErrorDocument(TypedDict):
    """Why a client's message or an HTTP request cannot be answered."""

    schema: SchemaVersion
    type: Literal["error"]
    message: str
    """What was found, what is allowed, and what to do."""


def explained(
    answer: Callable[P, Awaitable[HttpResponse]],
) -> Callable[P, Awaitable[HttpResponse]]:
    """Return what answers like ``answer``, and with the reason where that refuses."""

    async def answer_or_refuse(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return await answer(*args, **kwargs)
        except RefusedError as error:
            return error_response(error.status, str(error))

    return answer_or_refuse


def json_response(
    document: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Answer with a JSON document that no cache keeps."""
    body = json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    return HttpResponse(
        status, body, "application/json", {"Cache-Control": "no-store", **(headers or {})}
    )


def error_document(message: str) -> ErrorDocument:
    """Build the message about a request that cannot be answered; WebSocket clients get it too."""
    return {"schema": SCHEMA_VERSION, "type": "error", "message": message}


def error_response(
    status: int, message: str, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Answer that the request cannot be met, and why."""
    return json_response(error_document(message), status, headers)


def split_target(target: str) -> tuple[str, Query]:
    """Split a request's target into its path and its query.

    Raises:
        ValueError: the query has too many fields.
    """
    path, _, query = target.partition("?")
    return path, dict(parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS))


def static_responses(files: Mapping[str, bytes]) -> dict[str, HttpResponse]:
    """Make the answers for files that are known beforehand, by path.

    Only these exact paths are ever answered, so no path can lead out of them.

    Args:
        files: contents by name below the folder, ``/`` between its parts. ``index.html`` is
            answered at ``/``, ``schema.json`` beside it, the others below ``/static/``.
    """
    responses = {}
    for name, body in files.items():
        content_type = CONTENT_TYPES.get("." + name.rpartition(".")[2])
        if content_type is not None:
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            path = _PATHS.get(name, f"/static/{name}")
            responses[path] = HttpResponse(
                200, body, content_type, {"Cache-Control": "no-cache", "ETag": etag}
            )
    return responses


def unless_unchanged(response: HttpResponse, if_none_match: str) -> HttpResponse:
    """Return ``response``, or 304 when the client has the same contents already."""
    etag = response.headers.get("ETag")
    if etag is None or etag not in [tag.strip() for tag in if_none_match.split(",")]:
        return response
    return HttpResponse(304, b"", response.content_type, response.headers)


def security_headers(allowed_origins: Sequence[str]) -> dict[str, str]:
    """Return the headers of every response: nothing foreign runs in the page or reads from it."""
    embedders = " ".join(["'self'", *allowed_origins])
    return {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
            "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
            f"form-action 'none'; frame-ancestors {embedders}"
        ),
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
