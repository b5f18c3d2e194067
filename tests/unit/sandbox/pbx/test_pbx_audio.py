"""Recordings made out of nothing."""

import pytest

from server.sandbox.pbx.audio import FRAME_BYTES, mp3


@pytest.mark.parametrize(("seconds", "frames"), [(0, 1), (0.024, 1), (1, 42), (60, 2500)])
def test_length_is_whole_frames_of_24_ms(seconds: float, frames: int) -> None:
    """A byte offset is a time, so the length follows from the seconds."""
    assert len(mp3(seconds)) == frames * FRAME_BYTES


def test_every_frame_begins_with_the_same_header() -> None:
    """MPEG-1 layer III, 32 kbit/s, 48 kHz, mono, at every 96th byte."""
    audio = mp3(2)

    headers = {audio[at : at + 4] for at in range(0, len(audio), FRAME_BYTES)}

    assert headers == {b"\xff\xfb\x14\xc4"}


def test_second_half_of_each_second_is_silent() -> None:
    """The tone lets a listener hear where he is."""
    audio = mp3(1)

    tone, silence = audio[4:FRAME_BYTES], audio[30 * FRAME_BYTES + 4 : 31 * FRAME_BYTES]

    assert any(tone)
    assert not any(silence)
