"""The certified part of a witness: components, barrier, and what each region avoids, accepted by the checker."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from modeconn.errors import InputError
from modeconn.studies.witness import Witness, with_region, zero_loss_set
from modeconn.topology import (
    CellComplex,
    LevelSet,
    OrbitInRegion,
    PairBarrier,
    Point,
    Problem,
    barrier_between,
    certify_barrier,
    certify_components,
    certify_region_avoids,
    communication_barrier,
    level_set_topology,
    orbits_in_region,
    problem_to_json,
)
from proofs_check.checker import check_certificate

__all__ = ["REGION_NAMES", "CertifiedWitness", "assignment_level", "certify_witness"]

REGION_NAMES = {"linf": "box", "spectral": "spectral"}

LEVELS = 10
"""Levels tried, each a tenth of the one before."""


@dataclass(frozen=True)
class CertifiedWitness:
    """A witness, with everything that the checker accepted.

    Attributes:
        witness: what is certified.
        eps: the level of :func:`assignment_level`.
        inside: for each norm, a net of the predicted orbit in its ball, as a rational u-point.
        barrier: the exact barrier between the two nets (neurons of the second in the order that makes it least), with
            an optimal path.
        certificates: file name -> certificate.
        problems: file name -> problem (JSON) that certificates are about.
        about: certificate -> the problem it is about, by file name.
        checks: file name of a certificate -> what it says, in the checker's words.
    """

    witness: Witness
    eps: Fraction
    inside: dict[str, Point]
    barrier: PairBarrier
    certificates: dict[str, dict[str, Any]]
    problems: dict[str, dict[str, Any]]
    about: dict[str, str]
    checks: dict[str, str]


def assignment_level(witness: Witness) -> Fraction:
    """Return eps, up to which trained nets count as zero loss: regions avoid the other orbits even up to this level.

    The first of b/10^3, b/10^4, ... at which each region provably holds no net of {loss <= eps} in the component of an
    orbit other than its predicted one; b is the lowest level at which two orbits join.

    Raises:
        InputError: none of ten levels will do: the radii leave too little room.
    """
    found = zero_loss_set(witness.problem, witness.width)
    orbit_of, levels = found.orbit_of, communication_barrier(found).levels
    pairs = itertools.combinations(range(len(orbit_of)), 2)
    eps = min(levels[a][b] for a, b in pairs if orbit_of[a] != orbit_of[b]) / 1000
    for _ in range(LEVELS):
        verdicts = [v for norm in REGION_NAMES for _, v in _avoided(witness, norm, eps)[1].values()]
        if all(v.verdict == "avoids" for v in verdicts):
            return eps
        eps /= 10
    raise InputError(
        f"radii {', '.join(map(str, witness.radii.values()))}: expected each region to avoid the other orbits up to "
        f"some level, found none down to {float(eps * 10):.2g}; choose radii further inside the gaps"
    )


def _avoided(witness: Witness, norm: str, eps: Fraction) -> tuple[LevelSet, dict[int, tuple[int, OrbitInRegion]]]:
    """Return {loss <= eps}, and for each orbit to avoid its component there and how the region lies to that."""
    found = zero_loss_set(witness.problem, witness.width)
    confined = with_region(witness.problem, norm, witness.radii[norm])
    near = level_set_topology(CellComplex(confined, witness.width), level=eps)
    verdicts = orbits_in_region(near)
    avoided = {}
    for component in found.components:
        if component.orbit != witness.predicted[norm] and component.orbit not in avoided:
            place = near.component_of(component.representative)
            assert place is not None, "zero loss is below eps"
            avoided[component.orbit] = place, verdicts[near.orbit_of[place]]
    return near, avoided


def certify_witness(witness: Witness) -> CertifiedWitness:
    """Return the certificates of a witness, each accepted by the standard-library checker.

    ``components.json`` counts the components and orbits of the zero-loss set; ``box-avoids-orbit-k.json`` and
    ``spectral-avoids-orbit-k.json`` show, for every orbit but the predicted one, that no net of the region with loss
    <= eps is in its component; a rational net shows that the region meets the predicted one at zero loss;
    ``barrier.json`` is the exact communication barrier between two such nets, in the order of neurons that makes it
    least.

    Raises:
        InputError: something could not be certified: the radii leave too little room.

    Reference: claim N6.
    """
    found = zero_loss_set(witness.problem, witness.width)
    eps = assignment_level(witness)
    problems = {"problem.json": problem_to_json(witness.problem)}
    certificates = {"components.json": certify_components(found)}
    about = {"components.json": "problem.json"}
    inside = {}
    for norm, name in REGION_NAMES.items():
        confined = with_region(witness.problem, norm, witness.radii[norm])
        problems[f"problem-{name}.json"] = problem_to_json(confined)
        inside[norm] = _net_inside(confined, witness, norm)
        near, avoided = _avoided(witness, norm, eps)
        for orbit, (component, verdict) in avoided.items():
            file = f"{name}-avoids-orbit-{orbit}.json"
            certificates[file] = certify_region_avoids(near, component, verdict)
            about[file] = f"problem-{name}.json"
    barrier = _least_barrier(found.complex, inside["linf"], inside["spectral"])
    if barrier.value != witness.barrier:
        raise InputError(f"barrier: expected {witness.barrier} between the two orbits, found {barrier.value}")
    inside["spectral"] = barrier.points[-1]
    certificates["barrier.json"] = certify_barrier(found.complex, barrier.points[0], barrier.points[-1], barrier)
    about["barrier.json"] = "problem.json"
    checks = {}
    for file, certificate in certificates.items():
        result = check_certificate(certificate, problems[about[file]])
        if not result.accepted:
            raise InputError(f"{file}: expected a certificate the checker accepts, found: {result.reason}")
        checks[file] = result.reason
    return CertifiedWitness(witness, eps, inside, barrier, certificates, problems, about, checks)


def _net_inside(confined: Problem, witness: Witness, norm: str) -> Point:
    """Return a rational zero-loss net of the predicted orbit inside the region."""
    verdict = orbits_in_region(level_set_topology(CellComplex(confined, witness.width)))[witness.predicted[norm]]
    if verdict.point is None:
        raise InputError(
            f"radius {witness.radii[norm]} ({norm}): expected a zero-loss net of orbit {verdict.orbit} inside, found "
            f"verdict {verdict.verdict!r} at gauge {verdict.gauge:.6g}; choose a larger radius"
        )
    return verdict.point


def _least_barrier(cells: CellComplex, start: Point, end: Point) -> PairBarrier:
    """Return the lowest barrier from ``start`` to any order of the neurons of ``end``."""
    orders = dict.fromkeys(itertools.permutations(end))
    return min((barrier_between(cells, start, order) for order in orders), key=lambda found: found.value)
