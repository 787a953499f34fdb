"""N3: whether an optimizer's region (a box or a spectral ball) meets a component of a level set is decided exactly."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.studies.witness import orbit_gauges
from modeconn.topology import LevelSet, OrbitInRegion, point_loss
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.claims.library.narrow_problems import level_set_of, problem_data, problem_of, problems, several_orbits
from proofs_check.claims.library.narrow_regions import accept_verdicts, nets_in_region, region_set

__all__ = ["CLAIM"]

SHAPES = ((2, 1, 2), (3, 2, 2), (4, 2, 2), (3, 1, 3), (5, 2, 2))
SEVERAL_SHAPES = ((4, 2, 2), (5, 2, 2))
FACTORS = ("1/2", "7/8", "15/16", "17/16")


def _with_region(of_problem: SearchStrategy[dict[str, Any]], eighths: list[int]) -> SearchStrategy[Instance]:
    """Return problems with a level and a region: its norm, and its radius as a multiple of the reach of an orbit."""

    def build(instance: dict[str, Any], level: int, norm: str, factor: str, pick: int, seed: int) -> Instance:
        return {**instance, "eighths": level, "norm": norm, "factor": factor, "orbit": pick, "seed": seed}

    seeds = st.integers(0, 2**32 - 1)
    choices = (st.sampled_from(choice) for choice in (eighths, ["linf", "spectral"], list(FACTORS), [0, 1]))
    return st.builds(build, of_problem, *choices, seeds)


def _regions(shape: Shape) -> SearchStrategy[Instance]:
    kinds = problems(shape, rows=("generic", "small", "bias"), targets=("taught", "random"))
    return _with_region(kinds, [0, 0, 1, 2])


def _several(shape: Shape) -> SearchStrategy[Instance]:
    return _with_region(several_orbits(shape), [0])


def _radius(instance: Instance) -> Fraction:
    """Return the radius: the reach of an orbit, that is, the least radius that meets it, times the factor."""
    gauges = sorted(orbit_gauges(level_set_of(instance, instance["eighths"]), instance["norm"]))
    gauge = max(gauges[instance["orbit"] % len(gauges)], 0.0)  # a solver may answer -1e-13
    reach = gauge if problem_of(instance).output_weights == "fixed" else math.sqrt(gauge)
    return max(Fraction(reach * float(Fraction(instance["factor"]))).limit_denominator(16), Fraction(1, 16))


Verdicts = tuple[LevelSet, tuple[OrbitInRegion, ...]]


def _verdicts(instance: Instance) -> Verdicts:
    """Return the level set and, certified, how the region lies to its orbits."""
    return _verdicts_of(json.dumps(instance, sort_keys=True), instance["norm"], None)


@lru_cache(maxsize=64)
def _verdicts_of(text: str, norm: str, radius: Fraction | None) -> Verdicts:
    instance = json.loads(text)
    found = level_set_of(instance, instance["eighths"])
    found = region_set(found, norm, _radius(instance) if radius is None else radius)
    return found, accept_verdicts(found)


def _avoids_one(instance: Instance) -> bool:
    return any(verdict.verdict == "avoids" for verdict in _verdicts(instance)[1])


def _check(instance: Instance) -> Outcome:
    """Return by how much nets sought inside the region stay above the level unless their orbit is met."""
    found, verdicts = _verdicts(instance)
    problem = found.complex.landscape.problem
    avoided = {verdict.orbit for verdict in verdicts if verdict.verdict == "avoids"}
    margins = [Fraction(1)]
    inside = 0
    for point in nets_in_region(problem, instance["width"], instance["seed"]):
        above = point_loss(problem, point) - found.level
        if above > 0:
            margins.append(above)
            continue
        inside += 1
        component = found.component_of(point)
        if component is not None and found.orbit_of[component] in avoided:
            margins.append(above - 1)
    detail = {
        "radius": str(_radius(instance)),
        "level": str(found.level),
        "verdicts": [verdict.verdict for verdict in verdicts],
        "gauges": [verdict.gauge for verdict in verdicts],
        "nets_in_level_set": inside,
    }
    certified = all(verdict.verdict != "undecided" for verdict in verdicts)
    return Outcome(min(margins), certified=certified, detail=detail)


def _still_avoids(change: Callable[[Instance], tuple[str, Fraction]]) -> Callable[[Instance], Outcome]:
    """Return the exact check of: what the region avoids, the region of another norm or radius avoids as well."""

    def check(instance: Instance) -> Outcome:
        norm, radius = change(instance)
        before, after = _verdicts(instance)[1], _verdicts_of(json.dumps(instance, sort_keys=True), norm, radius)[1]
        met = sum(a.verdict == "avoids" and b.verdict == "meets" for a, b in zip(before, after, strict=True))
        detail = {
            "problem": problem_data(instance),
            "before": [v.verdict for v in before],
            "after": [v.verdict for v in after],
            "norm": norm,
            "radius": str(radius),
        }
        return Outcome(-Fraction(met), detail=detail)

    return check


def _other_norm(instance: Instance) -> tuple[str, Fraction]:
    return "linf" if instance["norm"] == "spectral" else "spectral", _radius(instance)


def _enlarged(instance: Instance) -> tuple[str, Fraction]:
    least = min(verdict.gauge for verdict in _verdicts(instance)[1] if verdict.verdict == "avoids")
    return instance["norm"], _radius(instance) * (1 + Fraction(least).limit_denominator(16))


def _all_or_none(instance: Instance) -> Outcome:
    """Check: a region that avoids one orbit avoids all of them."""
    verdicts = [verdict.verdict for verdict in _verdicts(instance)[1]]
    return Outcome(-Fraction(verdicts.count("meets")), detail={"problem": problem_data(instance), "verdicts": verdicts})


CLAIM = Claim(
    id="N3",
    statement=(
        "a box or spectral ball around the weights meets an orbit of components of {loss <= c} iff a convex program on "
        "one of its cells has a solution: where there is none the checker accepts that the region avoids the orbit, "
        "and no net sought inside the region lies in it; where there is one a rational net inside shows it (margin: "
        "the least loss above c of the nets sought outside the orbits that are met, at most 1)"
    ),
    source="theory N3, proved there",
    rests_on=("N1", "N2"),
    instances=_regions,
    shapes=SHAPES,
    check=_check,
    hypotheses=(Hypothesis("the region avoids an orbit", _avoids_one),),
    controls=(
        Control(
            "norms-swapped",
            "what a region avoids, the region of the same radius in the other norm avoids as well",
            check=_still_avoids(_other_norm),
            instances=_several,
            shapes=SEVERAL_SHAPES,
        ),
        Control(
            "radius-past-the-gauge",
            "what a region avoids, a region larger than its gauge avoids as well",
            check=_still_avoids(_enlarged),
        ),
        Control(
            "one-means-all",
            "a region that avoids one orbit avoids all of them",
            check=_all_or_none,
            instances=_several,
            shapes=SEVERAL_SHAPES,
        ),
    ),
    cost=4.0,
)
