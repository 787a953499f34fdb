"""Teachers, laws of the inputs, labelled data."""

import jax
import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.nets import INPUT_LAWS, orthogonal_teacher, predict, random_teacher, sample_inputs, teacher_data

KEY = jax.random.key(3)


def arc_cosine(u: np.ndarray, v: np.ndarray, d: int) -> float:
    """Return E relu(u.x) relu(v.x) for x uniform on the unit sphere: theory section 5."""
    nu, nv = np.linalg.norm(u), np.linalg.norm(v)
    a = np.arccos(np.clip(u @ v / (nu * nv), -1, 1))
    return nu * nv * (np.sin(a) + (np.pi - a) * np.cos(a)) / (2 * np.pi * d)


@pytest.mark.parametrize("law", sorted(INPUT_LAWS))
def test_second_moments_of_relus(law: str) -> None:
    """Oracle: closed form (arc-cosine kernel); the sample mean is within 5 standard errors. Gaussian: times d."""
    d, n = 3, 20_000
    X = np.asarray(sample_inputs(KEY, n, d, law))
    if law == "sphere":
        np.testing.assert_allclose(np.linalg.norm(X, axis=1), 1.0, rtol=1e-14)
    for u, v in (([1.0, 0, 0], [1.0, 0, 0]), ([1.0, 0, 0], [0, 2.0, 0]), ([1.0, 1, 0], [-1.0, 0, 3])):
        products = np.maximum(X @ u, 0) * np.maximum(X @ v, 0)
        expected = arc_cosine(np.array(u), np.array(v), d) * (d if law == "gaussian" else 1)
        assert abs(products.mean() - expected) <= 5 * products.std() / np.sqrt(n)


@pytest.mark.parametrize("law", sorted(INPUT_LAWS))
def test_first_rows_do_not_depend_on_n_or_noise(law: str) -> None:
    """Oracle: the shorter draw, bit for bit; targets up to the rounding of the matrix product."""
    teacher = random_teacher(KEY, 3, 4, 2)
    X, Y = teacher_data(KEY, teacher, 9, inputs=law, noise=0.1)
    X_short, Y_short = teacher_data(KEY, teacher, 5, inputs=law, noise=0.1)
    assert np.array_equal(X[:5], X_short)
    np.testing.assert_allclose(Y[:5], Y_short, rtol=1e-14, atol=1e-15)
    assert np.array_equal(X, teacher_data(KEY, teacher, 9, inputs=law)[0])


def test_targets_are_the_teacher_plus_noise() -> None:
    """Oracle: by construction; the residual has the asked standard deviation within 5 standard errors."""
    teacher = random_teacher(KEY, 3, 4, 2, bias=True)
    X, Y = teacher_data(KEY, teacher, 4000)
    np.testing.assert_allclose(Y, predict(teacher, X), rtol=1e-14)
    X, Y = teacher_data(KEY, teacher, 4000, noise=0.5)
    residual = np.asarray(Y - predict(teacher, X))
    assert residual.shape == (4000, 2)
    assert abs(residual.std() - 0.5) <= 5 * 0.5 / np.sqrt(2 * residual.size)
    assert abs(np.corrcoef(residual.T)[0, 1]) <= 5 / np.sqrt(4000)
    assert abs(np.corrcoef(residual[:, 0], X[:, 0])[0, 1]) <= 5 / np.sqrt(4000)


def test_orthogonal_teacher_sums_positive_coordinates() -> None:
    """Oracle: closed form, sum_{j <= M} max(x_j, 0)."""
    teacher = orthogonal_teacher(4, 2)
    X = np.random.default_rng(0).normal(size=(7, 4))
    np.testing.assert_allclose(predict(teacher, X).ravel(), np.maximum(X[:, :2], 0).sum(1), rtol=1e-14)
    assert teacher.A is None


def test_random_teachers_have_unit_neurons() -> None:
    """Oracle: by construction."""
    teacher = random_teacher(KEY, 3, 4, 2, bias=True)
    np.testing.assert_allclose(np.linalg.norm(teacher.W, axis=0), 1.0, rtol=1e-14)
    np.testing.assert_allclose(np.linalg.norm(teacher.A, axis=0), 1.0, rtol=1e-14)
    assert teacher.b.shape == (4,)
    assert (np.abs(teacher.b) <= 1).all()
    assert random_teacher(KEY, 3, 4, fixed_output=True).A is None


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: orthogonal_teacher(2, 3), "M <= d"),
        (lambda: orthogonal_teacher(2, 0), "M <= d"),
        (lambda: sample_inputs(KEY, 3, 2, "sfere"), "did you mean 'sphere'"),
        (lambda: sample_inputs(KEY, 0, 2), "n >= 1"),
        (lambda: teacher_data(KEY, orthogonal_teacher(2, 1), 3, noise=-1.0), "noise"),
        (lambda: teacher_data(KEY, orthogonal_teacher(2, 1), 3, noise=float("nan")), "noise"),
    ],
)
def test_bad_arguments(call, says: str) -> None:
    """Oracle: by construction; each call has one fault."""
    with pytest.raises(InputError, match=says):
        call()
