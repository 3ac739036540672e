"""What the browser complains about is told so that it can be found."""

import pytest

from tests.outputs.web.page.conftest import note_complaints


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("throw new Error('no canvas')", "no canvas"),
        ("Promise.reject(new Error('no history'))", "no history"),
        ("console.error('no sound')", "no sound"),
    ],
)
def test_an_error_of_the_page_is_kept_with_the_lines_that_it_came_from(
    browser, puppet, script, message
):
    context = browser.new_context()
    page = context.new_page()
    complaints = []
    note_complaints(page, complaints)
    page.route(
        "**/app.js",
        lambda route: route.fulfill(content_type="text/javascript", body=f"\n\n{script};"),
    )
    with page.expect_event("console" if "console" in script else "pageerror"):
        page.goto(puppet("den").url)
    context.close()
    (complaint,) = complaints
    assert message in complaint
    assert "static/app.js:3" in complaint
