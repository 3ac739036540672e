"""Counters, gauges and histograms for Prometheus."""

from __future__ import annotations

import time
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.metrics_core import Metric

    from rtgenre.messages.documents import StateDocument
    from rtgenre.model.info import ModelInfo

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_INFERENCE_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_LATENCY_BUCKETS = (0.01, 0.02, 0.04, 0.06, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


_SOURCE_COUNTERS = {
    "skipped_windows": "Windows left out because newer ones were waiting.",
    "overruns": "Input overflows reported by the audio system; audio was lost.",
    "dropped_blocks": "Audio blocks dropped because the pipeline was too slow.",
    "resets": "Times the windows began anew because audio was lost.",
    "invalid_samples": "Samples that were NaN or infinite and were replaced.",
    "clipped_samples": "Samples at or beyond full scale.",
    "reopens": "Times the input was opened again after it was lost.",
}


@dataclass(frozen=True, slots=True)
class SourceTotals:
    """What a source, its pipeline and its listener have counted since the start."""

    up: bool
    """Whether audio comes from the source."""
    skipped_windows: int
    overruns: int
    dropped_blocks: int
    resets: int
    invalid_samples: int
    clipped_samples: int
    reopens: int


class SourceCollector(Collector):
    """Asks every source for its totals when somebody asks for the figures."""

    def __init__(self) -> None:
        # By node, what returns its totals.
        self._totals: dict[str, Callable[[], SourceTotals]] = {}
        self._created_at = time.time()

    def add(self, node: str, totals: Callable[[], SourceTotals]) -> None:
        """Ask one more source."""
        self._totals[node] = totals

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of all sources."""
        found = {node: totals() for node, totals in self._totals.items()}
        up = GaugeMetricFamily(
            "rtgenre_source_up", "1 while audio comes from the source, else 0.", labels=["node"]
        )
        for node, totals in found.items():
            up.add_metric([node], totals.up)
        yield up
        for name, text in _SOURCE_COUNTERS.items():
            family = CounterMetricFamily(f"rtgenre_{name}", text, labels=["node"])
            for node, totals in found.items():
                family.add_metric([node], getattr(totals, name), created=self._created_at)
            yield family


@dataclass(frozen=True, slots=True)
class NodeMetrics:
    """One figure of each kind; ``Metrics.for_node`` gives those of one node."""

    windows: Counter
    mqtt_reconnects: Counter
    mqtt_skipped_messages: Counter
    level_dbfs: Gauge
    mqtt_connected: Gauge
    inference_seconds: Histogram
    latency_seconds: Histogram


class Metrics:
    """Every figure of one service, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        # Memory, CPU time and open files, from /proc: on Linux only, nothing elsewhere.
        ProcessCollector(registry=self._registry)
        self._sources = SourceCollector()
        self._registry.register(self._sources)
        self._info = Gauge(
            "rtgenre_info",
            "Always 1; the labels say what runs.",
            ["version", "model", "model_version", "model_checksum"],
            registry=self._registry,
        )
        self._every_node = self._node_metrics()
        self._genre_seconds = Counter(
            "rtgenre_genre_seconds",
            "Seconds for which a genre, unknown or silence was shown.",
            ["node", "genre"],
            registry=self._registry,
        )
        self.websocket_clients = Gauge(
            "rtgenre_websocket_clients", "WebSocket clients connected.", registry=self._registry
        )
        self.websocket_refused = Counter(
            "rtgenre_websocket_refused",
            "Connections and requests refused, by reason.",
            ["reason"],
            registry=self._registry,
        )
        self.websocket_skipped_messages = Counter(
            "rtgenre_websocket_skipped_messages",
            "Messages that slow WebSocket clients missed because newer ones replaced them.",
            registry=self._registry,
        )
        self.websocket_dropped_columns = Counter(
            "rtgenre_websocket_dropped_columns",
            "Spectrogram columns that slow WebSocket clients missed.",
            registry=self._registry,
        )

        self.hub_messages = self._counter("hub_messages", "MQTT messages that the hub read.")
        self.hub_skipped_messages = self._counter(
            "hub_skipped_messages", "MQTT messages of a node that sent too many."
        )
        self.hub_node_present = self._gauge(
            "hub_node_present", "1 while a node of the hub is there, else 0."
        )
        self.hub_damaged_messages = Counter(
            "rtgenre_hub_damaged_messages",
            "MQTT messages that the hub could not read.",
            registry=self._registry,
        )
        self._by_node: dict[str, NodeMetrics] = {}
        # By node, where the last window ended.
        self._last_end_seconds: dict[str, float] = {}

    def set_info(self, version: str, info: ModelInfo) -> None:
        """Say what runs: the version of rtgenre, and the model."""
        self._info.labels(
            version=version,
            model=info.name,
            model_version=info.version,
            model_checksum=info.short_checksum,
        ).set(1)

    def for_node(self, node: str) -> NodeMetrics:
        """Return the figures of one node."""
        known = self._by_node.get(node)
        if known is None:
            parts = [part.name for part in fields(NodeMetrics)]
            known = NodeMetrics(
                **{name: getattr(self._every_node, name).labels(node) for name in parts}
            )
            self._by_node[node] = known
        return known

    def observe_window(
        self, document: StateDocument, *, inference_seconds: float, latency_seconds: float
    ) -> None:
        """Count a window that was classified and published."""
        node = document["node"]
        metrics = self.for_node(node)
        metrics.windows.inc()
        metrics.inference_seconds.observe(inference_seconds)
        metrics.latency_seconds.observe(latency_seconds)
        metrics.level_dbfs.set(document["level_dbfs"])
        end_seconds = document["window_end_seconds"]
        begin_seconds = self._last_end_seconds.get(node, document["window_start_seconds"])
        self._last_end_seconds[node] = end_seconds
        genre = document["genre"] or document["state"]
        self._genre_seconds.labels(node, genre).inc(max(0.0, end_seconds - begin_seconds))

    def add_source(self, node: str, totals: Callable[[], SourceTotals]) -> None:
        """Ask a source for its totals whenever somebody asks for the figures."""
        self._sources.add(node, totals)

    def text(self) -> bytes:
        """Return all figures in Prometheus's text format, of type ``CONTENT_TYPE``."""
        return generate_latest(self._registry)

    def _node_metrics(self) -> NodeMetrics:
        return NodeMetrics(
            windows=self._counter("windows", "Windows classified."),
            mqtt_reconnects=self._counter(
                "mqtt_reconnects", "Connections to the broker after the first one."
            ),
            mqtt_skipped_messages=self._counter(
                "mqtt_skipped_messages",
                "Documents that a slow broker missed because newer ones replaced them.",
            ),
            level_dbfs=self._gauge(
                "level_dbfs", "RMS level of the newest hop in dB relative to full scale."
            ),
            mqtt_connected=self._gauge(
                "mqtt_connected", "1 while connected to the broker, else 0."
            ),
            inference_seconds=self._histogram(
                "inference_seconds", "Time the model takes for one window.", _INFERENCE_BUCKETS
            ),
            latency_seconds=self._histogram(
                "latency_seconds",
                "Time from a window's last sample to its message.",
                _LATENCY_BUCKETS,
            ),
        )

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"rtgenre_{name}", text, ["node"], registry=self._registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"rtgenre_{name}", text, ["node"], registry=self._registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(
            f"rtgenre_{name}", text, ["node"], buckets=buckets, registry=self._registry
        )
