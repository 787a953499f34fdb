"""Known answers of the relatives: counts of pieces, spurious minima, a swap, a pair that no permutation aligns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from modeconn.align import match_minima
from modeconn.constructions.symmetric_minimum import symmetric_minimum
from modeconn.population import population_loss
from modeconn.precision import float64
from modeconn.reproductions.answers.answer import Answer, Found, certified, exact, interval, sampled
from modeconn.star import Minima, sample_minima, weights
from modeconn.topology import certify_components, level_set_topology, problem_from_json, problem_to_json
from proofs_check.claims.library.few_samples import first_disconnected
from proofs_check.claims.library.no_permutation import ORDERS, first_net, is_labelled, second_net
from proofs_check.exact.expansion import affine_pieces
from proofs_check.exact.plane_net import interpolate, misclassified_share, permute_hidden
from proofs_check.exact.symmetric_minimum import verify_symmetric_minimum
from proofs_check.exact.teacher_loss import teacher_loss

__all__ = ["relatives_answers"]

PIECES = {(1, 2): 3, (2, 3): 12, (2, 4): 62, (3, 4): 60, (3, 5): 450}
"""(r, m) -> T(r, m)."""

LOSSES = {7: 0.02320271491356607, 8: 0.021508037171520833}
"""k -> loss at the spurious minimum that the authors published as weights, in float64."""

LOSS_AGREEMENT = 1e-11
SWAP_AGREEMENT = 1e-15

TEACHERS, PAIRS = 4, 256


def relatives_answers(seed: int) -> Iterator[Answer]:
    """Yield the answers of section 6."""
    for (r, m), known in PIECES.items():
        found = exact(len(affine_pieces([([k + 1], k + 2) for k in range(r)], m)))
        yield Answer(f"SIM T({r}, {m})", "SIM", f"affine pieces T({r}, {m}), enumerated", known, str(known), found)
    yield _halfway()
    yield from _spurious()
    yield _swap()
    yield _few_samples(seed)
    yield _least_barrier(seed)


def _halfway() -> Answer:
    """Return the share of the square that is misclassified halfway, under all four permutations."""
    one, other = first_net(Fraction(1)), second_net(Fraction(1))
    middle = [interpolate(one, permute_hidden(other, orders), Fraction(1, 2)) for orders in ORDERS]
    errors = [misclassified_share(net, is_labelled) for net in middle]
    found = Found(min(errors), max(errors), "exact", 0.0)
    return Answer("AIN halfway", "AIN", "error halfway, all four permutations", Fraction(1, 4), "1/4", found)


def _spurious() -> Iterator[Answer]:
    """Yield the losses of verified minima that are not global."""
    for k in (6, 7, 8):
        minimum = verify_symmetric_minimum(k, symmetric_minimum(k).tolist())
        if minimum is None:
            found = Found(Fraction(0), Fraction(0), "refused", 0.0)
        else:
            found = interval(minimum.loss.lower, minimum.loss.upper, LOSS_AGREEMENT)
        what = f"loss at the spurious minimum, k = {k}"
        if k in LOSSES:
            yield Answer(f"SAF k = {k}", "SAF", what, LOSSES[k], f"{LOSSES[k]:.10g}", found)
        else:
            yield Answer(f"SAF k = {k}", "SAF", what, 0, "positive", found, ">")


def _swap() -> Answer:
    """Return the loss halfway through the swap of two neurons of a global minimum."""
    half = Fraction(1, 2)
    loss = teacher_loss([{0: half, 1: half}] * 2, 2)
    found = interval(loss.lower, loss.upper, SWAP_AGREEMENT)
    what = "loss halfway through a swap of two neurons"
    return Answer("SAF swap", "SAF", what, 1 / 4 - 1 / (2 * math.pi), "1/4 - 1/2π", found)


def _few_samples(seed: int) -> Answer:
    """Return the number of orbits of interpolating nets of width 2 for a data set of four samples."""
    data = first_disconnected(2, seed)
    if data is None:
        found = exact(0)
    else:
        topology = level_set_topology(problem_from_json(data), 2, Fraction(0))
        certificate = certify_components(topology)
        found = certified(topology.orbits, "orbits", certificate, problem_to_json(problem_from_json(data)))
    what = "orbits of interpolating nets, h = 2, h + 2 samples found by search"
    return Answer("KUD2 orbits", "KUD2", what, 2, "at least 2", found, ">=")


def _least_barrier(seed: int) -> Answer:
    """Return how much higher the permuted barrier is at m = 2M, where it is said to be least, than at m = 4M."""
    M = TEACHERS
    with float64():
        excess = np.asarray(_losses(_middles(seed, 2 * M)) - _losses(_middles(seed, 4 * M)))
    return Answer(
        "ZHAN dip",
        "ZHAN",
        f"permuted barrier at m = 2M less that at 4M, M = {M}",
        0,
        "at most 0",
        sampled(excess),
        "<=",
        "the theory says least near m = 2M; for random minima it is 0 at m = M, largest just above, and falls from "
        "there on",
    )


def _middles(seed: int, m: int) -> np.ndarray:
    """Return the nets halfway between pairs of uniform minima of width m after the best matching, padded to 4M."""
    drawn = sample_minima(seed, 2 * PAIRS, m, TEACHERS)
    minima = [Minima(*each) for each in zip(*drawn, strict=True)]
    found = np.zeros((PAIRS, TEACHERS, 4 * TEACHERS))
    for k, (first, second) in enumerate(zip(minima[::2], minima[1::2], strict=True)):
        order = match_minima(*first, *second).permutation
        found[k, :, :m] = (weights(first, TEACHERS) + weights(second, TEACHERS)[:, order]) / 2
    return found


@jax.jit
def _losses(nets: Array) -> Array:
    """Return the loss of each net: halfway, hence at most the barrier, and nearly it."""
    teacher = jnp.eye(TEACHERS)
    return jax.vmap(lambda W: population_loss(W, teacher, law="gaussian"))(nets)
