"""Batches of non-negative least squares on the device, and their exact finish."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from modeconn.cells import ConeProgram, NnlsBatch, float_nnls, nnls_batch
from modeconn.errors import InputError


def _batch(seed: int, B: int, n: int, k: int, bound: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return small integer problems: repeated, opposite, dependent and zero columns are common."""
    rng = np.random.default_rng(seed)
    C, y = rng.integers(-bound, bound + 1, (B, n, k)), rng.integers(-3, 4, (B, n))
    return C.astype(float), y.astype(float), rng.random((B, k)) < 0.7


def _proposing(z: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    return lambda columns, target: z


@pytest.mark.parametrize(("n", "k", "bound"), [(3, 6, 1), (5, 12, 3), (10, 30, 9)])
def test_the_value_is_that_of_exact_arithmetic(n: int, k: int, bound: int) -> None:
    """Independent implementation: the exact active-set method, started from nothing; exact optimality decides."""
    C, y, allowed = _batch(n, 150, n, k, bound)
    found = nnls_batch(C, y, allowed)
    assert found.solved.all()
    assert (found.z >= 0).all()
    assert not found.z[~allowed].any()
    for b in range(len(C)):
        columns = [tuple(int(v) for v in C[b, :, j]) for j in range(k)]
        program = ConeProgram(columns, [Fraction(int(v)) for v in y[b]], lambda C, y: np.zeros(C.shape[1]))
        value = float(program.solve(np.flatnonzero(allowed[b]).tolist()).value)
        np.testing.assert_allclose(((C[b] @ found.z[b] - y[b]) ** 2).sum() / 2, value, rtol=1e-9, atol=1e-11)


def test_the_exact_finish_accepts_the_supports() -> None:
    """Certificate: the exact optimality conditions hold on nearly every proposed support, without a repair."""
    C, y, allowed = _batch(4, 400, 6, 14, 5)
    found, repairs = nnls_batch(C, y, allowed), 0
    for b in range(len(C)):
        indices = np.flatnonzero(allowed[b])
        columns = [tuple(int(v) for v in C[b, :, j]) for j in range(14)]
        program = ConeProgram(columns, [Fraction(int(v)) for v in y[b]], _proposing(found.z[b, indices]))
        program.solve(indices.tolist())
        repairs += program.repairs
    assert repairs <= 4


def test_common_columns_and_targets_are_those_of_every_problem() -> None:
    """Metamorphic: (n, k) columns and (n,) target stand for B copies; the neighbours change rounding at most."""
    C, y, allowed = _batch(1, 300, 5, 10, 4)
    common = nnls_batch(C[0], y[0], allowed)
    copies = nnls_batch(np.broadcast_to(C[0], C.shape), np.broadcast_to(y[0], y.shape), allowed)
    few = nnls_batch(C[0], y[0], allowed[7:9])
    fit = common.z @ C[0].T
    np.testing.assert_allclose(copies.z @ C[0].T, fit, atol=1e-9)
    np.testing.assert_allclose(few.z @ C[0].T, fit[7:9], atol=1e-9)


def test_the_scale_of_columns_and_targets_does_not_matter() -> None:
    """Metamorphic: z scales with the target, and against the columns; here by powers of two, which round nothing."""
    C, y, allowed = _batch(2, 60, 4, 8, 3)
    plain, scaled = nnls_batch(C, y, allowed), nnls_batch(2.0**20 * C, 2.0**-30 * y, allowed)
    np.testing.assert_allclose(scaled.z * 2.0**50, plain.z, rtol=1e-9, atol=1e-9)


def test_a_wrong_answer_would_show_in_kkt(monkeypatch: pytest.MonkeyPatch) -> None:
    """By construction: stopped after one step, problems that need more are reported as not solved, with their kkt."""
    module = importlib.import_module("modeconn.cells.nnls_batch")  # the package's name is the function
    C, y, allowed = _batch(3, 64, 5, 12, 3)
    whole = module._solve
    monkeypatch.setattr(module, "_solve", lambda *a, steps: whole(*a, steps=1))
    stopped = module.nnls_batch(C, y, allowed)
    assert not stopped.solved.all()
    assert stopped.kkt.max() > 1e-3


def test_empty_and_bad_input() -> None:
    """Closed form without columns, rows or problems; one line for what does not fit."""
    for B, n, k in ((0, 3, 2), (2, 0, 2), (2, 3, 0)):
        empty = nnls_batch(np.zeros((B, n, k)), np.zeros((B, n)), np.ones((B, k), bool))
        assert isinstance(empty, NnlsBatch)
        assert empty.z.shape == (B, k)
        assert empty.solved.all()
    zero = nnls_batch(np.ones((2, 3)), np.zeros(2), np.ones((1, 3), bool))
    assert not zero.z.any()
    assert zero.solved.all()
    with pytest.raises(InputError, match="expected columns"):
        nnls_batch(np.zeros((2, 3)), np.zeros(3), np.ones((1, 3), bool))
    with pytest.raises(InputError, match="finite"):
        nnls_batch(np.full((2, 3), np.nan), np.zeros(2), np.ones((1, 3), bool))


def test_random_supports_of_one_arrangement_agree_with_the_cpu_solver() -> None:
    """Independent implementation: SciPy on the same column sets."""
    rng = random.Random(5)
    columns = np.array([[rng.randint(0, 5) * rng.choice((-1, 1)) for _ in range(20)] for _ in range(6)], float)
    y = np.array([rng.randint(-4, 4) for _ in range(6)], float)
    allowed = np.random.default_rng(5).random((200, 20)) < 0.4
    found = nnls_batch(columns, y, allowed)
    for b in range(200):
        C = columns[:, allowed[b]]
        other = C @ float_nnls(np.ascontiguousarray(C), y)
        np.testing.assert_allclose(columns @ found.z[b], other, atol=1e-8)
