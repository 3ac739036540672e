import pytest

from rtgenre.monitoring.speed import SkipWatch, skipped_percent, too_slow

LONGER_HOP, FEWER = "raise hop_seconds above 2 in [windows]", "listen to fewer sources"


def watched(*skipped: bool) -> SkipWatch:
    watch = SkipWatch()
    for each in skipped:
        watch.push(skipped=each)
    return watch


def test_a_single_skipped_window_is_no_slow_machine():
    assert watched(*[False] * 30, True, *[False] * 5).percent == 0


def test_too_few_windows_say_nothing_yet():
    assert watched(True, True, True).percent == 0


def test_the_share_of_skipped_windows_is_told_and_forgotten_when_the_machine_keeps_up_again():
    watch = watched(*[False] * 44, *[True] * 6)
    assert watch.percent == pytest.approx(12, abs=5)
    for _ in range(50):
        watch.push(skipped=False)
    assert watch.percent == 0


def test_the_share_is_told_in_steps_and_not_anew_with_every_window():
    watch, told = SkipWatch(), []
    for number in range(500):
        watch.push(skipped=number % 8 == 0)
        told.append(watch.percent)
    assert len(set(told[100:])) == 1
    assert told[-1] == pytest.approx(12, abs=5)


@pytest.mark.parametrize(
    ("workers", "cores", "hop_seconds", "advice"),
    [
        (1, 4, 2.0, f"set workers to 4 in [model], or {LONGER_HOP}, or {FEWER}"),
        (2, 2, 0.5, f"raise hop_seconds above 0.5 in [windows], or {FEWER}"),
        (2, 2, 4.0, FEWER),
    ],
)
def test_only_what_can_help_is_advised(workers, cores, hop_seconds, advice):
    said = too_slow(12, workers=workers, cores=cores, hop_seconds=hop_seconds)
    assert said == f"too slow: 12 % of windows skipped; {advice}"


@pytest.mark.parametrize(
    ("n_sources", "workers", "percent"), [(1, 1, 0), (100, 1, 0), (200, 1, 50), (200, 2, 0)]
)
def test_what_workers_cannot_do_is_skipped(n_sources, workers, percent):
    skipped = skipped_percent(n_sources, window_seconds=0.02, hop_seconds=2.0, workers=workers)
    assert skipped == pytest.approx(percent)
