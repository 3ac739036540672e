"""The model card: what a model is, how good it is and what went into it; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from training.data.recordings import SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rtgenre.model.info import ModelInfo

GTZAN_RIGHTS = (
    "GTZAN (Tzanetakis and Cook 2002): copyrighted recordings collected for research; neither they "
    "nor spectrograms of them are distributed here, only weights and figures"
)
PARTITION_CREDIT = (
    "GTZAN's fault-filtered, artist-disjoint partition: Kereliuk, Sturm and Larsen 2015 (track "
    "names only)"
)
SYNTHETIC_SPEECH_RIGHTS = "synthetic speech by espeak-ng (GPL-3.0), reading Python's manual (PSF)"

LIMITS = """\
- It knows ten genres as GTZAN drew them around 2000: mostly Western, older recordings, by few
  artists a genre. Other music is put into the nearest of the ten, or shown as unknown.
- Rock, country, disco, pop and blues share much; a wrong answer among them is often arguable.
- `valid` is small ({n_tracks} tracks) and chose the epoch, the temperature and the tracker's
  settings, so its figures lean to the hopeful side; their intervals are wide.
- Music behind loud talk, and singing without accompaniment, were not taught as either.
"""


def model_card(info: ModelInfo, about: str, credits_: Sequence[str]) -> str:
    """Write a card from ``info.scores``, as ``training.evaluate`` measured them on ``valid``.

    Args:
        info: the model, with scores and data.
        about: what the network is, in a sentence or two.
        credits_: one line for each thing that went in: what it is, and its licence.
    """
    parts = [
        f"# {info.name} {info.version}",
        about,
        _input_and_output(info),
        "## Figures\n",
        _figures_note(info.scores),
        _main_figures(info.scores),
        _per_genre(info.scores.get("held_out", info.scores)),
        "![confusion](confusion.png) ![reliability](reliability.png)\n",
        "## Limits\n",
        LIMITS.format(n_tracks=info.scores["n_tracks"]),
        "## What went in\n",
        _data(info.data),
        bullets(credits_),
    ]
    return "\n".join(parts)


def negatives_credits() -> list[str]:
    """List what ``training.negatives`` is made of, with licences."""
    return [
        SYNTHETIC_SPEECH_RIGHTS,
        f"recorded speech and effects from Debian's packages {_packages('speech', 'noise')}",
        "noises made from random numbers by this project (MIT)",
    ]


def _packages(*kinds: str) -> str:
    found = {(source.package, source.licence) for source in SOURCES if source.kind in kinds}
    return ", ".join(f"{package} ({licence})" for package, licence in sorted(found))


def _input_and_output(info: ModelInfo) -> str:
    features = info.features
    music = ", then the probability that this is music at all" if info.has_music_output else ""
    return (
        f"\nIn: `(1, {features.n_frames}, {features.n_mels})` float32, a log-mel spectrogram of "
        f"{features.window_seconds:g} s of mono audio at {features.sample_rate_hz} Hz, in dB "
        f"relative to its loudest bin (`rtgenre.model.features`). Out: `(1, {info.n_outputs})`, "
        f"probabilities of {', '.join(info.labels)}{music}.\n"
    )


def _figures_note(scores: dict[str, Any]) -> str:
    note = f"On `{scores['split']}`, by `python -m training.evaluate` with this TFLite file.\n"
    if "held_out" in scores:
        note += (
            f"\nThe model that ships was fitted on `{scores['split']}` too, so its own figures "
            "there say nothing of new music. Those that count are of the same recipe fitted on "
            "`train` alone; the table of genres and the pictures show these.\n"
        )
    return note


def _main_figures(scores: dict[str, Any]) -> str:
    rows = _figure_rows(scores)
    parity = scores["export"]
    exported = (
        f"float32 within {parity['float32_largest_difference']:.1e}, "
        f"float16 loses {parity['float16_points_lost']:.1f} points of windows, "
        f"mixed {parity['mixed_points_lost']:.1f}; {parity['shipped']} ships, "
        f"{parity['tflite_bytes'] / 1e6:.1f} MB"
    )
    if "held_out" not in scores:
        return table(("what", "measured"), [*rows, ("TFLite against Keras", exported)])
    both = [
        (name, held_out, shipped)
        for (name, held_out), (_, shipped) in zip(
            _figure_rows(scores["held_out"]), rows, strict=True
        )
    ]
    head = ("what", "fitted on train alone", "as shipped")
    return table(head, [*both, ("TFLite against Keras", "", exported)])


def _figure_rows(scores: dict[str, Any]) -> list[tuple[str, str]]:
    live = scores["live"]
    median = live["median_seconds_to_change"]
    rows = [
        ("windows of 4 s", _accuracy(scores, "window")),
        ("tracks of 30 s", _accuracy(scores, "track")),
        ("calibration error (ECE), windows", f"{scores['ece']:.3f}"),
        ("live: right genre shown", f"{live['right_share']:.1%} of the time"),
        ("live: the same, from 8 s after a track's start", f"{live['settled_right_share']:.1%}"),
        ("live: wrong switches", f"{live['wrong_switches_per_minute']:.2f} a minute"),
        ("live: genre lost while music plays", f"{live['dropouts_per_minute']:.2f} a minute"),
        ("live: until a change is shown", f"{median:.1f} s (median)" if median else "never"),
        ("music taken for no music", f"{scores['music_rejected_share']:.1%} of windows"),
    ]
    if "negatives" in scores:
        kinds = scores["negatives"]["by_kind"].items()
        rows += [(f"{kind} taken for music", f"{share:.1%} of windows") for kind, share in kinds]
    if "conditions" in scores:
        lost = scores["conditions"]["points_lost"].items()
        rows += [
            (f"lost: {name.replace('_', ' ')}", f"{points:.1f} points of windows")
            for name, points in lost
            if name != "clean"
        ]
    return rows


def _accuracy(scores: dict[str, Any], unit: str) -> str:
    share, n = scores[f"{unit}_accuracy"], scores[f"n_{unit}s"]
    low, high = scores[f"{unit}_accuracy_95"]
    return f"{share:.1%} of {n} (95 %: {low:.1%} to {high:.1%})"


def _per_genre(scores: dict[str, Any]) -> str:
    rows = [
        (
            genre,
            f"{one['precision']:.2f}",
            f"{one['recall']:.2f}",
            f"{one['f1']:.2f}",
            f"{one['track']['recall']:.0%} of {one['track']['n_tracks']}",
        )
        for genre, one in scores["per_genre"].items()
    ]
    return table(("windows", "precision", "recall", "F1", "tracks right"), rows)


def _data(data: dict[str, Any]) -> str:
    return bullets(f"{key.replace('_', ' ')}: {_plain(value)}" for key, value in data.items())


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {one}" for name, one in value.items())
    return str(value)


def bullets(lines: Iterable[str]) -> str:
    """Write a list."""
    return "".join(f"- {line}\n" for line in lines)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"
