"""The port: HTTP, WebSockets, the page, and who may connect."""
