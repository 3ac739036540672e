"""``/settings``: what may be changed on the page, and changing it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from rtgenre.messages.settings import SettingsError
from rtgenre.outputs.web.http import HttpResponse, explained, json_response

if TYPE_CHECKING:
    from rtgenre.messages.settings import InputsDocument, PreviewDocument, SettingsDocument
    from rtgenre.outputs.web.http import Query, Route, Upload

_ROUTES = ("/settings", "/settings/inputs", "POST /settings/try", "POST /settings/restart")
_CHANGE, _PREVIEW = "/settings", "/settings/preview"
SETTINGS_ARE_FIXED = (
    "settings cannot be changed here: [websocket] change_settings = false, or this is the demo"
)


class SettingsDesk(Protocol):
    """What changes settings; every call may raise ``SettingsError``."""

    async def describe(self) -> SettingsDocument:
        """Say what may be changed, and what it is now."""

    async def change(
        self, node: str, changes: dict[str, Any], *, checksum: str
    ) -> SettingsDocument:
        """Write changes that were made to the file of that checksum, and put them in force."""

    async def preview(self, node: str, smoothing: dict[str, Any]) -> PreviewDocument:
        """Show the last ten minutes with other smoothing."""

    async def inputs(self) -> InputsDocument:
        """List the inputs and measure how loud they are."""

    async def try_color(self, node: str, color: str) -> None:
        """Show a colour on the lamps of a room for a moment."""

    async def restart(self) -> None:
        """Begin anew, with settings that take a new start."""


def settings_routes(desk: SettingsDesk | None) -> dict[str, Route]:
    """Return what to answer beside the WebSocket; None: nothing may be changed."""

    async def describe(_: Query) -> HttpResponse:
        return json_response(await _open(desk).describe())

    async def inputs(_: Query) -> HttpResponse:
        return json_response(await _open(desk).inputs())

    async def try_color(query: Query) -> HttpResponse:
        await _open(desk).try_color(query.get("node", ""), query.get("color", ""))
        return json_response({})

    async def restart(_: Query) -> HttpResponse:
        await _open(desk).restart()
        return json_response({})

    answers = (describe, inputs, try_color, restart)
    return {path: explained(answer) for path, answer in zip(_ROUTES, answers, strict=True)}


def settings_uploads(desk: SettingsDesk | None) -> dict[str, Upload]:
    """Return what to answer to changes that are sent."""

    async def change(body: bytes, _: Query) -> HttpResponse:
        asked = _read(body, changes=dict, checksum=str, node=str)
        document = await _open(desk).change(
            asked["node"], asked["changes"], checksum=asked["checksum"]
        )
        return json_response(document)

    async def preview(body: bytes, _: Query) -> HttpResponse:
        asked = _read(body, smoothing=dict, node=str)
        return json_response(await _open(desk).preview(asked["node"], asked["smoothing"]))

    return {_CHANGE: explained(change), _PREVIEW: explained(preview)}


def _open(desk: SettingsDesk | None) -> SettingsDesk:
    if desk is None:
        raise SettingsError(SETTINGS_ARE_FIXED, 403)
    return desk


def _read(body: bytes, **fields: type) -> dict[str, Any]:
    """Read a request's JSON.

    Raises:
        SettingsError: it has not these fields.
    """
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict) or not all(
        isinstance(asked.get(name), kind) for name, kind in fields.items()
    ):
        raise SettingsError(f"send JSON with {', '.join(sorted(fields))}")
    return asked
