"""Whether a lossless JPEG is complete: whether it holds as many bits as its image needs.

The decoder reports no error when its data end early. The number of bits follows from the decoded image itself: the
difference of each sample from its prediction has a code of known length (ITU T.81 annex H).
"""

import numpy as np

from cxrmodel.imaging.dicom.pixel_data.codestreams import segments

_HUFFMAN, _RESTART, _SCAN = 0xC4, 0xDD, 0xDA
# Rows processed at a time, so that they stay in the processor's cache.
_ROWS = 128


def has_all_bits(codestream: bytes, samples: np.ndarray, bits: int) -> bool:
    """Compare the bits that an image needs with those that its codestream holds.

    Parameters
    ----------
    codestream : bytes
        A lossless JPEG of one or three components and one scan, without comments and with a valid header.
    samples : ndarray of uint8 or uint16, shape (H, W) or (H, W, 3)
        As decoded.
    bits : int
        Precision of the samples.

    Returns
    -------
    bool
        Also True where this is unknown: with restarts, or with a point transform.
    """
    tables: dict[int, np.ndarray] = {}
    for marker, body, _, end in segments(codestream, 2):
        if marker == _RESTART and any(body):
            return True
        if marker == _HUFFMAN:
            tables |= _code_lengths(body)
        if marker == _SCAN:
            scan, coded = body, codestream[end:-2]
            break
    predictor, shift = scan[-3], scan[-1] & 0x0F
    if shift:
        return True
    components = [samples] if samples.ndim == 2 else [samples[..., number] for number in range(samples.shape[2])]
    needed = sum(
        _bits_of(component, predictor, bits, tables[scan[2 + 2 * number] >> 4])
        for number, component in enumerate(components)
    )
    return needed <= 8 * (len(coded) - coded.count(b"\xff\x00"))


def _bits_of(samples: np.ndarray, predictor: int, bits: int, lengths: np.ndarray) -> float:
    """Bits of the codes of one component, by the length of the code of each category."""
    counts = np.zeros(2**16, np.int64)
    for start in range(0, len(samples), _ROWS):
        rows = samples[max(0, start - 1) : start + _ROWS].astype(np.int32)
        difference = (rows - _prediction(rows, predictor, bits)).astype(np.uint16)
        counts += np.bincount(difference[1 if start else 0 :].ravel(), minlength=2**16)
    # A difference is coded modulo 2**16 by its category, the number of its bits, and by as many further bits.
    signed = np.arange(2**16, dtype=np.uint16).view(np.int16).astype(np.float64)
    category = np.frexp(np.abs(signed))[1]
    return float(counts @ (lengths + np.array([*range(16), 0]))[category])


def _code_lengths(body: bytes) -> dict[int, np.ndarray]:
    """Code lengths of categories 0..16, by the number of the Huffman table."""
    tables = {}
    while body:
        counts = np.frombuffer(body, np.uint8, 16, 1)
        symbols = np.frombuffer(body, np.uint8, int(counts.sum()), 17)
        # A category without a code cannot occur.
        lengths = np.full(17, 2**31, np.int64)
        known = symbols <= 16
        lengths[symbols[known]] = np.repeat(np.arange(1, 17), counts)[known]
        tables[body[0] & 0x0F] = lengths
        body = body[17 + len(symbols) :]
    return tables


def _prediction(x: np.ndarray, predictor: int, bits: int) -> np.ndarray:
    """Prediction of every sample from its neighbours left, above, and above to the left (table H.1)."""
    guess = np.empty_like(x)
    guess[0, 0] = 2 ** (bits - 1)
    guess[0, 1:], guess[1:, 0] = x[0, :-1], x[:-1, 0]
    left, above, corner = x[1:, :-1], x[:-1, 1:], x[:-1, :-1]
    guess[1:, 1:] = (
        left,
        above,
        corner,
        left + above - corner,
        left + ((above - corner) >> 1),
        above + ((left - corner) >> 1),
        (left + above) >> 1,
    )[predictor - 1]
    return guess
