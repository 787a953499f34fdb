"""The least radius of Muon's ball: closed forms, another formulation of the same program, certificates, invariances."""

from __future__ import annotations

import copy
import sys
from fractions import Fraction

import numpy as np
import pytest

from modeconn.capacity import least_radius, loose_bound, type_system, unattainable_dual
from modeconn.capacity.dual import dual_certificate
from modeconn.cells import RegionBall, RegionCell, least_gauge
from modeconn.errors import InputError
from proofs_check.checker import check_certificate

DEGENERATE = {
    "zero row": ([[1, 2], [0, 0], [-1, 1]], [1, 2, 1]),
    "equal rows": ([[1, 2], [1, 2], [-1, 1]], [1, 3, 1]),
    "parallel rows": ([[1, 2], [2, 4], [-3, -6], [0, 1]], [1, 3, 1, -1]),
    "rank one": ([[1, 2, 0], [-2, -4, 0], [3, 6, 0]], [1, 1, 1]),
    "one point": ([[3, -1]], [-2]),
    "bias": ([[0, 1], [1, 1], [2, 1], [3, 1]], [0, 1, -1, 2]),
}


def problem(seed, n, d):
    """Integer rows in general position mostly, integer targets."""
    rng = np.random.default_rng(seed)
    return rng.integers(-3, 4, (n, d)), rng.integers(-2, 3, n)


def fitted(seed, n, d):
    """The first such problem from a seed whose targets are interpolated."""
    rng = np.random.default_rng(seed)
    while True:
        X, y = rng.integers(-3, 4, (n, d)), rng.integers(-2, 3, n)
        if y.any() and type_system(X, y).least_loss == 0:
            return X, y


def zero_loss(system):
    return system.loss((Fraction(0),) * system.n)


def accepted(capacity):
    lower = check_certificate(capacity.lower_certificate(), capacity.dual.system.to_json())
    upper = check_certificate(*capacity.upper_certificate())
    assert lower.accepted, lower.reason
    assert upper.accepted, upper.reason
    return capacity


@pytest.mark.parametrize(
    ("X", "y", "square"),
    [
        ([[1]], [1], 1),
        ([[4]], [-3], 3 / 4),
        ([[1], [-1]], [1, 1], 2),
        ([[1], [-1]], [2, -3], 5),
        ([[3, 4]], [10], 2),
        ([[1, 0], ["-0.5", "0.866025403784"], ["-0.5", "-0.866025403784"]], [1, "1.1", "1.3"], 3.4 / 2**0.5),
    ],
)
def test_closed_forms(X, y, square):
    """Closed form: a neuron along x needs |y| / |x|; two sides of a line add up; three unit rows at 120 degrees have
    sum(y) / sqrt 2."""
    found = accepted(least_radius(type_system(X, y)))
    assert float(found.square_lower) == pytest.approx(square, rel=1e-8)
    assert float(found.square_upper) == pytest.approx(square, rel=1e-8)


@pytest.mark.parametrize(("seed", "n", "d"), [(0, 3, 2), (1, 4, 2), (2, 5, 2), (3, 4, 3)])
def test_the_same_program_written_as_one_large_semidefinite_block(seed, n, d):
    """Independent implementation: the gauge program of narrow nets, with one neuron of every type."""
    system = type_system(*fitted(seed, n, d))
    found = least_radius(system)
    signs = np.array([kind.signs for kind in system.types])
    outputs = np.array([kind.s for kind in system.types])
    cell = RegionCell(system.inputs, system.targets, signs, np.zeros(signs.shape, bool), outputs)
    other = least_gauge(cell, RegionBall("spectral", 1.0, "spectral"), 0.0, system.targets)
    assert other.value == pytest.approx(found.upper**2, rel=1e-6)


@pytest.mark.parametrize("share", [Fraction(0), Fraction(1, 3)])
@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_data_at_the_least_loss_and_above(name, share):
    """Certificate: both ends are accepted and meet, also where no net interpolates."""
    system = type_system(*DEGENERATE[name])
    level = system.least_loss + share * (zero_loss(system) - system.least_loss)
    found = accepted(least_radius(system, level))
    assert found.gap < 1e-6
    assert found.net.loss <= level
    assert found.net.width <= system.reduced_width


@pytest.mark.parametrize("seed", range(8))
def test_random_data_are_enclosed_within_a_millionth(seed):
    """Certificate: both ends accepted; the mu = 0 form is accepted as well and never above."""
    system = type_system(*problem(seed, 5, 2 + seed % 2))
    level = system.least_loss
    found = accepted(least_radius(system, level))
    assert 0 <= found.gap < 1e-6
    loose = loose_bound(system, level)
    assert loose.product_bound(level) <= found.square_upper
    assert not any(v for row in loose.mu for v in row)
    if loose.product_bound(level) > 0:
        assert check_certificate(dual_certificate(loose, level, None), system.to_json()).accepted


def test_without_mu_the_bound_is_loose():
    """Theory: a valid bound, well below; here by a third."""
    system = type_system([[1, 0], [2, 1], [1, 1], [-2, 1]], [1, 0, -1, -2])
    assert loose_bound(system).product_bound() < least_radius(system).square_lower * Fraction(2, 3)


def test_tampered_certificates_are_rejected():
    """Sabotage: a bound or a radius changed by 1e-6, a multiplier below zero, another target, a type left out."""
    system = type_system(*fitted(3, 5, 2))
    found = accepted(least_radius(system))
    data = system.to_json()
    lower = found.lower_certificate()

    def rejected(change, problem=data):
        wrong = copy.deepcopy(lower)
        change(wrong)
        return not check_certificate(wrong, problem).accepted

    def more(certificate):
        statement = certificate["statement"]
        statement["radius_product_lower"] = str(
            Fraction(statement["radius_product_lower"]) * Fraction(1000001, 1000000)
        )

    def negative(certificate):
        kinds = certificate["evidence"]["types"]
        kind = next(kind for kind in kinds if any(Fraction(v) for v in kind["mu"]))
        kind["mu"] = [str(-Fraction(v)) for v in kind["mu"]]

    assert rejected(more)
    assert rejected(negative)
    assert rejected(lambda certificate: certificate["evidence"]["types"].pop())
    assert rejected(lambda certificate: None, {**data, "y": ["0"] * system.n})
    certificate, setting = found.upper_certificate()
    radius = Fraction(setting["region"]["radius"])
    setting["region"]["radius"] = str(radius * Fraction(999999, 1000000))
    assert not check_certificate(certificate, setting).accepted


def test_scaling_inputs_and_targets():
    """Conserved quantity: B_M*^2 is proportional to y and inversely proportional to X."""
    X, y = fitted(1, 4, 2)
    one = least_radius(type_system(X, y)).upper ** 2
    assert least_radius(type_system(1000 * X, y)).upper ** 2 == pytest.approx(one / 1000, rel=1e-7)
    assert least_radius(type_system(X, 1000 * y)).upper ** 2 == pytest.approx(one * 1000, rel=1e-7)


def test_adding_types_as_needed_gives_the_same(monkeypatch):
    """Independent implementation: all types at once."""
    system = type_system(*fitted(4, 7, 3))
    everything = least_radius(system)
    monkeypatch.setattr(sys.modules["modeconn.capacity.least_radius"], "START", 12)
    few = accepted(least_radius(system))
    assert few.lower == pytest.approx(everything.lower, rel=1e-7)
    assert few.gap < 1e-6


def test_a_level_that_no_net_reaches_has_its_own_certificate():
    """Certificate: for equal inputs with different targets, any radius is excluded below the least loss."""
    system = type_system([[1], [1]], [0, 2])
    assert system.least_loss == 1
    dual = unattainable_dual(system, Fraction(1, 2), Fraction(10**6))
    certificate = dual_certificate(dual, Fraction(1, 2), None)
    assert Fraction(certificate["statement"]["radius_product_lower"]) > 10**6
    assert check_certificate(certificate, system.to_json()).accepted


@pytest.mark.parametrize(
    ("X", "y", "level", "words"),
    [
        ([[1], [1]], [0, 2], 0, "least loss of any width"),
        ([[1], [-1]], [1, 1], 1, "zero net"),
        ([[1, 2], [3]], [1, 1], 0, "row lengths"),
        ([[1]], [float("nan")], 0, "finite rational"),
        (np.random.default_rng(0).integers(-50, 50, (40, 4)), np.ones(40, int), 0, "neuron types"),
    ],
)
def test_bad_input(X, y, level, words):
    """By construction: one line that says what was expected."""
    with pytest.raises(InputError, match=words):
        least_radius(type_system(X, y), Fraction(level))
