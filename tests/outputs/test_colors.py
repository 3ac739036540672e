"""The colours of the genres, as they are seen with each kind of colour vision and on lamps."""

from itertools import combinations

import pytest
from coloraide import Color
from hypothesis import given
from hypothesis import strategies as st

from rtgenre.outputs.colors import GENRE_COLORS, complete_colors, ink
from rtgenre.outputs.lights.scenes import LightParams

NOT_GENRES = {"unknown", "silence"}
GENRES = {name: color for name, color in GENRE_COLORS.items() if name not in NOT_GENRES}
CARDS = {"light": "#ffffff", "dark": "#12151d"}


def distance(one, other):
    return Color(one).delta_e(other, method="2000")


def on_a_lamp(color):
    """Return what a lamp makes of a colour: its own brightness, whatever that of the colour."""
    linear = Color(color).convert("srgb-linear")
    return Color("srgb-linear", [channel / max(linear[:3]) for channel in linear[:3]])


# Before they were measured the least were 5.7, 2.5, 3.6, 4.7 and, on lamps, 7.4.
@pytest.mark.parametrize(
    ("vision", "least"), [("usual", 20), ("protan", 10), ("deutan", 10), ("tritan", 10)]
)
def test_every_kind_of_colour_vision_tells_all_colours_apart(vision, least):
    seen = {
        name: Color(color) if vision == "usual" else Color(color).filter(vision)
        for name, color in GENRE_COLORS.items()
    }
    for one, other in combinations(seen, 2):
        assert distance(seen[one], seen[other]) >= least, (one, other)


def test_lamps_show_ten_hues_and_none_looks_like_white():
    whites = {"white": "#ffffff", "neutral": LightParams().neutral_color}
    shown = {name: on_a_lamp(color) for name, color in (GENRES | whites).items()}
    for one, other in combinations(shown, 2):
        if {one, other} != whites.keys():
            assert distance(shown[one], shown[other]) >= 16, (one, other)


def test_metal_is_no_grey():
    metal = Color(GENRE_COLORS["metal"])
    assert distance(metal, GENRE_COLORS["unknown"]) >= 20
    white = Color("srgb-linear", [metal.luminance()] * 3)
    assert distance(metal, white) >= 20


@pytest.mark.parametrize("card", CARDS)
def test_every_genre_stands_out_from_the_page(card):
    for genre, color in GENRES.items():
        assert Color(color).contrast(CARDS[card]) >= 2, genre


@given(st.text(alphabet="0123456789abcdef", min_size=6, max_size=6))
def test_what_is_written_on_any_colour_can_be_read(digits):
    color = f"#{digits}"
    assert Color(color).contrast(ink(color)) >= 4.5


def test_genres_without_a_colour_get_distinct_ones():
    labels = ["techno", "house", "zydeco", "folk", "salsa", "jazz"]
    colors = complete_colors(GENRE_COLORS, labels)
    shown = {name: colors[name] for name in (*labels, *NOT_GENRES)}
    assert shown["jazz"] == GENRE_COLORS["jazz"]
    for one, other in combinations(shown, 2):
        assert distance(shown[one], shown[other]) >= 10, (one, other)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=40, unique=True))
def test_any_labels_have_colours_whatever_their_order(labels):
    colors = complete_colors(GENRE_COLORS, labels)
    assert set(labels) <= colors.keys()
    assert complete_colors(GENRE_COLORS, labels[::-1]) == colors
    assert len(set(colors.values())) == len(colors)


def test_a_colour_depends_on_the_label_and_hardly_on_the_others():
    alone = complete_colors(GENRE_COLORS, ["techno"])["techno"]
    assert complete_colors(GENRE_COLORS, ["techno", "jazz", "rock"])["techno"] == alone


def test_hundreds_of_labels_are_coloured_as_well():
    labels = [f"genre {number}" for number in range(500)]
    assert set(labels) <= complete_colors({}, labels).keys()
