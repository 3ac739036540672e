"""Take the pictures of the page that README.md shows, from the running service.

    python -m scripts.screenshots docs [--model DIR] [--only NAME ...]

The live pictures show the demo recordings; those of the history show a week that is made up here,
since nobody's real one belongs in a repository.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from benchmarks.service import running_service
from rtgenre.demo import DEMO_RECORDINGS
from rtgenre.history.store import HistoryStore
from rtgenre.history.stretches import Stretch

NODE = "living-room"
DAY_SECONDS = 86400.0
# Lamps that the settings show; there is no such broker.
SETTINGS = """\
[mqtt]
host = "127.0.0.1:1"
[lights]
wled = ["tv", "shelf"]
zigbee2mqtt = ["Sofa lamp"]
"""
# A spectrogram's width of music.
SETTLE_SECONDS = 45
SIZES = {"phone": (390, 844), "tablet": (1180, 820), "wall": (1920, 1080)}
# Name of the file, size, theme, view, range of the history.
PICTURES = (
    ("page-tablet-dark", "tablet", "dark", "live", ""),
    ("page-tablet-light", "tablet", "light", "live", ""),
    ("page-phone-dark", "phone", "dark", "live", ""),
    ("teach-tablet-light", "tablet", "light", "teach", ""),
    ("page-wall-dark", "wall", "dark", "kiosk", ""),
    ("page-wall-light", "wall", "light", "kiosk", ""),
    ("history-week-dark", "tablet", "dark", "history", "Week"),
    ("history-week-light", "tablet", "light", "history", "Week"),
    ("history-phone-light", "phone", "light", "history", "Day"),
    ("settings-tablet-dark", "tablet", "dark", "settings", ""),
)


def made_up_week(now: float) -> list[Stretch]:
    """Mornings of classical and jazz, evenings of everything else, and the night silent."""
    chance = random.Random(7)
    midnight = time.mktime((*time.localtime(now)[:3], 0, 0, 0, 0, 0, -1))
    stretches: list[Stretch] = []
    for day in range(7):
        start = midnight - day * DAY_SECONDS
        plan = [
            (7.0 + chance.random(), 9.2, ("classical", "jazz")),
            (12.2 + chance.random(), 13.2 + chance.random(), ("pop", "country", "reggae")),
            (18.0 + chance.random(), 21.0, ("rock", "blues", "metal", "rock")),
            (21.0, 22.3 + chance.random(), ("disco", "hiphop", "jazz")),
        ]
        time_of_day = 0.0
        for first, last, genres in plan:
            stretches += _piece(start, time_of_day, first, "silence", 0.1)
            time_of_day = first
            while time_of_day < last:
                hours = chance.uniform(0.05, 0.3)
                confidence = chance.uniform(0.6, 0.95)
                genre = chance.choice((*genres, "unknown") if hours < 0.07 else genres)
                stretches += _piece(start, time_of_day, time_of_day + hours, genre, confidence)
                time_of_day += hours
        stretches += _piece(start, time_of_day, 24.0, "silence", 0.1)
    return [s._replace(ended_at=min(s.ended_at, now)) for s in stretches if s.started_at < now]


def _piece(
    midnight: float, first_hour: float, last_hour: float, genre: str, confidence: float
) -> list[Stretch]:
    first, last = midnight + 3600 * first_hour, midnight + 3600 * last_hour
    return [Stretch(NODE, first, last, genre, round(confidence, 3), "crnn")]


def take(browser: Browser, url: str, picture: tuple[str, ...], folder: Path) -> None:
    name, size, theme, view, span = picture
    width, height = SIZES[size]
    scale = 2 if size == "phone" else 1
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        device_scale_factor=scale,
        locale="en-GB",
    )
    # Bright, whatever the hour.
    page.goto(url + ("?kiosk&night=off" if view == "kiosk" else ""))
    page.wait_for_selector("#genre:not([data-genre=''])", timeout=60_000)
    if view == "history":
        page.get_by_role("button", name="History").click()
        page.get_by_role("button", name=span).click()
        page.wait_for_timeout(2000)
    elif view == "settings":
        page.wait_for_timeout(20_000)
        page.get_by_role("button", name="Settings").click()
        # Where it lies on this machine helps nobody.
        shown = "each => { each.textContent = '~/.config/rtgenre/config.toml' }"
        page.locator("#settings-file:not(:empty)").evaluate(shown)
        page.wait_for_timeout(2000)
    else:
        page.wait_for_timeout(1000 * (SETTLE_SECONDS if view in {"live", "teach"} else 2))
    if view == "teach":
        page.get_by_role("button", name="Not right?").click()
    path = folder / f"{name}.png"
    page.screenshot(path=path, full_page=size == "phone" or view in {"history", "settings"})
    page.close()
    # A quarter of the size, and only wide gradients show it.
    pixels = Image.open(path).convert("RGB")
    pixels.quantize(256, Image.Quantize.FASTOCTREE).save(path, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", help="model name or folder")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="take these pictures alone")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        with HistoryStore(Path(data) / "history.db") as store:
            store.write(made_up_week(time.time() - 60))
        Path(data, "rtgenre.toml").write_text(SETTINGS)
        with running_service(
            *(*map(str, DEMO_RECORDINGS), "--loop", "--node", NODE),
            *("--config", f"{data}/rtgenre.toml"),
            *(["--model", options.model] if options.model else []),
            HISTORY__FILE=f"{data}/history.db",
            TEACH__FILE=f"{data}/taught.db",
        ) as service:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            for picture in PICTURES:
                if options.only and picture[0] not in options.only:
                    continue
                take(browser, service.url, picture, options.folder)
            browser.close()


if __name__ == "__main__":
    main()
