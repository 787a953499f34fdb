"""The certified part of a witness: components, barrier, and what each region avoids, accepted by the checker."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from modeconn.errors import InputError
from modeconn.studies.witness import Witness, with_region, zero_loss_set
from modeconn.topology import (
    CellComplex,
    LevelSet,
    OrbitInRegion,
    PairBarrier,
    Point,
    barrier_between,
    certify_barrier,
    certify_components,
    certify_region_avoids,
    level_set_topology,
    orbits_in_region,
    problem_to_json,
)
from proofs_check.checker import check_certificate

__all__ = ["REGION_NAMES", "CertifiedWitness", "certify_witness"]

REGION_NAMES = {"linf": "box", "spectral": "spectral"}


@dataclass(frozen=True)
class CertifiedWitness:
    """A witness, with everything that the checker accepted.

    Attributes:
        witness: what is certified.
        verdicts: for each norm, how its ball lies to every orbit.
        inside: for each norm, a net of the predicted orbit in its ball, as a rational u-point.
        barrier: the exact barrier between the two nets (neurons of the second in the order that makes it least), with
            an optimal path.
        certificates: file name -> certificate.
        problems: file name -> problem (JSON) that certificates are about.
        about: certificate -> the problem it is about, by file name.
        checks: file name of a certificate -> what it says, in the checker's words.
    """

    witness: Witness
    verdicts: dict[str, tuple[OrbitInRegion, ...]]
    inside: dict[str, Point]
    barrier: PairBarrier
    certificates: dict[str, dict[str, Any]]
    problems: dict[str, dict[str, Any]]
    about: dict[str, str]
    checks: dict[str, str]


def certify_witness(witness: Witness) -> CertifiedWitness:
    """Return the certificates of a witness, each accepted by the standard-library checker.

    ``components.json`` counts the components and orbits of the zero-loss set; ``box-avoids-orbit-k.json`` and
    ``spectral-avoids-orbit-k.json`` show, for every orbit but the predicted one, that no net of the region lies in it;
    a rational net shows that the region meets the predicted one; ``barrier.json`` is the exact communication barrier
    between two such nets, in the order of neurons that makes it least.

    Raises:
        InputError: something could not be certified: the radii leave too little room.

    Reference: claim N6.
    """
    found = zero_loss_set(witness.problem, witness.width)
    problems = {"problem.json": problem_to_json(witness.problem)}
    certificates = {"components.json": certify_components(found)}
    about = {"components.json": "problem.json"}
    verdicts, inside = {}, {}
    for norm, radius in witness.radii.items():
        name = REGION_NAMES[norm]
        confined = with_region(witness.problem, norm, radius)
        level_set = level_set_topology(CellComplex(confined, witness.width))
        _require_same_orbits(found, level_set)
        verdicts[norm] = orbits_in_region(level_set)
        problems[f"problem-{name}.json"] = problem_to_json(confined)
        for verdict in verdicts[norm]:
            predicted = verdict.orbit == witness.predicted[norm]
            if verdict.verdict != ("meets" if predicted else "avoids"):
                raise InputError(
                    f"radius {radius} ({norm}): expected orbit {verdict.orbit} to be "
                    f"{'met' if predicted else 'avoided'}, found {verdict.verdict!r} at gauge {verdict.gauge:.6g}; "
                    "choose a radius further from the reach of that orbit"
                )
            if predicted:
                assert verdict.point is not None
                inside[norm] = verdict.point
            else:
                component = level_set.orbit_of.index(verdict.orbit)
                file = f"{name}-avoids-orbit-{verdict.orbit}.json"
                certificates[file] = certify_region_avoids(level_set, component, verdict)
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
    return CertifiedWitness(witness, verdicts, inside, barrier, certificates, problems, about, checks)


def _require_same_orbits(found: LevelSet, other: LevelSet) -> None:
    """The two level sets are of one problem, so that orbits have the same numbers; anything else is a bug."""
    assert found.orbit_of == other.orbit_of
    assert [c.representative for c in found.components] == [c.representative for c in other.components]


def _least_barrier(cells: CellComplex, start: Point, end: Point) -> PairBarrier:
    """Return the lowest barrier from ``start`` to any order of the neurons of ``end``."""
    orders = dict.fromkeys(itertools.permutations(end))
    return min((barrier_between(cells, start, order) for order in orders), key=lambda found: found.value)
