"""The browser that pages are tested in."""

import shutil

# The first has no windows of its own, and opens a page in half the time.
_NAMES = ("chromium-headless-shell", "chromium", "google-chrome")


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, _NAMES)), None)
