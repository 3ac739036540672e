"""What stands in a playlist: addresses of a radio's streams, or files; pure."""

from __future__ import annotations

import html
import re
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urljoin

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

MOST_BYTES = 65536
"""Of a longer playlist only the beginning is read."""
MOST_ENTRIES = 8
_LONGEST_ADDRESS = 2000

# What stands in an address as it is; all else, such as a space or an accent, is escaped.
_KEPT = "%/:?#[]@!$&'()*+,;=~|"


def playlist_entries(content: bytes, address: str, schemes: Collection[str]) -> list[str] | None:
    """Return the first few addresses that a playlist (pls, m3u, asx or xspf) names, in its order.

    Its kind is told by what is in it. An HLS playlist is a stream, and none of these.

    Args:
        content: its first bytes; it is anybody's text, and whatever is wrong in it is left out.
        address: where it was found; its entries may be relative to that.
        schemes: which addresses may be in it, in small letters; others are left out.

    Returns:
        None where it is no playlist.
    """
    text = _decoded(content).strip()
    if "\0" in text or is_hls(content):
        return None
    named = _in_markup(text) if text.startswith("<") else _in_lines(text)
    if named is None:
        return None
    found = (_opened_as(entry.strip(), address, schemes) for entry in named)
    return list(islice(_each_once(found), MOST_ENTRIES))


def is_hls(content: bytes) -> bool:
    """Say whether these are the first bytes of an HLS playlist, which is a stream itself."""
    return b"#EXT-X-" in content


def file_entries(content: bytes) -> list[str]:
    """Return what a playlist of files (pls, m3u or xspf) names, in its order.

    Args:
        content: all of it; whatever is wrong in it is left out.

    Returns:
        Paths, relative ones among them, as they stand there, and addresses.
    """
    text = _decoded(content).strip()
    if "\0" in text:
        return []
    if text.startswith("<"):
        return [_path(entry.strip(), escaped=True) for entry in _in_markup(text) or ()]
    named = _numbered(text)
    return [_path(entry.strip()) for entry in (_uncommented(text) if named is None else named)]


def _path(entry: str, *, escaped: bool = False) -> str:
    scheme, _, rest = entry.partition("://")
    if not rest:
        return unquote(entry) if escaped else entry
    return unquote(rest.removeprefix("localhost")) if scheme.lower() == "file" else entry


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _in_markup(text: str) -> list[str] | None:
    """Return what an asx or an xspf names; neither is always whole and well-formed."""
    tags = re.findall(r"<([^<>]*)>", text)
    if not any(re.match(r"(asx|playlist)(\s|$)", tag, re.IGNORECASE) for tag in tags):
        return None
    quoted = r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')"""
    references = [tag for tag in tags if re.match(r"(entry)?ref\s", tag, re.IGNORECASE)]
    matches = [re.search(quoted, tag, re.IGNORECASE) for tag in references]
    named = [match[1] or match[2] or "" for match in matches if match]
    named += re.findall(r"<location>([^<>]*)<", text, re.IGNORECASE)
    return [html.unescape(each) for each in named]


def _in_lines(text: str) -> list[str] | None:
    """Return what a pls or an m3u names; of a text that may be neither, only whole addresses."""
    if (numbered := _numbered(text)) is not None:
        return numbered
    entries = _uncommented(text)
    if text.startswith("#EXTM3U"):
        return entries
    return [line for line in entries if re.match(r"\s*\w+://", line)] or None


def _numbered(text: str) -> list[str] | None:
    """Return what a pls names; None where it is none."""
    matches = (
        re.match(r"\s*(?:file|ref)\d+\s*=(.*)", line, re.IGNORECASE) for line in text.splitlines()
    )
    numbered = [match[1] for match in matches if match]
    return numbered if numbered or text[:10].lower() == "[playlist]" else None


def _uncommented(text: str) -> list[str]:
    return [
        line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]


def _opened_as(entry: str, address: str, schemes: Collection[str]) -> str | None:
    try:
        scheme, _, rest = urljoin(address, entry).partition("://")
    except ValueError:  # no address, such as http://[
        return None
    if not entry or not rest or scheme.lower() not in schemes:
        return None
    opened = f"{scheme.lower()}://{quote(rest, safe=_KEPT)}"
    return opened if len(opened) <= _LONGEST_ADDRESS else None


def _each_once(entries: Iterable[str | None]) -> Iterator[str]:
    seen: set[str | None] = {None}
    for entry in entries:
        if entry is not None and entry not in seen:
            seen.add(entry)
            yield entry
