"""The MQTT broker: how to connect to it, what its refusals mean, and how it is told things."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import secrets
import socket
import ssl
from typing import TYPE_CHECKING, Any, NoReturn

import aiomqtt
from aiomqtt.exceptions import MqttConnectError

from rtgenre.outputs.errors import OutputError
from rtgenre.outputs.mqtt.topics import Message
from rtgenre.outputs.secret import read_secret
from rtgenre.outputs.tls import client_tls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from rtgenre.config import MqttConfig

GOODBYE_SECONDS = 1.0
MAX_INCOMING_MESSAGES = 100
MAX_PACKET_BYTES = 65_536
"""What is subscribed to are words; paho itself would take 256 MB, and hold them in memory."""
_CUT_BEFORE_LOGIN = "cut before login"
_NO_MQTT = "no MQTT"
_PROTOCOL_ERROR = 130
"""paho's reason for leaving a broker whose answer it does not understand."""

# CONNACK codes as paho gives them (MQTT 5, 3.2.2.2), to which it maps those of MQTT 3.1.1.
_REFUSED = {
    133: "refused the client id; change [mqtt] client_id",
    134: "refused the username or password; check [mqtt] username and password",
    135: "refused the login; check [mqtt] username and password, and the broker's access list",
    136: "is not ready to serve clients",
    138: "has banned this client",
}

_SAME_NODE = (
    "is there another rtgenre of the same node? Two of one name drive each other out; "
    "change [source] node of one"
)

_NO_LOGIN = {
    _CUT_BEFORE_LOGIN: "closed the connection before the login (is that port one for TLS?)",
    _NO_MQTT: "does not speak MQTT 3.1.1 (is that port one for TLS, or another program's?)",
}

# aiomqtt and paho report through exceptions, too.
_client_logger = logging.getLogger(f"{__name__}.client")
_client_logger.setLevel(logging.CRITICAL)


class PacketTooLarge(aiomqtt.MqttError):
    """The broker announced more than ``MAX_PACKET_BYTES``, so the connection was dropped."""


class Broker:
    """How to connect to the broker, and what its refusals mean."""

    def __init__(self, config: MqttConfig) -> None:
        """Read the password and the certificates.

        Raises:
            OutputError: one of them cannot be used, or the host is no name.
        """
        self._config = config
        self._password = read_secret(config.password, config.password_file, "[mqtt] password_file")
        self._tls = client_tls(config)
        self.address = f"{config.host}:{config.port}"
        """Where the broker is, for people."""
        try:
            config.host.encode("idna")
        except UnicodeError:
            raise OutputError(
                f"[mqtt] host = {config.host!r} is neither a host name nor an address"
            ) from None

    @contextlib.asynccontextmanager
    async def connect(
        self,
        name: str,
        will: Message | None,
        *,
        on_message: Callable[[str, bytes, bool], None] | None = None,
    ) -> AsyncIterator[aiomqtt.Client]:
        """Stay connected for the length of an ``async with`` block.

        The client id is the same every time. A broker then drops a connection that was cut off
        before it admits the new one, so that an old last will never comes after ``online``.

        Args:
            name: makes the client id unique among those of this service.
            will: what the broker publishes when the connection breaks.
            on_message: takes topic, payload and whether the broker had kept it, in place of
                ``client.messages``, whose queue drops what comes at once.

        Raises:
            aiomqtt.MqttError: the broker cannot be reached or refuses; ``explain`` tells why.
        """
        config = self._config
        client = aiomqtt.Client(
            config.host,
            config.port,
            username=config.username or None,
            password=self._password or None,
            identifier=f"{config.client_id}-{name}",
            will=aiomqtt.Will(will.topic, will.payload, will.qos, will.retain) if will else None,
            tls_context=self._tls,
            timeout=config.timeout_seconds,
            keepalive=config.keepalive_seconds,
            max_queued_incoming_messages=MAX_INCOMING_MESSAGES,
            logger=_client_logger,
        )
        _notice_a_cut_before_login(client)
        _pass_over_topics_that_are_no_text(client)
        _write_while_the_connection_lasts(client)
        limit = _PacketLimit(client)
        if on_message is not None:
            _hand_messages_to(client, on_message)
        # aiomqtt makes another one where the connection is lost as soon as the login is answered.
        lost_with_the_login = client._disconnected
        try:
            await client.__aenter__()
            try:
                heed_cancellation()
                yield client
            finally:
                # A broker that hangs does not take a goodbye either.
                client.timeout = min(client.timeout, GOODBYE_SECONDS / 2)
                with contextlib.suppress(aiomqtt.MqttError):
                    await client.__aexit__(None, None, None)
        except aiomqtt.MqttError:
            limit.check()
            raise
        finally:
            # aiomqtt leaves the socket of a failed login open, and may leave it unread how the
            # connection ended.
            client._client._sock_close()
            # A connection that was given up may still come about in paho's thread; when that is
            # thrown away, the event loop may be gone.
            client._client.on_socket_open = client._client.on_socket_close = None
            client._client.on_disconnect = None
            mark_read(lost_with_the_login)
            mark_read(client._disconnected)

    def explain(self, error: BaseException, *, soon: bool = False) -> str:
        """Say in one sentence what an ``aiomqtt.MqttError`` means.

        Args:
            error: what was raised.
            soon: whether the connection had only just begun, as where two clients of one id
                drive each other out.
        """
        place = f"the MQTT broker at {self.address}"
        if isinstance(error, PacketTooLarge):
            return f"{place} {error}"
        if isinstance(error, MqttConnectError):
            code = error.rc if isinstance(error.rc, int) else getattr(error.rc, "value", 0)
            return f"{place} {_REFUSED.get(code, f'refused the connection ({error})')}"
        # A reset may come while paho still sends its login.
        was_reset = isinstance(error.__context__, ConnectionResetError)
        if meaning := _NO_LOGIN.get(_CUT_BEFORE_LOGIN if was_reset else str(error)):
            return f"{place} {meaning}"
        if isinstance(error, aiomqtt.MqttCodeError) or str(error).startswith("Disconnected"):
            lost = f"the connection to {place} was lost"
            return f"{lost} soon after it began ({_SAME_NODE})" if soon else lost
        if str(error) == "Operation timed out":
            waited = f"{self._config.timeout_seconds:g} s"
            return f"{place} did not answer within {waited} (is that port one for TLS, or not?)"
        return f"{place} {_not_reached(error)}"


def _not_reached(error: BaseException) -> str:
    """Say why no connection came about, and what to do about a certificate."""
    if isinstance(cause := error.__context__, ssl.SSLCertVerificationError):
        return (
            f"has a certificate that is not trusted ({cause.verify_message}); if it is the right "
            "broker, set [mqtt] ca_file to the certificate of who signed it"
        )
    return f"cannot be reached: {error}"


async def publish_once(config: MqttConfig, messages: Iterable[Message]) -> None:
    """Connect, publish and leave.

    Raises:
        OutputError: the broker cannot be reached or refuses.
    """
    async with _connected(config) as client:
        await send(client, messages)


async def comes_back(config: MqttConfig, topic: str, *, within_seconds: float) -> bool:
    """Publish a word, and say whether it comes: what may not be passed on, a broker takes, too.

    Raises:
        OutputError: the broker cannot be reached or refuses.
    """
    return await _comes(config, topic, secrets.token_hex(4), within_seconds=within_seconds)


async def anything_comes(config: MqttConfig, topics: str, *, within_seconds: float) -> bool:
    """Say whether a message comes of topics, publishing none.

    Raises:
        OutputError: the broker cannot be reached or refuses.
    """
    return await _comes(config, topics, None, within_seconds=within_seconds)


async def _comes(
    config: MqttConfig, topics: str, word: str | None, *, within_seconds: float
) -> bool:
    """Publish a word, if there is one, and say whether it comes, or else whether anything does."""
    came = asyncio.Event()

    def receive(_topic: str, payload: bytes, _retained: bool) -> None:
        if word is None or payload == word.encode():
            came.set()

    async with _connected(config, receive) as client:
        await client.subscribe(topics, qos=1)
        if word is not None:
            await send(client, [Message(topics, word, retain=False, qos=1)])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                await came.wait()
    return came.is_set()


@contextlib.asynccontextmanager
async def _connected(
    config: MqttConfig, on_message: Callable[[str, bytes, bool], None] | None = None
) -> AsyncIterator[aiomqtt.Client]:
    """Connect a command, and say in words what fails meanwhile."""
    broker = Broker(config)
    try:
        async with broker.connect("command", will=None, on_message=on_message) as client:
            yield client
    except aiomqtt.MqttError as error:
        raise OutputError(broker.explain(error)) from None


async def send(client: aiomqtt.Client, messages: Iterable[Message]) -> None:
    """Publish in order, and wait until the broker has taken all of them."""
    waiting = list(messages)
    within_seconds = max((message.within_seconds for message in waiting), default=0.0)
    if within_seconds > 0:
        await asyncio.sleep(random.uniform(0, within_seconds))
    await asyncio.gather(
        *(
            client.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)
            for message in waiting
        )
    )


def local_address(client: aiomqtt.Client) -> str:
    """Return the address of this machine on the network that leads to the broker; empty if lost."""
    connection = client._client.socket()
    if not isinstance(connection, socket.socket):
        return ""
    try:
        return str(connection.getsockname()[0])
    except OSError:
        return ""


async def lost(client: aiomqtt.Client) -> NoReturn:
    """Wait until the connection is lost, which aiomqtt's calls, once begun, do not notice.

    Raises:
        aiomqtt.MqttError: it was.
    """
    await asyncio.wait({client._disconnected})
    raise aiomqtt.MqttError("Disconnected") from client._disconnected.exception()


def mark_read(future: asyncio.Future[None]) -> None:
    """Spare the log an "exception was never retrieved" about what is told otherwise."""
    if future.done() and not future.cancelled():
        future.exception()


class _PacketLimit:
    """Drops a connection that announces too large a packet, before any of it is read."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._announced_bytes = 0
        paho = client._client
        self._receive = paho._sock_recv
        paho._sock_recv = self._receive_within_limit  # type: ignore[method-assign]

    def check(self) -> None:
        """Raise ``PacketTooLarge`` if that is why the connection was lost."""
        if self._announced_bytes:
            raise PacketTooLarge(
                f"announced a message of {self._announced_bytes:,} bytes; at most "
                f"{MAX_PACKET_BYTES:,} are taken (is one retained at "
                "<discovery_prefix>/status? `mosquitto_pub -r -n -t TOPIC` deletes it)"
            ) from None

    def _receive_within_limit(self, bufsize: int) -> bytes:
        # paho asks for a packet's length byte by byte, and then for all of the packet.
        if bufsize > MAX_PACKET_BYTES:
            self._announced_bytes = bufsize
            raise ConnectionError("too large a packet")
        return self._receive(bufsize)


def _hand_messages_to(
    client: aiomqtt.Client, on_message: Callable[[str, bytes, bool], None]
) -> None:
    def receive(_client: Any, _userdata: Any, message: Any) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        on_message(topic, message.payload, message.retain)

    client._client.on_message = receive


def _notice_a_cut_before_login(client: aiomqtt.Client) -> None:
    """Fail at once where aiomqtt, until the login is answered, waits for its timeout."""
    loop = asyncio.get_running_loop()
    login: asyncio.Future[None] = client._connected

    def fail(reason: str) -> None:
        if not login.done():
            login.set_exception(aiomqtt.MqttError(reason))
            mark_read(login)

    def on_disconnect(paho: Any, userdata: Any, flags: Any, code: Any, *details: Any) -> None:
        reason = _NO_MQTT if code == _PROTOCOL_ERROR else _CUT_BEFORE_LOGIN
        loop.call_soon_threadsafe(fail, reason)
        client._on_disconnect(paho, userdata, flags, code, *details)

    client._client.on_disconnect = on_disconnect


def _pass_over_topics_that_are_no_text(client: aiomqtt.Client) -> None:
    """Leave out messages on topics that are not UTF-8, on which aiomqtt raises in the loop."""
    take = client._on_message

    def on_message(*details: Any) -> None:
        with contextlib.suppress(UnicodeDecodeError):
            take(*details)

    client._client.on_message = on_message


def _write_while_the_connection_lasts(client: aiomqtt.Client) -> None:
    """Ask for its turn to write only while a socket is open; aiomqtt asks for closed ones, too."""
    loop = asyncio.get_running_loop()

    def register(paho: Any, _userdata: Any, connection: Any) -> None:
        def write() -> None:
            try:
                paho.loop_write()
            except Exception as error:
                # Whatever it is, the connection is lost.
                if not client._disconnected.done():
                    client._disconnected.set_exception(error)

        def begin() -> None:
            if paho._registered_write and connection.fileno() >= 0:
                loop.add_writer(connection.fileno(), write)

        loop.call_soon_threadsafe(begin)

    client._client.on_socket_register_write = register


def heed_cancellation() -> None:
    """Make up for ``asyncio.wait_for``, which before Python 3.12 can swallow a cancellation."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
