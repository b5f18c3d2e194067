"""Makes an MP3 of an audio file: a program of its own (`convert.py READER SOURCE TARGET`), started by the press.

Whatever a strange file does to FFmpeg's libraries, it does it to this process; and loading them stops nobody else.
Exit 2: the source is no sound; 3: the disk is full. It imports nothing of the house, so that it starts quickly.
"""

import errno
import itertools
import sys

NOT_AUDIO, FULL = 2, 3

RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""The sampling rates that MP3 knows."""

BITS_PER_CHANNEL = 32_000
"""Telephone speech has four kilohertz; more bits carry nothing more."""


def convert(reader: str, source: str, target: str) -> int:
    """Convert; returns the exit code."""
    import av  # the press imports this room for its exit codes, and must not load the libraries

    try:
        with av.open(source, format=reader) as read, av.open(target, "w", format="mp3") as written:
            track = next(iter(read.streams.audio), None)
            if track is None:
                return NOT_AUDIO
            rate = track.rate if track.rate in RATES else 16_000
            layout = "mono" if track.channels == 1 else "stereo"
            out = written.add_stream("libmp3lame", rate=rate, layout=layout)
            out.bit_rate = BITS_PER_CHANNEL * (1 if layout == "mono" else 2)
            even = av.AudioResampler(format="s16p", layout=layout, rate=rate)
            for frame in itertools.chain(read.decode(track), (None,)):
                for part in even.resample(frame):
                    written.mux(out.encode(part))
            written.mux(out.encode(None))
    except av.FFmpegError as exc:
        return FULL if exc.errno in (errno.ENOSPC, errno.EDQUOT) else NOT_AUDIO
    return 0


if __name__ == "__main__":
    sys.exit(convert(*sys.argv[1:4]))
