import pytest

from rtgenre.sources.input_age import InputAge

BLOCK_SECONDS = 0.02


def ages(*first_sample_ages):
    age = InputAge(longest_seconds=0.2)
    return [
        age.seconds(now=50.0, first_sample_at=50.0 - each, block_seconds=BLOCK_SECONDS)
        for each in first_sample_ages
    ]


def test_a_block_is_as_old_as_portaudio_says():
    assert ages(0.02, 0.035, 0.2) == pytest.approx([0.0, 0.015, 0.18])


@pytest.mark.parametrize("nonsense", [0.0, 50.0, 0.57, -0.02], ids=str)
def test_times_that_make_no_sense_once_are_never_believed_again(nonsense):
    assert ages(0.035, nonsense, 0.035) == pytest.approx([0.015, BLOCK_SECONDS, BLOCK_SECONDS])
