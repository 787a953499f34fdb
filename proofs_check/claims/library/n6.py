"""N6: at small width two optimizers' regions can meet different zero-loss components only, with a barrier between."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.studies.witness import examine
from modeconn.studies.witness_shipped import shipped_records
from modeconn.topology import LevelSet, OrbitInRegion
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.claims.library.narrow_cases import accept_barrier, accept_components
from proofs_check.claims.library.narrow_problems import draw_taught, has_several_orbits, level_set_of
from proofs_check.claims.library.narrow_regions import accept_verdicts, region_set

__all__ = ["CLAIM", "SHIPPED", "WORKED"]

NORMS = ("linf", "spectral")
"""Of AdamW and Lion, and of Muon: their regions have radius 1/lam."""

WORKED: tuple[dict[str, Any], ...] = (
    {
        "problem": {"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]},
        "width": 2,
        "radii": {"linf": "3/5", "spectral": "7/10"},
    },
    {
        "problem": {"X": [[1, 0], [2, 1], [1, 1], [-2, 1]], "y": [1, 0, -1, -2]},
        "width": 2,
        "radii": {"linf": "5/4", "spectral": "8/5"},
    },
)
"""Witnesses of the documentation."""

SHIPPED = tuple({key: record[key] for key in ("problem", "width", "radii")} for record in shipped_records())
"""The witnesses that ship with the package: nothing but data, width and radii is taken from there."""

TRIES = 200
"""Problems drawn from one seed before the search gives up."""


def _searches(shape: Shape) -> SearchStrategy[Instance]:
    """Return seeds of searches among problems of shape (n, d, m): see :func:`_witness`."""
    n, d, m = shape

    def build(outputs: str, seed: int) -> Instance:
        return {"n": n, "d": d, "width": m, "output_weights": outputs, "seed": seed}

    return st.builds(build, st.sampled_from(["free", "free", "fixed"]), st.integers(0, 2**32 - 1))


def _shipped(shape: Shape) -> SearchStrategy[Instance]:
    return st.sampled_from(SHIPPED + WORKED)


def _witness(instance: Instance) -> dict[str, Any] | None:
    """Return the witness of an instance: problem, width, radii. It is given, or sought from the instance's seed."""
    return dict(instance) if "radii" in instance else _found(json.dumps(instance, sort_keys=True))


@lru_cache(maxsize=256)
def _found(search: str) -> dict[str, Any] | None:
    """Return the first witness among the problems drawn from a seed, ``None`` if there is none within ``TRIES``."""
    given = json.loads(search)
    rng = np.random.default_rng(given["seed"])
    for _ in range(TRIES):
        data = draw_taught(rng, given["n"], given["d"], given["width"], given["output_weights"])
        if has_several_orbits(data, given["width"]):
            found = examine(level_set_of({"problem": data, "width": given["width"]}))
            if found is not None:
                radii = {norm: str(radius) for norm, radius in found.radii.items()}
                return {"problem": data, "width": given["width"], "radii": radii}
    return None


class Verdicts(NamedTuple):
    """What the two regions meet.

    Attributes:
        found: the zero-loss set, its numbers accepted by the checker.
        met: for each norm, the orbits that its region meets, each shown by a rational net inside.
        avoided: for each norm, the orbits that its region avoids, each accepted by the checker.
    """

    found: LevelSet
    met: dict[str, set[int]]
    avoided: dict[str, set[int]]

    def is_decided(self) -> bool:
        """Return whether every orbit is met or avoided by each region."""
        everything = set(range(self.found.orbits))
        return all(self.met[norm] | self.avoided[norm] == everything for norm in NORMS)


def _verdicts(witness: dict[str, Any], radii: dict[str, str]) -> Verdicts:
    found = level_set_of(witness)
    accept_components(found)
    verdicts: dict[str, tuple[OrbitInRegion, ...]] = {
        norm: accept_verdicts(region_set(found, norm, Fraction(radii[norm]))) for norm in NORMS
    }

    def orbits(word: str) -> dict[str, set[int]]:
        return {norm: {v.orbit for v in verdicts[norm] if v.verdict == word} for norm in NORMS}

    return Verdicts(found, orbits("meets"), orbits("avoids"))


def _least_barrier(found: LevelSet, one: set[int], other: set[int]) -> Fraction:
    """Return the least barrier between a component of one set of orbits and one of the other, all accepted."""
    levels = []
    first = {orbit: found.orbit_of.index(orbit) for orbit in one}  # permuting both nets changes nothing
    for a in first.values():
        for b, orbit in enumerate(found.orbit_of):
            if orbit in other:
                ends = (found.components[k].representative for k in (a, b))
                levels.append(accept_barrier(found.complex, *ends).value)
    return min(levels)


def _check(instance: Instance) -> Outcome:
    witness = _witness(instance)
    assert witness is not None, "the hypothesis says so"
    verdicts = _verdicts(witness, witness["radii"])
    found, (box, ball) = verdicts.found, (verdicts.met[norm] for norm in NORMS)
    detail = {**witness, "met": {norm: sorted(verdicts.met[norm]) for norm in NORMS}, "orbits": found.orbits}
    if not verdicts.is_decided():
        return Outcome(0.0, detail=detail)
    if found.least_loss or not box or not ball or box & ball:
        return Outcome(Fraction(-1), detail=detail)
    barrier = _least_barrier(found, box, ball)
    return Outcome(barrier - found.level, certified=True, detail={**detail, "barrier": str(barrier)})


def _swapped(instance: Instance) -> Outcome:
    """Check: with the radii exchanged, the two regions still meet zero-loss nets, of different orbits."""
    witness = _witness(instance)
    assert witness is not None, "the hypothesis says so"
    radii = {"linf": witness["radii"]["spectral"], "spectral": witness["radii"]["linf"]}
    verdicts = _verdicts(witness, radii)
    box, ball = (verdicts.met[norm] for norm in NORMS)
    is_witness = bool(box) and bool(ball) and not box & ball
    margin = -Fraction(1) if verdicts.is_decided() and not is_witness else Fraction(0)
    return Outcome(
        margin, detail={**witness, "radii": radii, "met": {norm: sorted(verdicts.met[norm]) for norm in NORMS}}
    )


def _exchanged(instance: Instance) -> Outcome:
    """Check: the box meets the orbit that the spectral ball was said to meet, and the other way round."""
    witness = _witness(instance)
    assert witness is not None, "the hypothesis says so"
    verdicts = _verdicts(witness, witness["radii"])
    box, ball = (verdicts.met[norm] for norm in NORMS)
    wrong = len(ball & verdicts.avoided["linf"]) + len(box & verdicts.avoided["spectral"])
    return Outcome(-Fraction(wrong), detail=witness)


def _no_barrier(instance: Instance) -> Outcome:
    """Check: the two orbits that the regions meet are joined at zero loss."""
    outcome = _check(instance)
    return Outcome(-Fraction(outcome.margin), detail=outcome.detail)


CLAIM = Claim(
    id="N6",
    statement=(
        "there are data, a width and two radii such that the box (AdamW, Lion) meets zero-loss nets of some orbits "
        "only, the spectral ball (Muon) of others only, and every path between the two climbs: true of the witnesses "
        "shipped and of those that searches find; nets inside are rational, the checker accepts what is avoided and "
        "the barriers (margin: the least barrier between an orbit of one and an orbit of the other)"
    ),
    source="our formulation of the small-width claim of Zhang et al. (2026); theory N6",
    rests_on=("N1", "N2", "N3"),
    instances=_searches,
    shapes=((4, 2, 2), (5, 2, 2)),
    check=_check,
    search=lambda seed, count: SHIPPED + WORKED,
    hypotheses=(Hypothesis("a witness is given or found", lambda instance: _witness(instance) is not None),),
    controls=(
        Control(
            "radii-swapped",
            "the same with the radii of the two regions exchanged",
            check=_swapped,
            instances=_shipped,
            shapes=((),),
        ),
        Control(
            "orbits-exchanged",
            "the box meets the orbits said of the spectral ball, and the ball those said of the box",
            check=_exchanged,
            instances=_shipped,
            shapes=((),),
        ),
        Control(
            "no-barrier",
            "the nets that the two regions meet are joined at zero loss",
            check=_no_barrier,
            instances=_shipped,
            shapes=((),),
        ),
    ),
    cost=8.0,
)
