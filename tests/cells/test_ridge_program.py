"""Ridge-regularised objectives over cells, in floats."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from modeconn.cells import RegionCell, least_ridge_objective, least_square_ridge_objective, polish_ridge

BETA = 0.2


def _cell(X: np.ndarray, y: np.ndarray, signs: np.ndarray, outputs: list[int]) -> RegionCell:
    return RegionCell(X, y, signs, np.zeros(signs.shape, bool), np.array(outputs))


def test_group_soft_thresholding() -> None:
    """Oracle: closed form. With X = I and one neuron in the positive orthant, u = (1 - beta / |y|)_+ y."""
    y = np.array([3.0, 4.0])
    for beta in (0.5, 2.0):
        cell = _cell(np.eye(2), y, np.ones((1, 2), int), [1])
        u = least_ridge_objective(cell, beta)
        assert u is not None
        np.testing.assert_allclose(u[0], max(1 - beta / 5, 0) * y, atol=1e-5)
        np.testing.assert_allclose(polish_ridge(cell, beta, u)[0], max(1 - beta / 5, 0) * y, atol=1e-12)


def test_square_shrinkage() -> None:
    """Oracle: closed form. With the square of the norm u = y / (1 + beta), and the least loss where the cone binds."""
    cell = _cell(np.eye(2), np.array([3.0, -4.0]), np.ones((1, 2), int), [1])
    np.testing.assert_allclose(least_square_ridge_objective(cell, 0.5, [np.eye(2)]), [[2.0, 0.0]], atol=1e-12)


@pytest.mark.parametrize("squared", [False, True])
def test_two_neurons_against_another_solver(squared: bool) -> None:
    """Oracle: independent implementation, a general solver over ray coefficients from several starts."""
    rng = np.random.default_rng(1)
    for _ in range(4):
        rays = [rng.normal(size=(2, 2)) for _ in range(2)]
        # rows of X: the sides of both cones, so that cone j is where its two rows have sign +1
        X = np.concatenate([np.linalg.inv(R).T for R in rays])
        X /= np.linalg.norm(X, axis=1, keepdims=True)
        inner = [R.sum(0) for R in rays]
        signs = np.array([np.sign(X @ u) for u in inner]).astype(int)
        y = rng.normal(size=4)
        cell = _cell(X, y, signs, [1, -1])
        spans = [_spanning(X, s) for s in signs]

        def objective(u: np.ndarray, cell: RegionCell = cell) -> float:
            sizes = np.linalg.norm(u, axis=1)
            penalty = (sizes**2).sum() / 2 if squared else sizes.sum()
            return float(((cell.map() @ u.ravel() - cell.y) ** 2).sum() / 2 + BETA * penalty)

        def of_coefficients(z: np.ndarray, spans: list[np.ndarray] = spans) -> float:
            return objective(np.array([z[:2] @ spans[0], z[2:] @ spans[1]]))

        starts = [np.full(4, v) for v in (0.01, 0.3, 1.0)]
        best = min(minimize(of_coefficients, z, bounds=[(0, None)] * 4, method="L-BFGS-B").fun for z in starts)
        u = least_square_ridge_objective(cell, BETA, spans) if squared else least_ridge_objective(cell, BETA)
        assert u is not None
        assert objective(u) == pytest.approx(best, abs=1e-6)
        assert (signs * (u @ X.T) >= -1e-8).all()


def _spanning(X: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Return the two unit rays of a plane cone {signs * (X u) >= 0}."""
    lines = np.stack([-X[:, 1], X[:, 0]], axis=1)
    both = np.concatenate([lines, -lines])
    inside = (signs * (both @ X.T) >= -1e-12).all(1)
    return both[inside]
