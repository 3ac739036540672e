"""Answers of the service that come late, and connections that end, when a test says so."""

import time


class LateAnswers:
    """Holds back what the service answers to some requests of a page, as it was when asked."""

    def __init__(self, page, pattern, *, times=None):
        self._page = page
        self._held = []
        page.route(pattern, self._hold, times=times)

    def _hold(self, route):
        self._held.append((route, route.fetch()))

    def wait(self, n_answers=1):
        """Wait until so many answers are held back."""
        deadline = time.monotonic() + 30
        while len(self._held) < n_answers:
            assert time.monotonic() < deadline, "nothing more was asked for"
            self._page.wait_for_timeout(10)

    def arrive(self, which=0):
        """Have one that is held arrive, and the page do with it what it does."""
        route, answer = self._held.pop(which)
        with self._page.expect_event("requestfinished", lambda each: each == route.request):
            route.fulfill(response=answer)
        # The page reads it, and draws.
        self._page.evaluate(
            "new Promise((drawn) => setTimeout(() => requestAnimationFrame(drawn), 50))"
        )


class Line:
    """The page's WebSocket, which the test can cut: the page connects anew."""

    def __init__(self, page):
        self._sockets = []
        page.route_web_socket("**/ws", self._connect)

    def _connect(self, socket):
        socket.connect_to_server()
        self._sockets.append(socket)

    def cut(self):
        self._sockets[-1].close()
