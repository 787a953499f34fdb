"""Adam with rigorous intervals: agreement with floats, and the published counterexample to its convergence."""

import math
from fractions import Fraction

import numpy as np
import pytest

from proofs_check.exact.adam import adam_trajectory, inverse_sqrt_rate, linear_regret
from proofs_check.exact.rational import ExactInputError


@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("bias_correction", [False, True])
def test_intervals_hold_the_float_run(amsgrad, bias_correction):
    """Oracle: independent implementation in float64 (torch's and optax's rule), AdamW with projection."""
    gradients = np.random.default_rng(0).normal(size=60)
    b1, b2, eps, lam, eta = 0.9, 0.99, 1e-8, 0.1, 0.05
    path = adam_trajectory(0.5, gradients.tolist(), eta, b1, b2, eps, lam, bias_correction, amsgrad, (-0.6, 0.6))
    x, m, v, top = 0.5, 0.0, 0.0, 0.0
    for t, g in enumerate(gradients, start=1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        mean, square = (m / (1 - b1**t), v / (1 - b2**t)) if bias_correction else (m, v)
        if amsgrad:
            square = top = max(top, square)
        x = min(max(x - eta * (mean / (math.sqrt(square) + eps) + lam * x), -0.6), 0.6)
        assert float(path[t].lower) == pytest.approx(x, abs=1e-12)
        assert path[t].width < Fraction(1, 2**90)


def reddi(C, periods):
    """Gradients C, -1, -1 repeated: the losses C x, -x, -x on [-1, 1], whose best point is -1 for C > 2."""
    return [C, -1, -1] * periods


def test_adam_has_linear_regret_on_the_published_counterexample():
    """Oracle: Reddi, Kale, Kumar 2018, Theorem 1: x_(3k+1) = 1 for all k, so regret grows by at least 2C - 4 a period.

    beta1 = 0, beta2 = 1 / (1 + C**2), alpha < sqrt(1 - beta2), steps alpha / sqrt(t), no bias correction.
    """
    C, periods = 3, 60
    slopes = reddi(C, periods)
    setting = {"b1": 0, "bias_correction": False, "bounds": (-1, 1), "bits": 96}
    path = adam_trajectory(1, slopes, inverse_sqrt_rate("0.9", 96), b2=Fraction(1, 1 + C * C), **setting)
    assert all(x.is_equal(1) for x in path[::3])
    regret = linear_regret(path[:-1], slopes, -1, 1)
    assert regret.lower >= (2 * C - 4) * periods
    assert regret.width < Fraction(1, 10**20)


def test_amsgrad_repairs_it():
    """Oracle: the same paper, Theorem 4: the average regret of AMSGrad tends to 0, so it falls along the run."""
    slopes = reddi(3, 400)
    path = adam_trajectory(
        1, slopes, inverse_sqrt_rate("0.9", 64), 0, "0.1", bias_correction=False, amsgrad=True, bounds=(-1, 1), bits=64
    )
    early, late = (linear_regret(path[:n], slopes[:n], -1, 1).upper / n for n in (120, 1200))
    assert late < early / 2


def test_a_zero_gradient_moves_nothing():
    """Oracle: by hand, 0 / 0 counts as 0 while every gradient was 0."""
    assert [x.lower for x in adam_trajectory("1/3", [0, 0], 1)] == [Fraction(1, 3)] * 3
    assert len(adam_trajectory(1, [], 1)) == 1


def test_bad_input_is_named():
    """Oracle: by construction."""
    for call, words in (
        (lambda: adam_trajectory(0, [1], 1, b1=1), "adam"),
        (lambda: adam_trajectory(0, [1], 1, bounds=(1, 0)), "bounds"),
        (lambda: adam_trajectory(0, [math.nan], 1), "gradients"),
        (lambda: linear_regret([], [1], -1, 1), "points"),
    ):
        with pytest.raises(ExactInputError, match=f"^{words}"):
            call()
