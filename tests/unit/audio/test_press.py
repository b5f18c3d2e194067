"""The press: MP3 stays as it came, other sound becomes MP3, and what is no sound is refused."""

import errno
import math
import os
import struct
import time
import wave
from pathlib import Path

import av
import pytest

from server.audio import press as press_
from server.audio.mp3 import duration_ms
from server.audio.press import LEFT_OVER_S, FilePress, format_of
from server.core.errors import AudioFull, AudioTooLarge, AudioUnavailable, NotAudio
from server.core.stores import Take
from server.sandbox.pbx.audio import mp3

SECONDS = 3


@pytest.fixture
def press(tmp_path: Path) -> FilePress:
    return FilePress(tmp_path / "incoming", most=4 << 20)


async def pressed(press: FilePress, content: bytes) -> tuple[Take, bytes]:
    """What comes out, and its bytes."""
    async with press.incoming() as incoming:
        for at in range(0, len(content), 1000):
            await incoming.write(content[at : at + 1000])
        take = await incoming.finish()
        return take, take.file.read_bytes()  # small


def pcm(path: Path, channels: int = 1, rate: int = 8000) -> bytes:
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        tone = (int(9000 * math.sin(at / rate * 2764)) for at in range(rate * SECONDS))
        file.writeframes(b"".join(struct.pack("<h", one) * channels for one in tone))
    return path.read_bytes()


def coded(path: Path, codec: str, container: str, rate: int = 8000) -> bytes:
    """A tone in another coding, as PBXs write them."""
    source = path.with_suffix(".pcm.wav")
    pcm(source, rate=rate)
    with av.open(str(source)) as read, av.open(str(path), "w", format=container) as written:
        out = written.add_stream(codec, rate=rate, layout="mono")
        resampler = av.AudioResampler(format=out.format, layout="mono", rate=rate, frame_size=out.frame_size or None)
        for frame in [*read.decode(audio=0), None]:
            for part in resampler.resample(frame):
                written.mux(out.encode(part))
        written.mux(out.encode(None))
    return path.read_bytes()


def playing_s(content: bytes, folder: Path) -> float:
    """How long it plays, by the count of its decoded samples."""
    path = folder / "out.mp3"
    path.write_bytes(content)
    with av.open(str(path), format="mp3") as read:
        return sum(frame.samples / frame.sample_rate for frame in read.decode(audio=0))


async def test_mp3_is_kept_as_it_came(press: FilePress, tmp_path: Path) -> None:
    """Byte by byte, with its length; and nothing stays behind."""
    content = mp3(SECONDS)

    take, out = await pressed(press, content)

    assert (out, take.size, take.content_type, take.duration_ms) == (
        content,
        len(content),
        "audio/mpeg",
        SECONDS * 1000,
    )
    assert list((tmp_path / "incoming").iterdir()) == []


@pytest.mark.parametrize(
    ("codec", "container", "rate"),
    [
        ("pcm_s16le", "wav", 8000),
        ("pcm_alaw", "wav", 8000),
        ("pcm_mulaw", "wav", 8000),
        ("pcm_s16le", "wav", 48_000),
        ("libopus", "ogg", 48_000),
        ("flac", "flac", 16_000),
        ("aac", "mp4", 16_000),
        ("pcm_s16be", "aiff", 8000),
        ("pcm_mulaw", "au", 8000),
    ],
)
async def test_other_sound_becomes_mp3(press: FilePress, tmp_path: Path, codec: str, container: str, rate: int) -> None:
    """Whatever a PBX writes; it plays as long as before, and needs a fraction of PCM's room."""
    content = coded(tmp_path / "in", codec, container, rate)

    take, out = await pressed(press, content)

    assert (format_of(out), take.content_type, take.size) == ("mp3", "audio/mpeg", len(out))
    assert playing_s(out, tmp_path) == pytest.approx(SECONDS, abs=0.2)
    assert take.duration_ms == pytest.approx(SECONDS * 1000, abs=200)
    assert list((tmp_path / "incoming").iterdir()) == []


async def test_both_sides_of_a_stereo_recording_stay_apart(press: FilePress, tmp_path: Path) -> None:
    """The client left, the agent right: who mixes them loses something."""
    _, out = await pressed(press, pcm(tmp_path / "in", channels=2))

    (tmp_path / "out.mp3").write_bytes(out)
    with av.open(str(tmp_path / "out.mp3"), format="mp3") as read:
        assert read.streams.audio[0].channels == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>the PBX is being serviced</html>",
        b"#EXTM3U\n#EXTINF:1,\nsecret.mp3\n",
        b"ffconcat version 1.0\nfile secret.mp3\n",
        b"RIFF\x00\x00\x00\x00WAVE",
        b"OggS" + bytes(200),
        os.urandom(64).replace(b"\xff", b"x"),
    ],
    ids=["nothing", "page", "playlist", "list of files", "half a head", "broken", "noise"],
)
async def test_what_is_no_sound_is_refused(press: FilePress, tmp_path: Path, content: bytes) -> None:
    """And opens nothing else: a playlist would have other files read."""
    with pytest.raises(NotAudio):
        await pressed(press, content)

    assert list((tmp_path / "incoming").iterdir()) == []


async def test_what_is_too_large_is_stopped(tmp_path: Path) -> None:
    """While it comes, not after."""
    press = FilePress(tmp_path / "incoming", most=1500)

    with pytest.raises(AudioTooLarge):
        await pressed(press, mp3(60))

    assert list((tmp_path / "incoming").iterdir()) == []


async def test_a_full_disk_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    """Nothing is fetched for which there is no room."""
    with pytest.raises(AudioFull):
        async with FilePress(tmp_path / "incoming", most=1, reserve=1 << 60).incoming():
            pytest.fail("there was no room")


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file stands in its place."""
    (tmp_path / "incoming").write_text("a file")

    with pytest.raises(AudioUnavailable):
        async with FilePress(tmp_path / "incoming", most=1).incoming():
            pytest.fail("there was no folder")


async def test_a_conversion_without_end_is_ended(
    press: FilePress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process is killed; the time is shortened here."""
    monkeypatch.setattr(press_, "CONVERT_S", 0.01)

    with pytest.raises(NotAudio):
        await pressed(press, pcm(tmp_path / "in"))

    assert list((tmp_path / "incoming").iterdir()) == []


async def test_what_a_killed_process_left_is_swept_up(press: FilePress, tmp_path: Path) -> None:
    """What is on its way just now is not."""
    folder = tmp_path / "incoming"
    folder.mkdir()
    for name, age_s in (("old", LEFT_OVER_S + 60), ("young", 60)):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (time.time() - age_s,) * 2)

    await press.sweep()

    assert [path.name for path in folder.iterdir()] == ["young"]


async def test_sweeping_where_nothing_ever_came_is_no_error(press: FilePress) -> None:
    """The folder is made by the first recording."""
    await press.sweep()


async def test_a_folder_that_went_away_is_an_outage(press: FilePress, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a mount: whoever tidies up asks again later. (The file system is made to fail: none can be unplugged here.)"""

    def dead(*_: object) -> None:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(Path, "glob", dead)

    with pytest.raises(AudioUnavailable):
        await press.sweep()


# -- lengths -------------------------------------------------------------------------------------------------------


def test_a_length_is_told_by_the_frames_that_an_encoder_counted() -> None:
    """A variable rate cannot be told by the size."""
    head = b"\xff\xfb\x14\xc4" + bytes(17) + b"Xing" + (1).to_bytes(4, "big") + (1000).to_bytes(4, "big")

    # 1 000 frames of 1 152 samples at 48 kHz, however large the file is.
    assert [duration_ms(head + bytes(99), size) for size in (500, 500_000)] == [24_000, 24_000]


@pytest.mark.parametrize("head", [b"", b"ID3", b"ID3audio", b"\xff\xfb", b"\xff\xfb\xf0\xc4", b"\xff\xfb\x1c\xc4"])
def test_a_length_that_is_not_told_is_not_guessed(head: bytes) -> None:
    """Too short, a rate that does not exist, a tag without a frame behind it."""
    assert duration_ms(head, 1000) is None


def test_a_tag_before_the_sound_is_no_sound() -> None:
    """Its size is left out."""
    content = mp3(2)
    tag = b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128)

    assert duration_ms(tag + content, len(tag) + len(content)) == duration_ms(content, len(content))
