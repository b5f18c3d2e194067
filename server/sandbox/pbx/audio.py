"""Recordings out of nothing: a valid MP3 stream of any length, so that a player can play it and seek in it.

MPEG-1 layer III, 48 kHz mono at a constant 32 kbit/s: one frame is exactly 96 bytes and 24 ms, so a byte offset is a
time (ISO 11172-3, 2.4.1). A half-second tone at each full second lets a listener hear where he is.
"""

from functools import cache
from typing import Final

FRAME_MS: Final = 24  # 1152 samples at 48 kHz
FRAME_BYTES: Final = 96  # 144 · 32 000 / 48 000
_HEADER: Final = bytes((0xFF, 0xFB, 0x14, 0xC4))  # layer III, no CRC; 32 kbit/s, 48 kHz; mono, original
_SIDE_INFO_BITS: Final = 136  # 17 bytes in mono
_GRANULE_SIDE_BITS: Final = 59
_LINE: Final = 10  # the one spectral line that sounds: (10 + ½) · 41.7 Hz = 437.5 Hz
_GAIN: Final = 192  # global_gain; quieter than full scale by a few dB


def mp3(seconds: float) -> bytes:
    """An MP3 file at least one frame long, rounded up to whole frames."""
    frames = max(1, -(-round(seconds * 1000) // FRAME_MS))
    return b"".join(_frame(number) for number in range(frames))


def _frame(number: int) -> bytes:
    if (number * FRAME_MS) % 1000 >= 500:
        return _built("")
    # The line's MDCT coefficient turns by (line + ½)·π per granule, so a steady tone has the signs + − − +.
    return _built("01" if number % 2 == 0 else "10")


@cache
def _built(signs: str) -> bytes:
    """One frame: silence, or a tone whose two granules have these sign bits."""
    granules = ["1" * (_LINE // 2) + "01" + sign for sign in signs]  # Huffman table 1: pairs (0,0) and (1,0)
    side = "0" * 9 + "0" * 5 + "0" * 4  # main_data_begin, private bits, scfsi
    for bits in granules or ["", ""]:
        side += _granule_side(len(bits))
    data = (side + "".join(granules)).ljust((FRAME_BYTES - len(_HEADER)) * 8, "0")
    return _HEADER + int(data, 2).to_bytes(FRAME_BYTES - len(_HEADER), "big")


def _granule_side(data_bits: int) -> str:
    pairs = (_LINE // 2 + 1) if data_bits else 0
    gain = _GAIN if data_bits else 0
    table = 1 if data_bits else 0
    part = f"{data_bits:012b}{pairs:09b}{gain:08b}{0:04b}"  # part2_3_length, big_values, global_gain, scalefac_compress
    part += "0" + f"{table:05b}" * 3 + f"{0:04b}{0:03b}"  # no window switching; tables, region sizes
    return part + "000"  # preflag, scalefac_scale, count1table_select
