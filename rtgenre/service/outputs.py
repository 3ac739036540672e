"""Which outputs a service has, by its settings; ``service.py`` runs them.

What is off is not imported.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from rtgenre import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rtgenre.config import Config, SourceConfig
    from rtgenre.config.outputs import WebSocketConfig
    from rtgenre.config.smarthome import MqttConfig
    from rtgenre.messages.hub import Hub
    from rtgenre.outputs.history import HistoryOutput
    from rtgenre.outputs.mqtt.playing import PlayingExtension
    from rtgenre.outputs.mqtt.teach import TeachExtension
    from rtgenre.outputs.web.http import Route, Upload
    from rtgenre.outputs.web.mdns import MdnsOutput
    from rtgenre.service.settings_desk import SettingsDesk
    from rtgenre.service.teacher import Teacher
    from rtgenre.sources.base import AudioSource
    from rtgenre.types import Track

logger = logging.getLogger(__name__)


def history_output(
    config: Config, sources: Sequence[tuple[SourceConfig, AudioSource]], hub: Hub, model: str
) -> HistoryOutput | None:
    """Return what writes down what is heard, except of the demo and of files at full speed."""
    if not config.history.enabled:
        return None
    from rtgenre.outputs.history import HistoryOutput

    heard = {
        source_config.node: model
        for source_config, source in sources
        if source_config.speed != "max" and not source.is_demo
    }
    return HistoryOutput(config.history, hub, model_of=heard.get)


def web_routes(
    teacher: Teacher | None,
    history: HistoryOutput | None,
    desk: SettingsDesk | None,
    nodes: Sequence[str],
) -> dict[str, Route]:
    """Return what is answered over HTTP beside what the port answers by itself."""
    from rtgenre.outputs.web.settings import settings_routes
    from rtgenre.outputs.web.teaching import no_teaching_routes, teaching_routes

    taught = no_teaching_routes() if teacher is None else teaching_routes(teacher, nodes)
    return taught | ({} if history is None else history.routes()) | settings_routes(desk)


def web_uploads(teacher: Teacher | None, desk: SettingsDesk | None) -> dict[str, Upload]:
    """Return what is answered to files that are sent."""
    from rtgenre.outputs.web.settings import settings_uploads
    from rtgenre.outputs.web.teaching import no_teaching_uploads, teaching_uploads

    taught = no_teaching_uploads() if teacher is None else teaching_uploads(teacher)
    return taught | settings_uploads(desk)


def mdns_output(config: WebSocketConfig, port: int, nodes: Sequence[str]) -> MdnsOutput | None:
    """Return what announces the port; None where only this machine reaches it."""
    from rtgenre.outputs.web.auth import is_loopback
    from rtgenre.outputs.web.mdns import MdnsOutput

    if is_loopback(config.host):
        return None
    return MdnsOutput(
        name=nodes[0],
        host=config.host,
        port=port,
        properties={
            "version": __version__,
            "path": "/ws",
            "tls": "1" if config.cert_file else "0",
            "nodes": ",".join(nodes),
        },
    )


def publishes_mqtt(config: Config, sources: Sequence[tuple[SourceConfig, AudioSource]]) -> bool:
    """Say whether there is a broker, and something heard that it is to know of."""
    if not config.mqtt.host:
        return False
    if all(source.is_demo for _, source in sources):
        logger.warning("the demo goes to no broker and no lamps")
        return False
    return True


def check_files(config: Config) -> None:
    """Read the secrets and certificates that outputs would begin with.

    Raises:
        OutputError: one of them cannot be used.
    """
    if config.websocket.enabled:
        from rtgenre.outputs.tls import server_tls
        from rtgenre.outputs.web.endpoint import read_token

        read_token(config.websocket)
        server_tls(config.websocket)
    if config.mqtt.host:
        from rtgenre.outputs.mqtt.broker import Broker

        Broker(config.mqtt)


def playing_extension(
    prefix: str, rooms: Sequence[SourceConfig], tell: Callable[[str, Track | None], None]
) -> PlayingExtension:
    """Return what hears over MQTT what plays, and tells it."""
    from rtgenre.outputs.mqtt.playing import PlayingExtension, command_topic

    topics = {room.node: room.playing_topic or command_topic(prefix, room.node) for room in rooms}
    return PlayingExtension(tell, topics=topics)


def teach_extension(config: MqttConfig, nodes: Sequence[str], teacher: Teacher) -> TeachExtension:
    """Return what takes in lessons over MQTT."""
    from rtgenre.outputs.mqtt.teach import TeachExtension

    return TeachExtension(
        teacher.teach,
        teacher.forget,
        prefix=config.topic_prefix,
        nodes=nodes,
        qos=config.qos,
    )
