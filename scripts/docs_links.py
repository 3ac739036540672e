"""For `make docs`: the site has no files outside docs/, so their names stand for links to them."""

from __future__ import annotations

import re

_OUTSIDE = re.compile(r"\[[^\]]*\]\(\.\./([^)#]+)(?:#[^)]*)?\)")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Return a page's text as the site shows it; mkdocs calls this."""
    return _OUTSIDE.sub(r"`\1`", markdown)
