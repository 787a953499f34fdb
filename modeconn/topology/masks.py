"""Sets of generator columns as bit masks, and a store of solved programs that answers others unsolved."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from jaxtyping import Bool, UInt64

__all__ = ["FitStore", "is_subset", "mask_words"]

_WORD = (1 << 64) - 1


def mask_words(masks: Sequence[int], words: int) -> UInt64[np.ndarray, "N W"]:
    """Return integer bit masks as rows of ``words`` 64-bit words."""
    rows = [[mask >> (64 * k) & _WORD for k in range(words)] for mask in masks]
    return np.array(rows, dtype=np.uint64).reshape(len(masks), words)


def is_subset(inner: UInt64[np.ndarray, "*N W"], outer: UInt64[np.ndarray, "*M W"]) -> Bool[np.ndarray, "*K"]:
    """Return row by row whether ``inner`` is a subset of ``outer`` (broadcasting)."""
    excess = inner & ~outer
    return excess[..., 0] == 0 if excess.shape[-1] == 1 else ~excess.any(-1)


class FitStore:
    """Solved programs: (support, allowed, value), where ``allowed`` holds every column c with nu . c <= 0.

    Monotonicity does the work: the value is an upper bound for every column set S that contains the support, a lower
    bound for every S inside ``allowed``, and exact when both hold.
    """

    def __init__(self, words: int) -> None:
        self.words = words
        self.values: list[Fraction] = []
        self._support = np.zeros((64, words), np.uint64)
        self._allowed = np.zeros((64, words), np.uint64)
        self._floats = np.zeros(64)

    def __len__(self) -> int:
        return len(self.values)

    def add(self, support: int, allowed: int, value: Fraction) -> None:
        """Remember one solved program."""
        size = len(self.values)
        if size == len(self._floats):
            self._support, self._allowed = _doubled(self._support), _doubled(self._allowed)
            self._floats = _doubled(self._floats)
        self._support[size] = mask_words([support], self.words)[0]
        self._allowed[size] = mask_words([allowed], self.words)[0]
        self._floats[size] = float(value)
        self.values.append(value)

    def entry(self, k: int) -> tuple[UInt64[np.ndarray, W], UInt64[np.ndarray, W], Fraction]:
        """Return (support, allowed, value) of the k-th program."""
        return self._support[k], self._allowed[k], self.values[k]

    def decide(self, mask: int, level: Fraction) -> bool | None:
        """Return whether the least value over ``mask`` is at most ``level``, ``None`` if the store cannot tell."""
        size = len(self.values)
        word = mask_words([mask], self.words)[0]
        floats, limit = self._floats[:size], float(level)  # rounding is monotone: only equal floats need a second look
        above = is_subset(word, self._allowed[:size]) & (floats >= limit)
        for k in np.flatnonzero(above).tolist():
            if floats[k] > limit or self.values[k] > level:
                return False
        below = is_subset(self._support[:size], word) & (floats <= limit)
        for k in np.flatnonzero(below).tolist():
            if floats[k] < limit or self.values[k] <= level:
                return True
        return None

    def lower(self, mask: int) -> tuple[Fraction, bool, int | None]:
        """Return the best lower bound for ``mask``, whether it is exact, and the index of the program behind it."""
        size = len(self.values)
        word = mask_words([mask], self.words)[0]
        inside = np.flatnonzero(is_subset(word, self._allowed[:size]))
        if not inside.size:
            return Fraction(0), False, None
        floats = self._floats[inside]
        ties = inside[floats == floats.max()].tolist()
        best = max(self.values[k] for k in ties)
        ties = [k for k in ties if self.values[k] == best]
        exact = bool(is_subset(self._support[ties], word).any())
        return best, exact, ties[0]


def _doubled(array: np.ndarray) -> np.ndarray:
    """Return an array of twice the length, zeros behind."""
    return np.concatenate([array, np.zeros_like(array)])
