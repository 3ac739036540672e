from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgenre.outputs.web.http import (
    HttpResponse,
    json_response,
    security_headers,
    split_target,
    static_responses,
    unless_unchanged,
)


def test_files_are_answered_at_their_own_paths_only():
    responses = static_responses(
        {"index.html": b"<html>", "app.js": b"1", "vendor/chart.js": b"2", "secret.py": b"3"}
    )
    assert responses.keys() == {"/", "/static/app.js", "/static/vendor/chart.js"}
    assert responses["/static/app.js"].content_type.startswith("text/javascript")


def test_an_unchanged_file_is_not_sent_again():
    page = static_responses({"index.html": b"<html>"})["/"]
    etag = page.headers["ETag"]
    assert unless_unchanged(page, f'"other", {etag}').status == 304
    assert unless_unchanged(page, '"other"') is page
    assert unless_unchanged(HttpResponse(200, b"", "text/plain"), "").status == 200


def test_json_that_is_no_json_is_never_sent():
    assert json.loads(json_response({"a": "ö"}).body) == {"a": "ö"}
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_response({"a": float("nan")})


@given(st.text())
def test_no_target_crashes_the_router(target: str):
    try:
        path, query = split_target(target)
    except ValueError:
        return
    assert "?" not in path
    assert all(isinstance(value, str) for value in query.values())


def test_pages_may_run_nothing_foreign_and_be_embedded_where_allowed():
    policy = security_headers(["https://home.example"])["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'self' https://home.example" in policy
