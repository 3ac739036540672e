import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtgenre.sources.pcm import PcmDecoder, PcmFormat


def test_full_scale_of_16_bit_is_one():
    samples = PcmDecoder(PcmFormat("s16le", 8000, 2)).push(
        np.array([-32768, 32767, 0, 16384], "<i2").tobytes()
    )
    np.testing.assert_allclose(samples, [[-1.0, 32767 / 32768], [0.0, 0.5]])
    assert samples.dtype == np.float32


@given(
    st.lists(st.integers(0, 40), max_size=30),
    st.sampled_from(["s16le", "f32le"]),
    st.integers(1, 5),
)
def test_bytes_cut_anywhere_give_the_same_samples(sizes, pcm_format, n_channels):
    whole = np.random.default_rng(1).integers(-9999, 9999, (100, n_channels))
    data = whole.astype("<i2" if pcm_format == "s16le" else "<f4").tobytes()
    decoder = PcmDecoder(PcmFormat(pcm_format, 8000, n_channels))
    parts = []
    start = 0
    for size in [*sizes, len(data)]:
        parts.append(decoder.push(data[start : start + size]))
        start += size
    scale = 32768 if pcm_format == "s16le" else 1
    np.testing.assert_array_equal(np.concatenate(parts), whole.astype(np.float32) / scale)


@pytest.mark.parametrize(("pcm_format", "expected"), [("s16le", 12), ("f32le", 24)])
def test_a_frame_holds_every_channel(pcm_format, expected):
    assert PcmDecoder(PcmFormat(pcm_format, 8000, 6)).frame_bytes == expected


def test_a_frame_cut_off_at_the_end_is_not_delivered():
    assert PcmDecoder(PcmFormat("s16le", 8000, 2)).push(b"\x00" * 7).shape == (1, 2)
