"""The running service: one listener per source, one classifier, the outputs, and their shutdown."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import sys
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

from rtgenre import __version__
from rtgenre.config import settings_without_effect
from rtgenre.config.held_files import HeldFiles
from rtgenre.messages.column_hub import ColumnHub
from rtgenre.messages.documents import AboutDocument, HelloDocument, HelloSource
from rtgenre.messages.hub import Hub
from rtgenre.messages.news import GenreNews
from rtgenre.messages.payload import about_document, hello_document
from rtgenre.messages.taught import genres_document
from rtgenre.model.inference import InferenceWorkers
from rtgenre.monitoring.health import NodeHealth, health_document
from rtgenre.monitoring.logs import set_up_logging
from rtgenre.monitoring.metrics import Metrics
from rtgenre.monitoring.systemd import Notifier, supervise
from rtgenre.outputs.colors import complete_colors
from rtgenre.outputs.mqtt.smarthome import home_assistant_extension, lights_extension
from rtgenre.service.listener import Listener
from rtgenre.service.outputs import (
    history_output,
    mdns_output,
    playing_extension,
    publishes_mqtt,
    teach_extension,
    web_routes,
    web_uploads,
)
from rtgenre.service.pipeline import Pipeline
from rtgenre.service.playing import PlayersHeard, ToldTracks
from rtgenre.service.reload import changed_settings, with_live_settings
from rtgenre.service.teacher import Teacher
from rtgenre.service.watch import Watch
from rtgenre.threads import DaemonThreads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtgenre.config import Config, SourceConfig
    from rtgenre.config.settings_file import SettingsFile
    from rtgenre.learning.taught.notebook import Notebook
    from rtgenre.model.classifier import Classifier
    from rtgenre.monitoring.health import HealthDocument
    from rtgenre.outputs.mqtt.homeassistant import HomeAssistantExtension
    from rtgenre.outputs.mqtt.publisher import MqttExtension
    from rtgenre.outputs.terminal import TerminalOutput
    from rtgenre.outputs.web.mdns import MdnsOutput
    from rtgenre.outputs.web.server import WebSocketOutput
    from rtgenre.service.settings_desk import SettingsDesk
    from rtgenre.sources.base import AudioSource
    from rtgenre.types import Track

PROMPT_SOURCES = 8
"""So many have the resampler that holds back nothing, which takes 0.3 % of a core for each."""

# A worker asks for Python's lock between numpy's calls, a hundred times a window. With the usual
# 5 ms a busy event loop would make it wait half a second.
_SWITCH_SECONDS = 0.0002

logger = logging.getLogger(__name__)


class Service:
    """Everything that ``rtgenre run`` runs."""

    def __init__(
        self,
        config: Config,
        classifier: Classifier,
        sources: Sequence[tuple[SourceConfig, AudioSource]],
        notebook: Notebook | None = None,
        settings_file: SettingsFile | None = None,
    ) -> None:
        """Prepare.

        Args:
            config: all settings.
            classifier: judges windows.
            sources: what is listened to.
            notebook: keeps what is taught; None: nothing can be.
            settings_file: where the page writes settings; None: it can change none.
        """
        self.config = config
        """All settings, with those that have changed while it runs."""
        self._held_files = HeldFiles(config)
        self._classifier = classifier
        self._sources = sources
        self._nodes = [source_config.node for source_config, _ in sources]
        self.hub = Hub()
        self.column_hub = ColumnHub(self._nodes)
        self._history = history_output(config, sources, self.hub, classifier.info.identity)
        self.metrics = Metrics()
        info = classifier.info
        self.metrics.set_info(__version__, info)
        self._listeners: list[Listener] = []
        self._notebook = notebook
        self._settings_file = settings_file
        self.begins_anew = False
        """Whether it has ended so that settings that take a new start come into force."""
        self.teacher: Teacher | None = None
        """Takes in what people say is playing, while the service runs; None where it may not."""
        self._news = GenreNews()
        self._desk: SettingsDesk | None = None
        self._terminal: TerminalOutput | None = None
        self._web_socket: WebSocketOutput | None = None
        self._told_tracks = ToldTracks()
        self._players = PlayersHeard(sources)
        self._lights = lights_extension(config, colors=self._colors())
        self._discovery: HomeAssistantExtension | None = None
        self._notifier = Notifier()
        # Names this process in its messages.
        self._instance = secrets.token_hex(4)
        self._warn_of_settings_without_effect()

    async def run(self, stop: asyncio.Event, terminal: TerminalOutput | None = None) -> int:
        """Run until every source has ended or ``stop`` is set.

        Returns:
            The exit code: 0, or 1 if it ended by itself and an input could not be used.

        Raises:
            SourceError: the only source cannot be used at all.
            OutputError: an output cannot be used, such as a port that is taken.
        """
        asyncio.get_running_loop().set_default_executor(DaemonThreads())
        sys.setswitchinterval(_SWITCH_SECONDS)
        async with AsyncExitStack() as resources:
            inference = await resources.enter_async_context(
                InferenceWorkers(self._classifier, self.config.model.workers)
            )
            self._listeners = [
                Listener(
                    source,
                    self._pipeline(number, config, source),
                    inference,
                    hub=self.hub,
                    column_hub=self.column_hub,
                    metrics=self.metrics,
                    wait_for_input=len(self._sources) > 1,
                    told_track=partial(self._told_track, config.node),
                )
                for number, (config, source) in enumerate(self._sources)
            ]
            self.teacher = self._make_teacher(inference)
            self._terminal = terminal
            self._desk = self._make_desk(stop)
            await self._open_web_socket(resources)
            async with asyncio.TaskGroup() as outputs:
                watch = Watch(self._listeners, self.hub)
                tasks = [outputs.create_task(watch.run(), name="watch")]
                if terminal is not None:
                    tasks.append(outputs.create_task(terminal.run(self.hub), name="terminal"))
                if self.teacher is not None:
                    tasks.append(outputs.create_task(self.teacher.run(), name="teacher"))
                if self._players.enabled:
                    tasks.append(outputs.create_task(self._players.run(), name="players"))
                if self._history is not None:
                    tasks.append(outputs.create_task(self._history.run(), name="history"))
                if publishes_mqtt(self.config, self._sources):
                    tasks.append(outputs.create_task(self._run_mqtt(), name="mqtt"))
                if (announcement := self._announcement()) is not None:
                    tasks.append(outputs.create_task(announcement.run(), name="mdns"))
                if self._notifier.enabled:
                    watching = supervise(self._notifier, self.node_health, self.hub.latest)
                    tasks.append(outputs.create_task(watching, name="supervision"))
                try:
                    await self._listen(stop)
                    watch.say_goodbye()
                finally:
                    self._notify_of_the_end()
                    for task in tasks:
                        task.cancel()
        watch.look()
        return 1 if watch.failures and not stop.is_set() else 0

    def health(self) -> tuple[bool, HealthDocument]:
        """Return whether every source is being heard, and the document that says so."""
        return health_document(self.node_health(), __version__)

    def node_health(self) -> list[NodeHealth]:
        """Return how every source that has not ended is doing."""
        return [listener.health() for listener in self._listeners if not listener.ended]

    @property
    def gives_way(self) -> bool:
        """Whether it ended so that it can begin anew with an input that is there now."""
        return any(source.gives_way for _, source in self._sources)

    def reload(self, config: Config) -> None:
        """Take over what can change while running, and say what needs a restart."""
        self._notifier.reloading()
        live, restart = changed_settings(self.config, config)
        self.config = with_live_settings(self.config, config)
        if self._desk is not None:
            self._desk.note(config)
        set_up_logging(self.config)
        for listener in self._listeners:
            listener.pipeline.tracker.params = self.config.smoothing
        self._lights.change(self.config.lights, colors=self._colors())
        if any(name.startswith("[colors]") for name in live):
            self._follow_genres()
        self._update_discovery()
        logger.info("settings read again; now in use: %s", ", ".join(live) or "no changes")
        if restart:
            logger.warning("changes that need a restart: %s", ", ".join(restart))
        self._held_files.tell_changed()
        self._warn_of_settings_without_effect()
        self._notifier.ready()

    def hello(self) -> HelloDocument:
        """Return the greeting of WebSocket clients."""
        return hello_document(
            version=__version__,
            info=self._classifier.info,
            labels=self._labels,
            colors=self._colors(),
            hop_seconds=self.config.windows.hop_seconds,
            sources=[
                HelloSource(node=config.node, name=config.shown_name, source=source.name)
                for config, source in self._sources
            ],
            instance=self._instance,
            settings=self._desk is not None,
        )

    def about(self, node: str, local_address: str) -> AboutDocument:
        """Return what a node tells of itself over MQTT.

        Args:
            node: one of the sources'.
            local_address: this machine's address on the network that leads to the broker.
        """
        speeds = {config.node: config.speed for config, _ in self._sources}
        web_socket = self._web_socket
        return about_document(
            hello=self.hello(),
            node=node,
            host=socket.gethostname(),
            address="" if web_socket is None else web_socket.announced_url(local_address),
            realtime=speeds[node] != "max",
        )

    def _introduce(self, node: str, local_address: str) -> AboutDocument:
        """Return what a node tells of itself, and have Home Assistant told the same address."""
        about = self.about(node, local_address)
        if self._discovery is not None and local_address:
            self._discovery.lead_to(about["address"])
        return about

    def _notify_of_the_end(self) -> None:
        if self.gives_way or self.begins_anew:
            self._notifier.reloading()
        else:
            self._notifier.stopping()

    def _warn_of_settings_without_effect(self) -> None:
        info = self._classifier.info
        for remark in settings_without_effect(self.config, model=info.name, labels=self._labels):
            logger.warning("%s", remark)

    def _colors(self) -> dict[str, str]:
        return complete_colors(self.config.colors, self._labels)

    @property
    def _labels(self) -> tuple[str, ...]:
        """The genres that are known now: the model's, and what was taught."""
        return self._classifier.info.labels if self.teacher is None else self.teacher.labels

    def _make_teacher(self, inference: InferenceWorkers) -> Teacher | None:
        if self._notebook is None:
            return None
        pipelines = {listener.node: listener.pipeline for listener in self._listeners}
        return Teacher(self._notebook, pipelines, inference, self._follow_genres)

    def _make_desk(self, stop: asyncio.Event) -> SettingsDesk | None:
        if self._settings_file is None or not self.config.websocket.change_settings:
            return None
        from rtgenre.service.settings_desk import SettingsDesk

        return SettingsDesk(
            self._settings_file,
            {listener.node: listener for listener in self._listeners},
            config=lambda: self.config,
            colors=self._colors,
            reload=self.reload,
            restart=partial(self._begin_anew, stop),
            try_color=self._lights.try_color,
        )

    def _begin_anew(self, stop: asyncio.Event) -> None:
        self.begins_anew = True
        stop.set()

    def _follow_genres(self) -> None:
        """Tell everybody that the genres are others."""
        colors = self._colors()
        self._news.publish(genres_document(self._labels, colors))
        self._lights.change(self.config.lights, colors=colors)
        self._update_discovery()
        if self._terminal is not None:
            self._terminal.recolor(colors)

    def _update_discovery(self) -> None:
        if self._discovery is not None:
            self._discovery.change(
                labels=self._labels, music_threshold=self.config.smoothing.music_below
            )

    def _told_track(self, node: str) -> Track | None:
        """Return what others say plays in a room; who was told to say it counts first."""
        return self._told_tracks.now(node) or self._players.now(node)

    def _pipeline(self, number: int, config: SourceConfig, source: AudioSource) -> Pipeline:
        hop_seconds = self.config.windows.hop_seconds
        return Pipeline(
            node=config.node,
            source=source.name,
            channel=config.channel,
            hop_seconds=hop_seconds,
            info=self._classifier.info,
            tracker_params=self.config.smoothing,
            instance=self._instance,
            prompt=len(self._sources) <= PROMPT_SOURCES,
            # Windows of all sources come one after another instead of together.
            phase_seconds=hop_seconds * number / len(self._sources),
        )

    async def _open_web_socket(self, resources: AsyncExitStack) -> None:
        if not self.config.websocket.enabled:
            return
        from rtgenre.outputs.web.server import WebSocketOutput

        output = WebSocketOutput(
            self.config.websocket,
            self.hub,
            hello=self.hello,
            health=self.health,
            metrics=self.metrics,
            columns=self.column_hub,
            routes=web_routes(self.teacher, self._history, self._desk, self._nodes),
            uploads=web_uploads(self.teacher, self._desk),
            teaching=self.teacher,
            news=self._news,
        )
        self._web_socket = await resources.enter_async_context(output)
        logger.info("open %s to watch, or connect to %s", output.http_url, output.url)

    def _announcement(self) -> MdnsOutput | None:
        if not self.config.mdns.enabled or self._web_socket is None:
            return None
        return mdns_output(self.config.websocket, self._web_socket.port, self._nodes)

    async def _run_mqtt(self) -> None:
        from rtgenre.outputs.mqtt.publisher import MqttOutput

        page_url = self._web_socket.http_url if self._web_socket is not None else ""
        info = self._classifier.info
        teachable = self.teacher is not None and info.embedding_size > 0
        self._discovery = home_assistant_extension(
            self.config, info, labels=self._labels, teachable=teachable, page_url=page_url
        )
        output = MqttOutput(
            self.config.mqtt,
            self.hub,
            nodes=self._nodes,
            colors={},  # the lights publish /color
            metrics=self.metrics,
            extensions=self._mqtt_extensions(teachable=teachable),
            about=self._introduce,
        )
        await output.run()

    def _mqtt_extensions(self, *, teachable: bool) -> list[MqttExtension]:
        mqtt, rooms = self.config.mqtt, [config for config, _ in self._sources]
        extensions: list[MqttExtension] = [self._lights]
        if self._discovery is not None:
            extensions.insert(0, self._discovery)
        extensions.append(playing_extension(mqtt.topic_prefix, rooms, self._told_tracks.tell))
        if self.teacher is not None and teachable:
            extensions.append(teach_extension(mqtt, self._nodes, self.teacher))
        return extensions

    async def _listen(self, stop: asyncio.Event) -> None:
        async def run_all() -> None:
            async with asyncio.TaskGroup() as tasks:
                for listener in self._listeners:
                    tasks.create_task(listener.run(), name=f"listen {listener.node}")
            await self.hub.taken_by_lossless()

        listening = asyncio.create_task(run_all(), name="listen")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        try:
            await asyncio.wait({listening, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            listening.cancel()
            stopping.cancel()
            await asyncio.wait({listening})
        if not listening.cancelled():
            listening.result()
