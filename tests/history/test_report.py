import csv
import io

from rtgenre.history.report import (
    clipped,
    duration_text,
    history_csv,
    history_document,
    history_text,
    merged,
    nothing_text,
    seconds_by_genre,
)
from rtgenre.history.stretches import Stretch

START = 1_700_000_000.0


def stretch(start, end, genre="rock", node="kitchen", confidence=0.8):
    return Stretch(node, START + start, START + end, genre, confidence, "crnn 1")


def test_stretches_are_cut_at_the_ends_of_the_time_asked_for():
    heard = [stretch(10 * n, 10 * n + 10) for n in range(5)]
    cut = clipped(heard, START + 15, START + 35)
    assert [(s.started_at - START, s.ended_at - START) for s in cut] == [
        (15, 20),
        (20, 30),
        (30, 35),
    ]


def test_a_stretch_in_memory_replaces_its_older_version_in_the_file():
    result = merged([stretch(0, 10), stretch(10, 60, "jazz")], [stretch(10, 75, "jazz")])
    assert [(s.genre, s.seconds) for s in result] == [("rock", 10), ("jazz", 65)]


def test_a_stretch_whose_beginning_the_file_rounds_is_not_there_twice():
    assert merged([stretch(10, 60)], [stretch(10.0004, 75)]) == [stretch(10.0004, 75)]


def test_what_is_written_comes_as_it_is_where_nothing_goes_on():
    assert merged([stretch(0, 10), stretch(10, 60)], []) == [stretch(0, 10), stretch(10, 60)]


def test_what_goes_on_in_one_room_stands_in_order_with_what_is_written_of_others():
    before, *after = [stretch(*span, node="b") for span in ((0, 20), (20, 30), (30, 40))]
    long = stretch(10, 50, node="c")
    assert merged([before, *after], [long]) == [before, long, *after]


def test_rooms_that_begin_at_the_same_moment_are_kept_apart():
    assert len(merged([stretch(0, 10, node="a")], [stretch(0, 10, node="b")])) == 2


def test_the_document_says_the_time_asked_for_and_every_stretch():
    document = history_document(
        [stretch(0, 10)], since=START, until=START + 60, problem="the disk is full"
    )
    assert document["since"] == "2023-11-14T22:13:20.000Z"
    assert document["problem"] == "the disk is full"
    assert document["stretches"] == [
        {
            "start": "2023-11-14T22:13:20.000Z",
            "end": "2023-11-14T22:13:30.000Z",
            "node": "kitchen",
            "genre": "rock",
            "confidence": 0.8,
            "model": "crnn 1",
            "reason": None,
            "title": None,
            "artist": None,
        }
    ]


def test_what_played_stands_in_the_document_the_text_and_the_table():
    song = stretch(0, 10)._replace(title="So\x1b[2J What", artist="Miles Davis")
    (told,) = history_document([song], since=START, until=START + 60)["stretches"]
    assert (told["title"], told["artist"]) == (song.title, song.artist)
    assert history_text([song]).splitlines()[1].endswith(r"80%        Miles Davis - So\x1b[2J What")
    (row,) = csv.DictReader(io.StringIO(history_csv([song])))
    assert (row["title"], row["artist"]) == (song.title, song.artist)


def test_where_no_genre_was_judged_the_reason_stands_in_place_of_a_confidence():
    talk = Stretch("kitchen", START, START + 60, "unknown", None, "crnn 1", "not_music")
    silence = Stretch("kitchen", START + 60, START + 90, "silence", None, "crnn 1")
    lines = history_text([talk, silence]).splitlines()
    assert lines[1].endswith("unknown    not music")
    assert lines[2].endswith("silence")
    row, _ = csv.DictReader(io.StringIO(history_csv([talk, silence])))
    assert (row["confidence"], row["reason"]) == ("", "not_music")


def test_csv_reads_back_with_its_heading():
    rows = list(csv.DictReader(io.StringIO(history_csv([stretch(0, 10), stretch(10, 15, "jazz")]))))
    assert [(row["genre"], float(row["seconds"])) for row in rows] == [("rock", 10), ("jazz", 5)]


def test_genres_come_by_time_and_what_is_no_music_last():
    totals = seconds_by_genre(
        [stretch(0, 50, "silence"), stretch(50, 60, "jazz"), stretch(60, 90, "rock")]
    )
    assert totals == {"rock": 30, "jazz": 10, "silence": 50}
    assert list(totals) == ["rock", "jazz", "silence"]


def test_text_names_rooms_only_where_there_are_several():
    assert "kitchen" not in history_text([stretch(0, 10)])
    assert "kitchen" in history_text([stretch(0, 10), stretch(0, 10, node="studio")])


def test_text_survives_time_without_music():
    assert "silence" in history_text([stretch(0, 10, "silence")])
    assert "nothing" in history_text([])


def test_the_text_ends_with_the_share_of_each_genre_in_the_music():
    heard = [stretch(0, 300), stretch(300, 400, "jazz"), stretch(400, 401, "folk")]
    lines = history_text([*heard, stretch(401, 500, "silence")]).splitlines()
    assert lines[-5:] == [
        "music: 7 min",
        f"  rock             5 min   75%  {'█' * 22}",
        f"  jazz             2 min   25%  {'█' * 7}",
        "  folk               1 s    0%  █",
        "  silence          2 min",
    ]


def test_a_room_or_a_genre_that_is_not_there_is_not_said_to_be_silent():
    heard = [stretch(0, 10), stretch(0, 10, "jazz", node="studio")]
    assert nothing_text(heard, "Küche").endswith(
        "in 'Küche' in this time; rooms: kitchen, studio\n"
    )
    assert (
        nothing_text(heard, None, "jaz")
        == "nothing was called 'jaz' in this time, but jazz, rock\n"
    )
    assert nothing_text(heard, "kitchen", "jazz").endswith("'jazz' in this time, but rock\n")
    assert nothing_text([], "kitchen", "jazz") == history_text([])


def test_durations_are_written_for_people():
    assert [duration_text(s) for s in (45, 200, 3599, 18720)] == [
        "45 s",
        "3 min",
        "1 h 00 min",
        "5 h 12 min",
    ]
