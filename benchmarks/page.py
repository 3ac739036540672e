"""How much of a core the page costs in Chromium, with and without the spectrogram.

    python -m benchmarks.page [--seconds 30] [--size 1180x820]

The service plays the demo recording in a loop. The figure is the CPU time of all of Chromium's
processes together (browser, renderer, GPU process), which here draw in software: a machine with a
GPU does less. ``blank`` is the same browser with an empty page: what Chromium costs by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from typing import Any

import psutil
from playwright.sync_api import Page, sync_playwright

from benchmarks.service import running_service
from rtgenre.demo import DEMO_RECORDING

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SETTLE_SECONDS = 8.0


def browser_processes(marker: str) -> list[psutil.Process]:
    """Return all processes of the browser that was started with ``marker`` as an argument."""
    roots = [p for p in psutil.process_iter(["cmdline"]) if marker in (p.info["cmdline"] or [])]
    found = {child.pid: child for root in roots for child in root.children(recursive=True)}
    return list((found | {root.pid: root for root in roots}).values())


def cpu_seconds(processes: list[psutil.Process]) -> dict[str, float]:
    totals: dict[str, float] = {}
    for process in processes:
        try:
            kinds = [a for a in process.cmdline() if a.startswith("--type=")]
            kind = kinds[0].removeprefix("--type=") if kinds else "browser"
            totals[kind] = totals.get(kind, 0.0) + sum(process.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    return totals


def percent_of_a_core(marker: str, seconds: float) -> dict[str, float]:
    time.sleep(SETTLE_SECONDS)
    processes = browser_processes(marker)
    before, started = cpu_seconds(processes), time.monotonic()
    time.sleep(seconds)
    elapsed, after = time.monotonic() - started, cpu_seconds(processes)
    shares = {kind: 100 * (after[kind] - before[kind]) / elapsed for kind in sorted(after)}
    shares["all"] = sum(shares.values())
    return {kind: round(share, 1) for kind, share in shares.items()}


def measure(page: Page, url: str, marker: str, seconds: float) -> dict[str, Any]:
    result = {}
    page.goto("about:blank")
    result["blank"] = percent_of_a_core(marker, seconds)
    page.goto(url)
    page.wait_for_selector("#genre:not([data-genre=''])", timeout=60_000)
    result["with_spectrogram"] = percent_of_a_core(marker, seconds)
    page.click("#pause")
    result["spectrogram_paused"] = percent_of_a_core(marker, seconds)
    page.goto(f"{url}?kiosk")
    result["kiosk"] = percent_of_a_core(marker, seconds)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--size", default="1180x820")
    parser.add_argument("--model", help="model name or folder of the service")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    marker = f"--rtgenre-benchmark={os.getpid()}"
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service(
            *(str(DEMO_RECORDING), "--loop"),
            *(["--model", options.model] if options.model else []),
            HISTORY__FILE=f"{folder}/history.db",
            LOG__LEVEL="error",
        ) as service,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*ARGUMENTS, marker]
        )
        page = browser.new_page(viewport={"width": width, "height": height})
        result = measure(page, service.url, marker, options.seconds)
        result |= {
            "unit": "percent of one core, all processes of Chromium, software rendering",
            "chromium": browser.version,
            "size": options.size,
            "load_average": os.getloadavg()[0],
        }
        browser.close()
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
