"""Bring pixels of more than 8 bits to 0..255, all pictures of a set by the same rule."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from common.errors import RequestError

_BITS = (8, 10, 12, 14, 16)  # of cameras, scanners and medical devices


@dataclass(frozen=True)
class Range:
    """Smallest and largest pixel of a picture, or of several, and whether they are floats."""

    low: float
    high: float
    is_float: bool = False


@dataclass(frozen=True)
class Levels:
    """How pixels become 0..255: (pixel + offset) * factor, rounded for floats and cut off for integers.

    note: what the user should know of it, or "".
    """

    offset: float
    factor: float
    is_float: bool
    note: str = ""

    def to_uint8(self, values: np.ndarray) -> np.ndarray:
        """Map pixels of the set, of any type and shape, to uint8."""
        scaled = (values.astype(np.float64) + self.offset) * self.factor
        return (np.rint(scaled) if self.is_float else np.floor(scaled + 1e-6)).clip(0, 255).astype(np.uint8)


def find_range(values: np.ndarray) -> Range:
    """Return the Range of pixels; RequestError where some are no numbers."""
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise RequestError("Its pixels should be finite numbers, and some are not.")
    return Range(low, high, values.dtype.kind == "f")


def find_levels(ranges: Iterable[Range], source: str) -> Levels:
    """Return the Levels for pictures with these Ranges, one or more; RequestError, naming `source`, where none fit.

    Integers are scaled by the bit depth that the set uses, so that 12 bits in a file of 16 are not nearly black.
    """
    ranges = list(ranges)
    low, high = min(found.low for found in ranges), max(found.high for found in ranges)
    is_float = any(found.is_float for found in ranges)
    shown = f"{low:g}..{high:g}"
    if is_float and -1 <= low < 0 and high <= 1:
        return Levels(1, 127.5, True, f"pixels are floats in {shown}: they are read as -1..1")
    if is_float and low >= 0 and high <= 1:
        return Levels(0, 255, True, f"pixels are floats in {shown}: they are read as 0..1")
    if low < 0 or high >= (256 if is_float else 2**16):
        expected = "0..255, 0..1 or -1..1" if is_float else "0..65535"
        raise RequestError(f"{source}: pixels should be in {expected}. Got {shown} instead.")
    if is_float:
        return Levels(0, 1, True, f"pixels are floats in {shown}: they are read as 0..255")
    bits = next(bits for bits in _BITS if high < 2**bits)
    note = "" if bits == 16 else f"pixels of more than 8 bits are in {shown} over the whole set: read as {bits} bits"
    return Levels(0, 1 / ((2**bits - 1) // 255), False, note)
