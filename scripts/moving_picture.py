"""Take the moving picture of the page that README.md begins with, from the running service.

    python -m scripts.moving_picture docs/page.webp [--model DIR]

Shows the demo recordings, from the middle of one to the middle of the next but one.
"""

from __future__ import annotations

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.service import running_service
from rtgenre.demo import DEMO_RECORDINGS

NODE = "living-room"
WIDTH, HEIGHT = 1040, 664
WARM_UP_SECONDS = 20
FRAMES = 24
SECONDS_PER_FRAME = 2.0
SHOWN_FOR_SECONDS = 0.7
"""Each frame: the picture runs about three times as fast as the music."""
QUALITY = 50


def frames(page: Page) -> list[Image.Image]:
    """Take a picture of the page with each new window."""
    taken = []
    for _ in range(FRAMES):
        taken.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
        page.wait_for_timeout(1000 * SECONDS_PER_FRAME)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="a WebP to write")
    parser.add_argument("--model", help="model name or folder")
    options = parser.parse_args()
    with (
        sync_playwright() as playwright,
        running_service(
            *(*map(str, DEMO_RECORDINGS), "--loop", "--node", NODE),
            *(["--model", options.model] if options.model else []),
        ) as service,
    ):
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="dark", locale="en-GB"
        )
        page.goto(service.url)
        page.wait_for_selector("#genre:not([data-genre=''])", timeout=60_000)
        page.wait_for_timeout(1000 * WARM_UP_SECONDS)
        first, *others = frames(page)
        browser.close()
    first.save(
        options.file,
        save_all=True,
        append_images=others,
        duration=round(1000 * SHOWN_FOR_SECONDS),
        loop=0,
        quality=QUALITY,
        method=6,
    )


if __name__ == "__main__":
    main()
