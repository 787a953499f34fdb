"""Null spaces of wide matrices, revealed ranks, and the walk of a non-negative vector along one to its boundary.

The walk keeps an *orthonormal* basis of the null space of the columns that are left: after a panel of b steps the b
rows that became zero are rotated out by one block of Householder reflectors. Nothing grows, and all work but that
inside a panel is matrix products.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.linalg import blas, lapack

__all__ = ["NullSpace", "null_space", "walk_to_boundary"]

Reals = NDArray[np.float64]

_PANEL = 48
_EPS = float(np.finfo(np.float64).eps)


class NullSpace(NamedTuple):
    """An orthonormal basis of the null space of a matrix.

    Attributes:
        basis: (m, m - rank), in column-major order.
        rank: numerical rank.
    """

    basis: Reals
    rank: int


def _is_well_conditioned(R: Reals, cutoff: float) -> bool:
    """Return whether an upper triangular R has full rank by a margin (estimate of its condition number, O(k^2))."""
    return R.shape[0] == 0 or (np.abs(np.diag(R)).min() > 0 and lapack.dtrcon(R)[0] > 10 * cutoff)


def null_space(M: Float[np.ndarray, "N m"], cutoff: float | None = None) -> NullSpace:
    """Return the null space of M, its columns of about unit length.

    A plain QR factorisation where its condition number is safe, a rank-revealing one (column pivoting) otherwise.
    Cost O(N m min(N, m)).

    Args:
        M: the matrix.
        cutoff: diagonal entries of the pivoted triangular factor below ``cutoff`` times the largest count as zero;
            default max(N, m) rounding errors.
    """
    limit = max(M.shape) * _EPS if cutoff is None else cutoff
    if M.shape[1] == 0:
        return NullSpace(np.zeros((0, 0), order="F"), 0)
    if M.shape[0] > M.shape[1]:  # same null space, fewer rows
        M = np.asarray(scipy.linalg.qr(M, mode="r", check_finite=False)[0][: M.shape[1]])
    rows, m = M.shape
    reflectors, tau, _, _ = lapack.dgeqrf(np.asfortranarray(M.T), lwork=64 * max(rows, 1))
    R = np.triu(reflectors[:rows])
    rank = rows
    if not _is_well_conditioned(R, limit):
        reflectors, _, tau, _, _ = lapack.dgeqp3(np.asfortranarray(M.T), lwork=64 * (rows + 1))
        size = np.abs(np.diag(reflectors[:rows]))
        rank = int(np.count_nonzero(size > limit * size[0])) if size[0] > 0 else 0
    tail = np.zeros((m, m - rank), order="F")
    tail[rank + np.arange(m - rank), np.arange(m - rank)] = 1.0
    if m == rank:
        return NullSpace(tail, rank)
    basis, _, _ = lapack.dormqr("L", "N", reflectors, tau, tail, lwork=64 * m, overwrite_c=1)
    return NullSpace(basis, rank)


def _step(v: Reals, p: Reals, alive: NDArray[np.bool_]) -> int:
    """Move p along v or -v until an entry is zero, in place; return that entry.

    Of the two directions, the one whose entry that vanishes has the larger |v|.
    """
    hits = []
    for sign in (1.0, -1.0):
        falling = np.flatnonzero(alive & (sign * v > 0))
        if len(falling):
            length = p[falling] / (sign * v[falling])
            k = int(length.argmin())
            hits.append((abs(v[falling[k]]), int(falling[k]), sign * length[k]))
    _, j, length = max(hits)
    p -= length * v
    np.maximum(p, 0.0, out=p)
    p[j] = 0.0
    return j


def _panel_walk(P: Reals, p: Reals) -> list[int]:
    """Walk along the b columns of P (orthonormal, changed in place), one zero of p each; return where the zeros are."""
    alive = np.ones(len(p), bool)
    zeros: list[int] = []
    for i in range(P.shape[1]):
        j = _step(P[:, i], p, alive)
        alive[j] = False
        zeros.append(j)
        if i + 1 < P.shape[1]:  # rotate the rest so that row j is zero beyond column i
            x = P[j, i:].copy()
            x[0] += np.copysign(np.linalg.norm(x), x[0])
            P[:, i:] -= np.outer(P[:, i:] @ x, x * (2.0 / (x @ x)))
            P[zeros, i + 1 :] = 0.0
    return zeros


def _rotate_out(K: Reals, rows: list[int]) -> Reals:
    """Return an orthonormal basis of the vectors in the span of K that vanish in b rows: K Q, less b columns."""
    b = len(rows)
    if K.shape[1] == b:
        return K[:, :0]
    V, tau, _, _ = lapack.dgeqrf(np.asfortranarray(K[rows].T), lwork=64 * b)
    V = np.tril(V[:, :b], -1)
    V[np.arange(b), np.arange(b)] = 1.0
    # I - V T V^T with T^-1 = diag(1 / tau) + strict upper part of V^T V
    inverse = np.triu(V.T @ V, 1) + np.diag(1.0 / np.where(tau == 0, 1.0, tau))
    VT = scipy.linalg.solve_triangular(inverse, V.T, trans="T", check_finite=False)
    VT[tau == 0] = 0.0
    KV = blas.dgemm(1.0, K, VT, trans_b=1)
    return np.asarray(blas.dgemm(-1.0, KV, V[b:], beta=1.0, c=K[:, b:], trans_b=1))


def walk_to_boundary(K: Float[np.ndarray, "m k"], p: Float[np.ndarray, " m"]) -> Int[np.ndarray, " live"]:
    """Move p >= 0 (in place) inside p + span K until k more entries are zero; return where it stays positive.

    The nullspace vector of every step is scaled so that the first entry reaches zero: p stays non-negative, and
    M p changes by rounding only when M K = 0. Cost O(m k^2), in matrix products.

    Args:
        K: orthonormal columns whose span holds no non-negative vector but 0 (then every step ends).
        p: positive.

    Reference: theory W1, step (i); recombination, Litterer, Lyons (2012).
    """
    live = np.arange(len(p))
    K = np.asfortranarray(K)
    while K.shape[1]:
        P = np.array(K[:, :_PANEL], order="F")
        part = p[live]
        zeros = _panel_walk(P, part)
        p[live] = part
        K = _rotate_out(K, zeros)
        kept = part > 0
        if K.shape[1]:
            vanished = np.flatnonzero(~kept & ~np.isin(np.arange(len(part)), zeros))
            if len(vanished):  # ties: entries that reached zero together with another one
                K = _orthonormal_without(K, vanished)
        K = np.asfortranarray(K[kept])
        live = live[kept]
    return live


def _orthonormal_without(K: Reals, rows: NDArray[np.int_]) -> Reals:
    """Return an orthonormal basis of the vectors in the span of K that vanish in the rows (of any rank)."""
    inside = null_space(K[rows], cutoff=1e-12)
    return np.asfortranarray(K @ inside.basis)
