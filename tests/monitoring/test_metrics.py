from __future__ import annotations

import sys
from dataclasses import fields, replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rtgenre.model.feature_params import FeatureParams
from rtgenre.model.info import ModelInfo
from rtgenre.monitoring.metrics import Metrics, SourceTotals
from rtgenre.types import PlayState
from tests.documents import a_state


def values(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Return every sample by its name and label values."""
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def test_every_figure_says_what_it_is():
    metrics = Metrics()
    metrics.for_node("den")
    metrics.add_source("den", totals)
    for family in text_string_to_metric_families(metrics.text().decode()):
        assert family.documentation, family.name


def test_a_nodes_figures_are_there_before_anything_happened():
    metrics = Metrics()
    metrics.for_node("den")
    assert values(metrics)["rtgenre_windows_total", "den"] == 0
    assert values(metrics)["rtgenre_latency_seconds_count", "den"] == 0


def test_the_model_is_told_by_name_version_and_checksum():
    metrics = Metrics()
    info = ModelInfo(
        "crnn", "7", ("a", "b"), FeatureParams(), False, checksums={"model.tflite": "1a2b3c4d5e"}
    )
    metrics.set_info("1.2.3", info)
    assert values(metrics)["rtgenre_info", "crnn", "1a2b3c4d", "7", "1.2.3"] == 1


def test_windows_count_and_the_time_of_each_genre_adds_up():
    metrics = Metrics()
    documents = [a_state(0), a_state(1), a_state(2, state=PlayState.SILENCE)]
    for document in documents:
        metrics.observe_window(document, inference_seconds=0.01, latency_seconds=0.02)
    found = values(metrics)
    assert found["rtgenre_windows_total", "den"] == 3
    assert found["rtgenre_genre_seconds_total", "jazz", "den"] == 6.0  # the first window is 4 s
    assert found["rtgenre_genre_seconds_total", "silence", "den"] == 2.0
    assert found["rtgenre_level_dbfs", "den"] == -20.0
    assert found["rtgenre_inference_seconds_count", "den"] == 3


def totals(**changes) -> SourceTotals:
    known = SourceTotals(
        up=True,
        skipped_windows=1,
        overruns=2,
        dropped_blocks=3,
        resets=4,
        invalid_samples=5,
        clipped_samples=6,
        reopens=7,
    )
    return replace(known, **changes)


def test_each_source_is_asked_for_its_totals_when_somebody_asks_for_the_figures():
    metrics = Metrics()
    now = {"den": totals(), "bar": totals(overruns=8, up=False)}
    metrics.add_source("den", lambda: now["den"])
    metrics.add_source("bar", lambda: now["bar"])
    assert values(metrics)["rtgenre_overruns_total", "den"] == 2
    now["den"] = totals(overruns=9)
    found = values(metrics)
    assert found["rtgenre_overruns_total", "den"] == 9
    assert found["rtgenre_overruns_total", "bar"] == 8
    assert (found["rtgenre_source_up", "den"], found["rtgenre_source_up", "bar"]) == (1, 0)


def test_every_total_of_a_source_is_exported():
    metrics = Metrics()
    metrics.add_source("den", totals)
    found = values(metrics)
    for field in fields(SourceTotals):
        name = "rtgenre_source_up" if field.name == "up" else f"rtgenre_{field.name}_total"
        assert found[name, "den"] == getattr(totals(), field.name)


def test_two_services_in_one_process_do_not_share_figures():
    first, second = Metrics(), Metrics()
    first.websocket_clients.set(3)
    assert values(second)["rtgenre_websocket_clients",] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="process figures come from /proc")
def test_memory_and_open_files_are_told():
    found = values(Metrics())
    assert found["process_resident_memory_bytes",] > 0
    assert found["process_open_fds",] > 0
