"""How long an MP3 plays, by its first frame: exactly where the bit rate is constant or the encoder counted its frames.

ISO 11172-3, 13818-3 (layer III); the counted frames: the Xing header, which LAME and FFmpeg write.
"""

BITRATES = (  # kbit/s by the index in the header, MPEG-1 and MPEG-2/2.5
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
)
RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
MARKS = (b"Xing", b"Info")
COUNTS_FRAMES = 1


def is_frame(head: bytes) -> bool:
    """Whether these bytes begin a frame: eleven ones, a version that exists, layer III."""
    return len(head) >= 4 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08


def duration_ms(head: bytes, size: int) -> int | None:
    """How long a file of this size plays; None where its first bytes do not tell."""
    at = _after_tag(head)
    frame = head[at:]
    if not is_frame(frame):
        return None
    version, rate_index = frame[1] >> 3 & 3, frame[2] >> 2 & 3
    kbits = BITRATES[version != 3][frame[2] >> 4]
    if rate_index == 3 or not kbits:
        return None
    if frames := _counted(frame):
        return frames * (1152 if version == 3 else 576) * 1000 // RATES[version][rate_index]
    return max(0, size - at) * 8 // kbits


def _after_tag(head: bytes) -> int:
    """Where the sound begins: behind an ID3v2 tag, whose size is written seven bits to the byte."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _counted(frame: bytes) -> int:
    """The number of frames, where the first one is an encoder's note of it."""
    for mark in MARKS:
        at = frame.find(mark, 4, 64)
        if at > 0 and len(frame) >= at + 12 and frame[at + 7] & COUNTS_FRAMES:
            return int.from_bytes(frame[at + 8 : at + 12], "big")
    return 0
