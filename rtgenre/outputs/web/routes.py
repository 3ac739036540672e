"""Which path answers what: the state, health, metrics, the dashboard's files, and what others add.

``/healthz`` tells everyone whether all is well; why it is not, and everything that was heard, takes
the token where there is one. The dashboard's files hold nothing secret: the page asks for the
token, or takes it from the ``#token=…`` of its address, which browsers do not send or log.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rtgenre.monitoring.metrics import CONTENT_TYPE as METRICS_CONTENT_TYPE
from rtgenre.outputs.web.auth import Guard, bearer_token
from rtgenre.outputs.web.files import schema_response
from rtgenre.outputs.web.http import (
    NO_BODY,
    SCHEMA_PATH,
    HttpResponse,
    Query,
    Route,
    Upload,
    error_response,
    json_response,
    security_headers,
    split_target,
    static_responses,
    unless_unchanged,
)

if TYPE_CHECKING:
    from rtgenre.messages.documents import HelloDocument
    from rtgenre.messages.hub import Hub
    from rtgenre.monitoring.health import HealthDocument
    from rtgenre.monitoring.metrics import Metrics

WEBSOCKET_PATH = "/ws"
MAX_TOLD_REFUSALS = 10
"""So many sites that are refused are named in the log; anybody can think of more."""

logger = logging.getLogger(__name__)

_UNAUTHORISED = "send the header Authorization: Bearer <token>"

_PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Authorization",
    "Access-Control-Max-Age": "600",
}
"""Lets a page of an allowed site send its token."""

Health = Callable[[], tuple[bool, "HealthDocument"]]
"""Whether all is well, and the document that says so in detail."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What of a request matters here; a header that was not sent is None."""

    method: str
    target: str
    host: str | None = None
    origin: str | None = None
    authorization: str | None = None
    if_none_match: str | None = None
    ingress: bool = False
    """Whether Home Assistant has let in who asks: no token, and no site, is asked for."""
    read_body: Callable[[], Awaitable[bytes]] | None = None
    """Waits for what is sent with the request; None where there is nothing."""


class Routes:
    """Answers HTTP requests."""

    def __init__(
        self,
        guard: Guard,
        hub: Hub,
        *,
        hello: Callable[[], HelloDocument],
        health: Health,
        metrics: Metrics,
        files: Mapping[str, bytes],
        allowed_origins: Sequence[str],
        extra: Mapping[str, Route],
        uploads: Mapping[str, Upload],
    ) -> None:
        """Take what the answers are made from.

        Args:
            guard: decides who may ask.
            hub: where the documents come from.
            hello: builds the greeting of a client.
            health: tells whether all is well.
            metrics: counts refusals, and answers ``/metrics``.
            files: the dashboard's, by name.
            allowed_origins: other sites whose pages may read the answers.
            extra: further answers by path, or by ``POST`` or ``DELETE`` and a path; they take
                the token.
            uploads: answers by path to what is sent to it with ``POST``; they take the token, too.
        """
        self._guard = guard
        self._hub = hub
        self._hello = hello
        self._health = health
        self._metrics = metrics
        self._static = static_responses(files)
        self._headers = security_headers(allowed_origins)
        self._private: dict[str, Route] = {
            "/state": self._state,
            "/metrics": self._metrics_text,
            **extra,
        }
        self._uploads = uploads
        # Why sites were refused, as it was logged.
        self._told: set[str] = set()

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer any request but the one that opens a WebSocket."""
        response = (
            self.refusal(request)
            or self._preflight(request)
            or self._unwanted_body(request)
            or await self._answer(request)
        )
        headers = {**self._headers, **response.headers}
        if self._guard.is_allowed_site(request.origin):
            headers["Access-Control-Allow-Origin"] = str(request.origin)
            headers["Vary"] = "Origin"
        return HttpResponse(response.status, response.body, response.content_type, headers)

    def refusal(self, request: HttpRequest) -> HttpResponse | None:
        """Return why this request is not answered at all; None if it may be."""
        if request.ingress:
            return None
        reason = self._guard.refusal(request.host, request.origin)
        if reason is not None:
            self._metrics.websocket_refused.labels("site").inc()
            self._tell(reason)
            return error_response(403, reason)
        if request.authorization is not None and not self._knows_token(request):
            return self._unauthorized("this is not the token of [websocket] token")
        return None

    def _tell(self, reason: str) -> None:
        """Log why a site is refused, once: it may be a proxy's, whose page cannot say it."""
        if reason not in self._told and len(self._told) < MAX_TOLD_REFUSALS:
            self._told.add(reason)
            logger.warning("refused: %s", reason)

    def _preflight(self, request: HttpRequest) -> HttpResponse | None:
        """Tell a page of an allowed site that it may ask; None where it asks already."""
        if request.method != "OPTIONS" or not self._guard.is_allowed_site(request.origin):
            return None
        return HttpResponse(200, b"", "text/plain", _PREFLIGHT_HEADERS)

    def _unwanted_body(self, request: HttpRequest) -> HttpResponse | None:
        path = request.target.partition("?")[0]
        wanted = request.method == "POST" and path in self._uploads
        if request.read_body is None or wanted:
            return None
        return error_response(400, NO_BODY)

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        try:
            path, query = split_target(request.target)
        except ValueError as error:
            return error_response(400, f"the query cannot be read: {error}")
        if request.method not in {"GET", "HEAD"}:
            return await self._answer_other_method(request, path, query)
        if (file := await self._file(path)) is not None:
            return unless_unchanged(file, request.if_none_match or "")
        if path == "/healthz":
            return self._healthz(with_details=self._knows_token(request))
        if path in self._private:
            return await self._answer_privately(request, self._private[path], query)
        return error_response(404, "there is nothing here")

    async def _file(self, path: str) -> HttpResponse | None:
        """Return what is the same for whoever asks; None: that is not there."""
        if path == SCHEMA_PATH:
            return await asyncio.to_thread(schema_response)
        return self._static.get(path)

    async def _answer_other_method(
        self, request: HttpRequest, path: str, query: Query
    ) -> HttpResponse:
        others = [each for each in ("POST", "DELETE") if f"{each} {path}" in self._private]
        others += ["POST"] * (path in self._uploads)
        methods = others if others and path not in self._private else ["GET", "HEAD", *others]
        if request.method == "POST" and path in self._uploads:
            return await self._take_upload(request, self._uploads[path], query)
        if request.method in methods:
            route = self._private[f"{request.method} {path}"]
            return await self._answer_privately(request, route, query)
        message = f"{request.method} is not answered, only {' and '.join(methods)}"
        return error_response(405, message, {"Allow": ", ".join(methods)})

    async def _take_upload(
        self, request: HttpRequest, upload: Upload, query: Query
    ) -> HttpResponse:
        if not self._knows_token(request):
            return self._unauthorized(_UNAUTHORISED)
        if request.read_body is None:
            return error_response(411, "send the file's content as the body of the request")
        try:
            body = await request.read_body()
        except ValueError as error:
            return error_response(413, str(error))
        return await upload(body, query)

    async def _answer_privately(
        self, request: HttpRequest, route: Route, query: Query
    ) -> HttpResponse:
        if not self._knows_token(request):
            return self._unauthorized(_UNAUTHORISED)
        response = route(query)
        return await response if inspect.isawaitable(response) else response

    def _knows_token(self, request: HttpRequest) -> bool:
        return request.ingress or self._guard.knows_token(bearer_token(request.authorization))

    def _unauthorized(self, message: str) -> HttpResponse:
        self._metrics.websocket_refused.labels("token").inc()
        return error_response(401, message, {"WWW-Authenticate": 'Bearer realm="rtgenre"'})

    def _healthz(self, *, with_details: bool) -> HttpResponse:
        ok, document = self._health()
        return json_response(document if with_details else {"ok": ok}, 200 if ok else 503)

    def _metrics_text(self, _: Query) -> HttpResponse:
        headers = {"Cache-Control": "no-store"}
        return HttpResponse(200, self._metrics.text(), METRICS_CONTENT_TYPE, headers)

    def _state(self, query: Query) -> HttpResponse:
        nodes = [source["node"] for source in self._hello()["sources"]]
        node = query.get("node", nodes[0] if len(nodes) == 1 else "")
        if not nodes:
            return error_response(503, "no room is known yet", {"Retry-After": "2"})
        if node not in nodes:
            found = f"node {node!r} was asked for" if node else "there are several nodes"
            return error_response(400, f"{found}; add ?node= with one of {', '.join(nodes)}")
        for document in self._hub.latest():
            if document["node"] != node:
                continue
            if document["type"] == "state":
                return json_response(document)
            if document["type"] == "status" and document["gone"]:
                return error_response(503, document["problem"] or "the input is gone")
        return error_response(503, "no window has been classified yet", {"Retry-After": "2"})
