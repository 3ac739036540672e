"""The running hub: the nodes of a broker, on one page and in one history."""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from rtgenre.config.held_files import HeldFiles
from rtgenre.hub.lessons import Lessons
from rtgenre.hub.own_service import OwnServices
from rtgenre.hub.relay import Relay
from rtgenre.hub.roster import Roster
from rtgenre.hub.subscription import Subscription
from rtgenre.hub.taught_lists import TaughtLists
from rtgenre.messages.column_hub import ColumnHub
from rtgenre.messages.hub import Hub
from rtgenre.monitoring.logs import set_up_logging
from rtgenre.monitoring.metrics import Metrics
from rtgenre.monitoring.systemd import Notifier
from rtgenre.outputs.history import HUB_FILE_NAME, HistoryOutput
from rtgenre.outputs.web.server import WebSocketOutput
from rtgenre.outputs.web.teaching import (
    no_teaching_routes,
    no_teaching_uploads,
    teaching_routes,
    teaching_uploads,
)
from rtgenre.service.reload import changed_settings
from rtgenre.threads import DaemonThreads

if TYPE_CHECKING:
    from rtgenre.config import Config
    from rtgenre.monitoring.health import HealthDocument
    from rtgenre.outputs.terminal import TerminalOutput
    from rtgenre.outputs.web.http import Route, Upload

_STATUS_SECONDS = 5.0

logger = logging.getLogger(__name__)


class HubService:
    """Everything that ``rtgenre hub`` runs."""

    def __init__(self, config: Config) -> None:
        """Check the settings, without connecting.

        Raises:
            OutputError: a password, a token or a certificate cannot be read.
        """
        self._config = config
        self._held_files = HeldFiles(config)
        self.hub = Hub()
        self.columns = ColumnHub([])
        self.metrics = Metrics()
        self.roster = Roster(
            self.hub,
            self.columns,
            self.metrics,
            instance=secrets.token_hex(4),
            colors=config.colors,
        )
        self._subscription = Subscription(
            config.mqtt, self.roster, self.metrics, on_answer=self._on_answer
        )
        self._lessons = Lessons(self._subscription, config.mqtt.topic_prefix, self.roster.nodes)
        services = OwnServices(config.hub)
        self._taught_lists = TaughtLists(services, self.roster.nodes)
        self._relay = Relay(services, self.roster, self.columns)
        self._history = None
        if config.history.enabled:
            self._history = HistoryOutput(
                config.history,
                self.hub,
                model_of=self.roster.model_of,
                file_name=HUB_FILE_NAME,
            )
        self._notifier = Notifier()

    async def run(self, stop: asyncio.Event, terminal: TerminalOutput | None = None) -> int:
        """Run until ``stop`` is set.

        Returns:
            The exit code, 0.

        Raises:
            OutputError: the port cannot be opened.
        """
        asyncio.get_running_loop().set_default_executor(DaemonThreads())
        async with AsyncExitStack() as resources:
            if self._config.websocket.enabled:
                output = await resources.enter_async_context(self._web_output())
                logger.info("open %s to watch, or connect to %s", output.http_url, output.url)
            async with asyncio.TaskGroup() as group:
                running = [self._subscription.run(), self._relay.run(), self._supervise()]
                if self._history is not None:
                    running.append(self._history.run())
                if terminal is not None:
                    running.append(terminal.run(self.hub))
                tasks = [group.create_task(each) for each in running]
                try:
                    await stop.wait()
                finally:
                    self._notifier.stopping()
                    for task in tasks:
                        task.cancel()
        return 0

    def health(self) -> tuple[bool, HealthDocument]:
        """Return whether nodes are heard, and the document that says so."""
        return self.roster.health(self._subscription.address)

    def reload(self, config: Config) -> None:
        """Take over what can change while running: the log. Say what needs a restart."""
        self._notifier.reloading()
        live, restart = changed_settings(self._config, config)
        self._config = self._config.model_copy(update={"log": config.log})
        set_up_logging(self._config)
        restart += [name for name in live if not name.startswith("[log]")]
        logger.info("settings read again")
        if restart:
            logger.warning("changes that need a restart: %s", ", ".join(restart))
        self._held_files.tell_changed()
        self._notifier.ready()

    def _on_answer(self, node: str, payload: bytes) -> None:
        self._lessons.on_answer(node, payload)

    def _routes(self) -> dict[str, Route]:
        taught = no_teaching_routes()
        if self._config.teach.enabled:
            # Of several rooms it is always said which.
            taught = self._taught_lists.routes(teaching_routes(self._lessons, []))
        return taught | ({} if self._history is None else self._history.routes())

    def _uploads(self) -> dict[str, Upload]:
        if not self._config.teach.enabled:
            return no_teaching_uploads()
        return self._taught_lists.uploads(teaching_uploads(self._lessons))

    def _web_output(self) -> WebSocketOutput:
        return WebSocketOutput(
            self._config.websocket,
            self.hub,
            hello=self.roster.hello,
            health=self.health,
            metrics=self.metrics,
            columns=self.columns,
            routes=self._routes(),
            uploads=self._uploads(),
            teaching=self._lessons if self._config.teach.enabled else None,
        )

    async def _supervise(self) -> None:
        """Tell the service manager that the hub is alive, and what it hears."""
        self._notifier.ready()
        while True:
            nodes = self.roster.nodes()
            n_online = sum(node.is_online for node in nodes)
            status = self.roster.problem or f"{n_online} of {len(nodes)} rooms are there"
            self._notifier.alive(status)
            await asyncio.sleep(self._notifier.watchdog_seconds or _STATUS_SECONDS)
