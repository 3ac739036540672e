"""Look for input that crashes the parsers of settings and of clients' messages.

    .venv/bin/pip install atheris
    mkdir corpus && cp config.toml corpus
    .venv/bin/python scripts/fuzz.py -max_total_time=600 corpus

gives every text to each of them, and lets coverage guide the texts; takes libFuzzer's options. A
crash leaves its text in ``crash-*``, which the same script reads again as its only argument.
"""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["rtgenre", "tomllib", "json"]):
    from rtgenre.config import ConfigError, load_config
    from rtgenre.outputs.web.client_request import ClientRequestError, parse_client_request

SETTINGS_FILE = Path(tempfile.gettempdir()) / f"rtgenre-fuzz-{os.getpid()}.toml"


def parse(data: bytes) -> None:
    """Give one text to the parsers; only what they document may be raised."""
    text = data.decode("utf-8", "replace")
    SETTINGS_FILE.write_text(text, encoding="utf-8")
    with contextlib.suppress(ConfigError):
        load_config(SETTINGS_FILE)
    with contextlib.suppress(ClientRequestError):
        parse_client_request(text)


if __name__ == "__main__":
    atheris.Setup(sys.argv, parse)
    atheris.Fuzz()
