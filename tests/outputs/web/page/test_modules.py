"""The page's pure modules, run in the browser against what Python says."""

import numpy as np
import pytest

from rtgenre.messages.columns import SpectrogramColumn, encode_column
from rtgenre.model.feature_params import FeatureParams
from rtgenre.model.filter_banks import mel_filter_bank


@pytest.fixture(scope="module")
def run(browser, tmp_path_factory):
    """Evaluates JavaScript in a page of the service, in a zone with daylight saving time."""
    from tests.outputs.web.page.conftest import PuppetService

    service = PuppetService(tmp_path_factory.mktemp("modules"), ("den",))
    context = browser.new_context(locale="en-GB", timezone_id="Europe/Berlin")
    page = context.new_page()
    page.goto(service.url)
    yield lambda module, body, argument=None: page.evaluate(
        f"async (argument) => {{ const m = await import('/static/{module}.js'); {body} }}", argument
    )
    context.close()
    service.close()


def test_a_column_is_read_as_it_was_written(run):
    values = np.arange(128, dtype=np.uint8)
    message = encode_column(SpectrogramColumn(3, 12.5, 1.7e9, values))
    read = run(
        "column",
        "const c = m.decodeColumn(new Uint8Array(argument).buffer);"
        "return [c.sourceIndex, c.endSeconds, [...c.values]];",
        list(message),
    )
    assert read == [3, 12.5, list(range(128))]
    assert run("column", "return m.decodeColumn(new Uint8Array([2, 0, 0]).buffer);") is None


def test_frequencies_stand_beside_the_bands_that_hear_them(run):
    params = FeatureParams()
    scale = {"fmin_hz": params.fmin_hz, "fmax_hz": params.fmax_hz}
    centers = mel_filter_bank(params).argmax(axis=1) * params.sample_rate_hz / params.frame_length
    for band in range(10, 128, 20):
        height = run("mel", "return m.heightOf(argument[0], argument[1]);", [centers[band], scale])
        assert height == pytest.approx((band + 1) / (params.n_mels + 1), abs=0.01)


def test_contrast_is_that_of_wcag(run):
    assert run("colors", "return m.contrast('#000000', '#ffffff');") == pytest.approx(21)
    grey = run("colors", "return m.contrast('#777777', '#ffffff');")
    assert grey == pytest.approx(4.48, abs=0.01)


def test_a_genre_without_a_colour_has_one_of_its_own(run):
    body = "return argument.map((genre) => m.colorOf({ jazz: '#00ff00' }, genre));"
    jazz, techno, house, again = run("colors", body, ["jazz", "techno", "house", "techno"])
    assert (jazz, techno) == ("#00ff00", again)
    assert len({jazz, techno, house}) == 3


def test_durations_are_those_of_the_command_line(run):
    from rtgenre.history.report import duration_text

    for seconds in (0, 45, 59.4, 60, 200, 3599, 3600, 18720, 360000):
        assert run("format", "return m.duration(argument);", seconds) == duration_text(seconds)


def test_what_is_over_within_the_minute_has_one_time(run):
    begun = 1.7e12  # 23:13:20
    body = "return argument.map((end) => m.span(1.7e12, end));"
    assert run("format", body, [begun + 30e3, begun + 60e3]) == ["23:13", "23:13 \u2013 23:14"]


@pytest.mark.parametrize(
    ("night", "dark"),
    [
        ("23-6", [23, 0, 1, 2, 3, 4, 5]),
        ("1-4", [1, 2, 3]),
        ("off", []),
        ("7-7", []),
        ("", []),
    ],
)
def test_nights_begin_and_end_with_their_hours(run, night, dark):
    hours = [
        hour for hour in range(24) if run("kiosk", "return m.isNight(...argument);", [hour, night])
    ]
    assert sorted(hours) == sorted(dark)


def test_a_stretch_over_several_hours_counts_in_each_of_them(run):
    heat = run(
        "history-data",
        """const start = new Date(2024, 0, 1, 9, 30).getTime();
        const heat = m.byHour([{ genre: "jazz", start, end: start + 2 * m.HOUR_MS }]);
        return heat[0].map((parts) => m.shares(parts).map(({ ms }) => ms / 60e3));""",
    )
    assert {hour: parts for hour, parts in enumerate(heat) if parts} == {
        9: [30],
        10: [60],
        11: [30],
    }


def test_days_of_23_and_25_hours_are_whole_days(run):
    hours = run(
        "history-data",
        """return ["2024-03-31T12:00", "2024-10-27T12:00", "2024-10-28T12:00"].map((day) => {
            const midnight = m.midnight(new Date(day));
            const [{ from, to }] = m.rowsOf({ name: "day", day: midnight }, 0);
            return (to - from) / m.HOUR_MS;
        });""",
    )
    assert hours == [23, 25, 24]


def test_the_week_ends_today_and_has_seven_whole_days(run):
    rows = run(
        "history-data",
        """const now = new Date("2024-10-29T15:00").getTime();
        return m.rowsOf({ name: "week" }, now).map(({ from, to }) =>
            [new Date(from).toDateString(), (to - from) / m.HOUR_MS]);""",
    )
    assert rows[0] == ["Tue Oct 29 2024", 24]
    assert rows[2] == ["Sun Oct 27 2024", 25]
    assert len(rows) == 7
