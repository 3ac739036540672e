"""Where the genre goes: terminal, WebSocket and HTTP, MQTT."""
