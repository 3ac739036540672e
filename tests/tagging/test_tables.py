import csv
import os
import signal
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pyarrow as pa
import pytest
from pyarrow import parquet

from rtgenre.config import ConfigError
from rtgenre.errors import RtgenreError
from rtgenre.tagging.song import Row
from rtgenre.tagging.tables.line_formats import JsonLines
from rtgenre.tagging.tables.line_table import LineTable
from rtgenre.tagging.tables.open_table import ENDINGS, open_table

LABELS = ("jazz", "rock")
SECTIONS = (
    {"start_seconds": 0.0, "end_seconds": 8.5, "genre": "jazz", "reason": None},
    {"start_seconds": 8.5, "end_seconds": 60.0, "genre": "unknown", "reason": "unsure"},
)


def judged(path="/music/a.mp3", **fields):
    return Row(
        **{
            "path": path,
            "size": 1234,
            "modified": "2026-11-26T14:05:12.123Z",
            "duration_seconds": 60.25,
            "genre": "jazz",
            "confidence": 0.75,
            "probabilities": {"jazz": 0.75, "rock": 0.25},
            "sections": SECTIONS,
            "title": 'So "What", ça va?; =1',
            "artist": "Miles Davis",
            "model": "test 1",
            "model_checksum": "abcd1234",
            **fields,
        }
    )


FAULTY = Row("/music/b.mp3", 0, "", fault="the file is empty (0 bytes)")
REMOTE = judged("https://host/c.mp3", size=None, modified="", sample_seconds=60.0, sections=())
ROWS = [judged(), FAULTY, REMOTE]


@pytest.fixture(params=ENDINGS)
def path(request, tmp_path):
    return tmp_path / f"tags{request.param}"


def write(path, *rows, labels=LABELS):
    with closing(open_table(path, labels)) as table:
        for row in rows:
            table.append(row)


def read(path):
    with closing(open_table(path, LABELS)) as table:
        rows = list(table.rows())
        assert len(table.index) == len(rows)
        return rows


def test_rows_are_read_as_they_were_written(path):
    write(path, *ROWS)
    assert read(path) == ROWS
    assert list(path.parent.iterdir()) == [path]


def test_a_recording_of_many_hours_with_thousands_of_sections_is_read_again(path):
    long = judged(sections=SECTIONS * 1000)
    write(path, long)
    assert read(path) == [long]


def test_other_programs_read_the_columns(path):
    write(path, *ROWS)
    if path.suffix == ".parquet":
        table = parquet.read_table(path)
        assert table["probability_jazz"].to_pylist() == [0.75, None, 0.75]
        assert table["sections"].to_pylist()[0][1]["reason"] == "unsure"
    elif path.suffix == ".csv":
        import csv

        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["probability_rock"] for row in rows] == ["0.25", "", "0.25"]
        assert rows[0]["title"] == 'So "What", ça va?; =1'
    else:
        import json

        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert rows[0]["probabilities"] == {"jazz": 0.75, "rock": 0.25}


def test_a_newer_row_takes_the_place_of_the_songs_earlier_one(path):
    write(path, *ROWS)
    newer = judged("/music/b.mp3", genre="rock")
    write(path, newer)
    assert sorted(read(path), key=lambda row: row.path) == sorted(
        [ROWS[0], newer, REMOTE], key=lambda row: row.path
    )


def test_rows_are_all_there_though_as_many_are_written_meanwhile(path):
    old = [judged(f"/music/{number}.mp3", sections=()) for number in range(1000)]
    write(path, *old)
    with closing(open_table(path, LABELS)) as table:
        # Of Parquet it waits beside the file until a thousand rows do.
        table.append(judged("/music/new.mp3"))
        seen = []
        for row in table.rows():
            seen.append(row.path)
            table.append(replace(row, genre_tag="written"))
        assert sorted(seen) == sorted([*(row.path for row in old), "/music/new.mp3"])


def test_genres_of_another_model_find_room_beside_the_first_ones(path):
    write(path, judged())
    other = judged("/music/t.mp3", genre="techno", probabilities={"techno": 0.9, "rock": 0.1})
    write(path, other, labels=("techno", "rock"))
    assert read(path) == [judged(), other]


def test_a_table_without_rows_leaves_no_file(path):
    write(path)
    assert not list(path.parent.iterdir())


def test_a_power_cut_after_the_end_leaves_the_table_on_the_disk(path, monkeypatch):
    on_disk = set()
    monkeypatch.setattr(os, "fsync", lambda descriptor: on_disk.add(os.fstat(descriptor).st_ino))
    write(path, *ROWS)
    assert path.stat().st_ino in on_disk


@pytest.mark.parametrize("cut", [1, 30, 100])
def test_half_a_row_is_taken_out_and_the_rest_goes_on(tmp_path, cut):
    for ending in (".csv", ".jsonl"):
        path = tmp_path / f"tags{ending}"
        write(path, *ROWS)
        path.write_bytes(path.read_bytes()[:-cut])
        kept = read(path)
        assert kept == ROWS[: len(kept)]
        assert len(kept) >= 1
        write(path, *ROWS)
        assert read(path) == ROWS


WRITER = """
import sys
from pathlib import Path
from rtgenre.tagging.tables.open_table import open_table
from tests.tagging.test_tables import judged, LABELS
table = open_table(Path(sys.argv[1]), LABELS)
for number in range(10**6):
    table.append(judged(f"/music/{number}.mp3"))
    if number == 50:
        print("writing", flush=True)
"""


def test_a_writer_that_is_killed_leaves_whole_rows_and_no_lock(path):
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        with pytest.raises(RtgenreError, match="another rtgenre is writing it"):
            open_table(path, LABELS)
        process.send_signal(signal.SIGKILL)
    rows = read(path)
    assert len(rows) > 50
    assert {row.path for row in rows} == {f"/music/{number}.mp3" for number in range(len(rows))}
    assert all(row.sections == SECTIONS for row in rows)


FILLER = """
import resource, sys
from pathlib import Path
from rtgenre.errors import RtgenreError
from rtgenre.tagging.tables.open_table import open_table
from tests.tagging.test_tables import judged, LABELS
table = open_table(Path(sys.argv[1]), LABELS)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    for number in range(1000):
        table.append(judged(f"/music/{number}.mp3"))
except RtgenreError as error:
    print(error)
print(number)
"""


def test_a_full_disk_is_told_and_what_was_written_before_is_whole(path):
    result = subprocess.run(
        [sys.executable, "-c", FILLER, str(path)], capture_output=True, text=True, check=True
    )
    message, written = result.stdout.splitlines()
    assert "cannot be written: File too large" in message
    assert message.endswith("the same command goes on when that is mended")
    assert int(written) > 5
    assert len(read(path)) == int(written)


@pytest.mark.skipif(os.name == "nt", reason="an open file stays where it is")
def test_a_table_that_is_taken_away_meanwhile_is_told_and_not_written_for_nobody(path):
    elsewhere = path.parent / "elsewhere"
    elsewhere.mkdir()
    table = open_table(path, LABELS)
    table.append(judged())
    (written,) = (each for each in path.parent.iterdir() if each.is_file())
    written.rename(elsewhere / written.name)
    with pytest.raises(RtgenreError, match="moved, replaced or deleted meanwhile, with its 1 row"):
        table.append(FAULTY)
    # As a spreadsheet does that saves what it read before.
    written.write_bytes((elsewhere / written.name).read_bytes())
    with pytest.raises(RtgenreError, match="moved, replaced or deleted meanwhile"):
        table.close()
    assert read(path) == [judged()]


@pytest.mark.parametrize(
    "content", [b"a,b\r\n1,2\r\n", b"a,b\r1,2\r\n", b"{}\n", b"important", b"\xff\xfe\n\n"]
)
def test_a_file_of_something_else_is_left_as_it_is(path, content):
    path.write_bytes(content)
    with pytest.raises(RtgenreError, match="choose another --output"):
        open_table(path, LABELS)
    assert path.read_bytes() == content


def assert_goes_on(path):
    """Add a row to a table of ROWS that another program wrote again."""
    new = judged("/music/new.mp3")
    write(path, new)
    assert read(path) == [*ROWS, new]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_csv_table_that_a_spreadsheet_saved_again_goes_on(tmp_path, encoding):
    path = tmp_path / "tags.csv"
    write(path, *ROWS)
    cells = list(csv.reader(path.read_text().splitlines()))
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(cells)
    assert_goes_on(path)


def test_a_csv_line_that_is_too_short_is_told_with_how_many_cells_it_has(tmp_path):
    path = tmp_path / "tags.csv"
    write(path, *ROWS)
    with path.open("a") as file:
        file.write("a,b\n")
    with pytest.raises(RtgenreError, match=r"line 5 .*: it has 2 cells in place of 18; mend it"):
        open_table(path, LABELS)


def rewritten(path, name, column):
    """Give a Parquet table another column of that name, as other programs write it."""
    table = parquet.read_table(path)
    parquet.write_table(
        table.set_column(table.schema.get_field_index(name), name, column(table[name])), path
    )


def test_a_parquet_table_that_pandas_wrote_again_goes_on(tmp_path):
    path = tmp_path / "tags.parquet"
    write(path, *ROWS)
    rewritten(path, "size", lambda sizes: sizes.cast(pa.float64()))
    rewritten(path, "title", lambda titles: titles.cast(pa.large_string()))
    assert_goes_on(path)


def test_a_parquet_table_with_a_column_of_another_kind_is_told_and_loses_no_row(tmp_path):
    path = tmp_path / "tags.parquet"
    write(path, *ROWS)
    rewritten(path, "sections", lambda sections: pa.array(["[]"] * len(sections)))
    before = path.read_bytes()
    with pytest.raises(RtgenreError, match=r"sections .* rows are kept in tags.parquet.part"):
        write(path, judged("/music/new.mp3"))
    assert path.read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} == {path.name, "tags.parquet.part"}
    with closing(LineTable(tmp_path / "tags.parquet.part", JsonLines())) as kept:
        assert list(kept.index) == ["/music/new.mp3"]


def test_a_folder_a_pipe_or_an_unknown_ending_is_no_table(tmp_path):
    with pytest.raises(ConfigError, match=r"must end in .parquet, .csv or .jsonl"):
        open_table(tmp_path / "tags.xls", LABELS)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(RtgenreError, match="cannot be opened: Is a directory"):
        open_table(tmp_path / "folder.csv", LABELS)
    (tmp_path / "null.csv").symlink_to("/dev/null")
    with pytest.raises(RtgenreError, match="is not a regular file"):
        open_table(tmp_path / "null.csv", LABELS)
    with pytest.raises(RtgenreError, match="cannot be opened: No such file"):
        open_table(tmp_path / "missing" / "tags.csv", LABELS)


@pytest.mark.skipif(os.name == "nt", reason="has no such rights")
def test_a_table_that_is_written_anew_keeps_who_may_read_it(path):
    write(path, judged(title="first"))
    path.chmod(0o600)
    write(path, judged(title="second"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o664)
    write(path, judged(title="third", probabilities={"polka": 1.0}), labels=("polka",))
    assert stat.S_IMODE(path.stat().st_mode) == 0o664


def test_a_link_to_a_table_stays_and_what_it_leads_to_is_written(path):
    linked = path.parent / "elsewhere" / "table"
    linked.parent.mkdir()
    path.symlink_to(linked)
    for title in ("first", "second"):
        write(path, judged(title=title))
    assert path.is_symlink()
    assert linked.is_file()
    assert [row.title for row in read(path)] == ["second"]
