"""Prints every change of genre. `pip install websockets`, then `python subscriber.py [URL]`."""

import json
import signal
import sys

from websockets.sync.client import connect

signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a word
shown: dict[str, str] = {}  # by room
for text in connect(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8765/ws"):
    message = json.loads(text)
    if message["type"] == "state":
        node, genre = message["node"], message["genre"] or message["state"]
        if shown.get(node) != genre:
            shown[node] = genre
            print(node, genre, flush=True)
