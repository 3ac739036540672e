import re
import time

import pytest

from rtgenre.sources.playlist import MOST_BYTES, MOST_ENTRIES, playlist_entries

AT = "http://radio.example/lists/listen.pls?key=1"
ONE = "http://a.example/live.mp3"
TWO = "https://b.example:8443/live?x=1&y=2"


def entries(text, schemes=("http", "https")):
    content = text if isinstance(text, bytes) else text.encode()
    return playlist_entries(content, AT, schemes)


@pytest.mark.parametrize(
    "text",
    [
        f"[playlist]\nNumberOfEntries=2\nFile1={ONE}\nTitle1=One\nLength1=-1\nFile2={TWO}\nVersion=2",
        f"[Playlist]\r\nfile1 = {ONE} \r\nfile2={TWO}\r\n",
        f"[Reference]\nRef1={ONE}\nRef2={TWO}\n",
        f"#EXTM3U\n#EXTINF:-1,One\n{ONE}\n\n#EXTINF:-1,Two\n  {TWO}\n",
        f"\ufeff#EXTM3U\n{ONE}\n{TWO}\n",
        f"{ONE}\r\n{TWO}",
        f"# a radio\n{ONE}\n{TWO}\n",
        f"""<ASX Version='3.0'><Title>R&B</Title><Entry><Ref HREF='{ONE}' /></Entry>
        <entry><abstract/><ref href = "{TWO}"></entry></asx>""",
        f"""<?xml version="1.0" encoding="UTF-8"?>
        <playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList>
        <track><location>{ONE}</location></track><track><title>Two</title><location>
        {TWO.replace("&", "&amp;")}</location></track></trackList></playlist>""",
    ],
    ids=["pls", "loose pls", "reference", "m3u", "m3u with a BOM", "bare m3u", "m3u with a remark",
         "asx", "xspf"],
)  # fmt: skip
def test_the_addresses_in_a_playlist_come_in_its_order(text):
    assert entries(text) == [ONE, TWO]


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("live.mp3", "http://radio.example/lists/live.mp3"),
        ("../live.mp3", "http://radio.example/live.mp3"),
        ("/live.mp3", "http://radio.example/live.mp3"),
        ("//c.example/live", "http://c.example/live"),
        ("HTTPS://c.example/live", "https://c.example/live"),
        ("Béla Bartók.mp3", "http://radio.example/lists/B%C3%A9la%20Bart%C3%B3k.mp3"),
        ("a%20b.mp3", "http://radio.example/lists/a%20b.mp3"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_an_address_may_be_relative_or_strangely_written(entry, address, encoding):
    assert entries(f"#EXTM3U\n{entry}\n".encode(encoding)) == [address]


@pytest.mark.parametrize(
    "entry",
    [
        "file:///etc/passwd",
        "C:\\Music\\a.mp3",
        "rtsp://a.example/live",
        "concat:http://a|http://b",
        "data:audio/wav;base64,AAAA",
        "http://[",
        "http://a.example/" + 3000 * "a",
        "javascript:alert(1)",
    ],
)
@pytest.mark.parametrize("form", ["#EXTM3U\n{}\n", "[playlist]\nFile1={}\n"])
def test_what_may_not_be_opened_is_left_out(form, entry):
    assert entries(form.format(entry)) == []
    assert entries(form.format(entry) + f"\nFile2={ONE}\n{ONE}\n") == [ONE]


def test_which_addresses_may_be_opened_is_up_to_whoever_asks():
    assert entries("rtsp://a.example/live", ("rtsp",)) == ["rtsp://a.example/live"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!doctype html><html><body><a href='http://a.example/live.mp3'>listen</a></body></html>",
        "<html><playlist-box></playlist-box></html>",
        '{"error": "no such station"}',
        "no such station\nplease try http://a.example",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://a.example/1.ts\n",
        b"\xff\xfb\x90\x00" * 999 + b"\nhttp://a.example/live.mp3\n",
    ],
    ids=["nothing", "page", "page like an xspf", "JSON", "text", "HLS", "sound"],
)
def test_what_is_no_playlist_is_told_from_an_empty_one(text):
    assert entries(text) is None
    assert entries("[playlist]\nNumberOfEntries=0\n") == []
    assert entries("#EXTM3U\n") == []


def test_control_characters_do_not_get_into_an_address():
    text = "<asx><ref href='http://a.example/&#10;&#27;[2J&#0;\x07'/></asx>"
    (address,) = entries(text)
    assert re.fullmatch(r"[!-~]+", address)


def test_of_a_long_list_only_the_first_are_taken_and_each_once():
    lines = [f"http://a.example/{number // 2}" for number in range(1000)]
    assert entries("\n".join(lines)) == lines[: 2 * MOST_ENTRIES : 2]


@pytest.mark.parametrize(
    "unit",
    ["<ref ", "<ref href='", '<ref href="> ', " ", "href ", "<location>", "File1=", "File1= \n",
     "../", "é", "&amp;", "\n", "file9", "http://["],
)  # fmt: skip
@pytest.mark.parametrize("start", ["", "<asx ", "[playlist]\nFile1=", "#EXTM3U\n"])
def test_nothing_that_is_sent_takes_long_to_read(start, unit):
    begun = time.process_time()
    entries((start + unit * MOST_BYTES)[:MOST_BYTES])
    assert time.process_time() - begun < 2.0
