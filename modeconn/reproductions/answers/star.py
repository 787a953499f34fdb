"""Known answers about star-shaped and geodesic connectivity: criteria, limits of the ratio, the pathological pair."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import jax.numpy as jnp
import numpy as np

from modeconn.population.relu_kernel import relu_correlation
from modeconn.precision import float64
from modeconn.reproductions.answers.answer import Answer, Found, certified, exact, interval, numerical, sampled
from modeconn.star import (
    Minima,
    antipodal_centre,
    are_linearly_connected,
    four_piece_path,
    geodesic_ratio_bounds,
    is_two_piece_connected,
    least_peak_any_centre,
    linear_path,
    path_certificate,
    path_problem,
    pathological_pair,
    sample_linear_minimum,
    sample_minima,
    spider_limit,
    two_leg_loss,
    two_piece_limit,
    two_piece_path,
)

__all__ = ["star_answers"]

WIDTH, PAIRS = 16384, 64
"""Size of the samples that are compared with limits; their distance from the limit, O(1/m), is far below 1/sqrt(m)."""

PEAK_AGREEMENT = 1e-11


def star_answers(seed: int) -> Iterator[Answer]:
    """Yield the answers of section 5."""
    yield _kernel()
    yield from _criteria()
    yield from _limits(seed)
    yield from _pathological()
    yield _linear_nets(seed)


def _kernel() -> Answer:
    """Return the correlation of two neurons at 60 degrees, d = 3."""
    u, v = np.array([[1.0], [0.0], [0.0]]), np.array([[0.5], [math.sqrt(0.75)], [0.0]])
    with float64():
        found = float(relu_correlation(jnp.asarray(u), jnp.asarray(v))[0, 0])
    known = (math.sqrt(3) / 2 + math.pi / 3) / (6 * math.pi)
    what = "E relu(u.x) relu(v.x), unit vectors at 60°, sphere of R³"
    return Answer("G1 kernel", "G1", what, known, "(√3/2 + π/3) / 6π", numerical(found))


def _unit(labels: Sequence[int]) -> Minima:
    array = np.array(labels)
    return Minima(array, np.where(array > 0, 1.0, 0.0))


def _pieces(corners: Sequence[Minima] | None, pieces: int) -> Found:
    """Return the number of pieces of a path of minima, certified; 0 if there is none."""
    if corners is None:
        return exact(0)
    first, last = corners[0], corners[-1]
    return certified(pieces, "pieces", path_certificate(corners, 2), path_problem(first, last, 2))


def _criteria() -> Iterator[Answer]:
    """Yield what the criteria say of small examples, one neuron of length 1 a teacher, M = 2."""
    base, shifted, swapped = _unit([1, 2, 0]), _unit([1, 0, 2]), _unit([2, 1, 0])
    joined = are_linearly_connected(base.labels, shifted.labels).item()
    found = _pieces([base, shifted] if joined else None, 1)
    yield Answer("G2 joined", "G2", "segments of minima from (1,2,0) to (1,0,2)", 1, "1", found)
    crossed = exact(int(are_linearly_connected(base.labels, swapped.labels).item()))
    yield Answer("G2 apart", "G2", "segments of minima from (1,2,0) to (2,1,0)", 0, "none", crossed)
    narrow = exact(int(is_two_piece_connected(base.labels, swapped.labels, 2).item()))
    yield Answer("G3 apart", "G3", "two pieces from (1,2,0) to (2,1,0)", 0, "none", narrow)
    wide = _pieces(two_piece_path(_unit([1, 2, 0, 0]), _unit([2, 1, 0, 0])), 2)
    yield Answer("G3 joined", "G3", "pieces from (1,2,0,0) to (2,1,0,0)", 2, "2", wide)
    four = _pieces(four_piece_path(base, swapped), 4)
    yield Answer("G4 four", "G4", "pieces from (1,2,0) to (2,1,0), m = 2M - 1", 4, "at most 4", four, "<=")


def _limits(seed: int) -> Iterator[Answer]:
    """Yield the limits of both bounds on the geodesic ratio: closed form, and the mean over a sample."""
    M, r = 2, 0.3
    q_c, q_s, q_z = (1 - r) ** 2 * (M - 1) / M, (1 - r) ** 2 / M, 2 * r * (1 - r)
    known = math.sqrt((6 * q_c + 2 * q_s + 2 * q_z) / (4 * q_c + 2 * q_s + 2 * q_z))
    sparse, full = _ratios(seed, r), _ratios(seed + 1, 0.0)
    where = f"M = {M}, r = {r}"
    closed = numerical(spider_limit(M, r, 2.0))
    yield Answer("G7 limit", "G7", f"limit of the lower bound, {where}", known, f"{known:.6f}", closed)
    mean = sampled(sparse[0])
    yield Answer("G7 sample", "G7", f"mean lower bound, {where}, m = {WIDTH}", known, f"{known:.6f}", mean)
    lower = numerical(spider_limit(M, r, 2.0))
    note = "published: the ratio tends to 1"
    yield Answer(
        "G7 published",
        "G7",
        f"limit of the ratio as published; found: lower bound, {where}",
        1.0,
        "1",
        lower,
        note=note,
    )
    least = interval(sparse[0].min(), sparse[0].min(), 0.0)
    yield Answer("G7 least", "G7", f"least of {PAIRS} certified lower bounds, {where}", 1.0, "above 1", least, ">")
    for name, zero, ratios in ((f"r = {r}", r, sparse), ("r = 0", 0.0, full)):
        limit = two_piece_limit(M, zero, 2.0)
        mean = sampled(ratios[1])
        what = f"mean two-piece upper bound, M = 2, {name}, m = {WIDTH}"
        yield Answer(f"G6 sample, {name}", "G6", what, limit, f"{limit:.4f}", mean)
    closed = numerical(two_piece_limit(M, 0.0, 2.0))
    yield Answer("G6 limit", "G6", "limit of the two-piece upper bound, M = 2", math.sqrt(7 / 3), "√(7/3)", closed)
    bound = math.sqrt(2 * (M + 1))
    note = "the theory says about √(2(M + 1)); the limit is √((2M² - 1)/(2M - 1))"
    yield Answer(
        "G6 bound", "G6", "the same, against the published bound", bound, "at most √(2(M + 1))", closed, "<=", note
    )


def _ratios(seed: int, zero_probability: float) -> tuple[np.ndarray, np.ndarray]:
    """Return certified lower and upper bounds on the ratio of pairs of wide minima, two teachers."""
    drawn = sample_minima(seed, 2 * PAIRS, WIDTH, 2, labels="iid", zero_probability=zero_probability)
    first, second = (Minima(drawn.labels[k::2], drawn.magnitudes[k::2]) for k in (0, 1))
    return geodesic_ratio_bounds(first, second)


def _pathological() -> Iterator[Answer]:
    """Yield the constants of the pair that two pieces do not join, in units of E x^2."""
    theta, minus = pathological_pair()
    Q = np.array([[1]], object)
    best = two_leg_loss(theta, antipodal_centre(theta, Q), Q)
    none = exact(int(linear_path(theta, minus, Q, pieces=2) is not None))
    yield Answer("G9 two pieces", "G9", "two pieces of minima from θ to -θ", 0, "none", none)
    integral, note = Fraction(4, 15), "of the best centre; no centre is better (claim G9)"
    yield Answer("G9 integral", "G9", "integral, centre a minimum", integral, "4/15", exact(best.integral), note=note)
    peak = interval(best.peak.lower, best.peak.upper, PEAK_AGREEMENT)
    yield Answer("G9 peak", "G9", "largest loss, centre a minimum", Fraction(1, 4), "1/4", peak, note=note)
    other = exact(two_leg_loss(theta, antipodal_centre(theta, Q, Fraction(1, 2)), Q).integral)
    yield Answer("G9 any integral", "G9", "integral, any centre", Fraction(1, 6), "1/6", other, note=note)
    low, high = least_peak_any_centre()
    free = interval(low, high, PEAK_AGREEMENT)
    known = 3 - 2 * Fraction(math.isqrt(2 * 10**80), 10**40)  # in floats the difference loses digits
    yield Answer("G9 any peak", "G9", "largest loss, any centre", known, "3 - 2√2", free)


def _linear_nets(seed: int) -> Answer:
    """Return the number of pieces between two random minima of depth 2 at width 2L, built exactly."""
    rng, Q = np.random.default_rng(seed), np.array([[2]], object)
    start, end = (sample_linear_minimum(rng, Q, (4,)) for _ in range(2))
    path = linear_path(start, end, Q, pieces=2)
    found = exact(2 if path is not None and path.defect == 0 else 0)
    return Answer("G8 two pieces", "G8", "pieces between random minima of a linear net, L = 2, m = 2L", 2, "2", found)
