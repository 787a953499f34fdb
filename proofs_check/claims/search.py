"""From a violation to a counterexample worth reading: smallest shape first, then the largest violation there."""

from __future__ import annotations

import copy
import math
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from proofs_check.claims.blocks import Candidate, candidate_from, sample
from proofs_check.claims.claim import Claim, Instance, Shape
from proofs_check.claims.draws import derive_seed
from proofs_check.claims.profiles import MIN_PER_SHAPE, Profile
from proofs_check.claims.trial import Case, ClaimError, as_float, confirm, evaluate

__all__ = ["Pursuit", "polish", "pursue"]

CONFIRMATIONS = 5
"""Violations handed to exact confirmation per shape, largest first."""

FINEST_GRID = 2**24
"""Denominator up to which the values of a key are taken to lie on a grid on purpose."""

LONGEST_CHOICE = 12
"""Up to so many distinct values under a key are taken for a choice from a list."""

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Pursuit:
    """Where the search for a counterexample ended.

    Attributes:
        candidate: the counterexample: confirmed, or the worst violation known where nothing confirms it.
        drawn: the drawn instance it was polished from, when it was.
        tried: instances checked on the way.
    """

    candidate: Candidate
    drawn: Candidate | None
    tried: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Pursuit:
        """Return the pursuit that :meth:`to_json` took apart."""
        drawn = fields["drawn"]
        return cls(
            Candidate.from_json(fields["candidate"]),
            None if drawn is None else Candidate.from_json(drawn),
            fields["tried"],
            fields["seconds"],
        )


def pursue(claim: Claim, start: Candidate, profile: Profile, seed: int) -> Pursuit:
    """Return the counterexample reached from a first violation.

    1. Walk ``claim.shapes``, smallest first, up to the shape of ``start``: the first shape with a confirmed violation
       is kept. Dimensions shrink; the violation does not.
    2. At that shape draw again, steered towards violation, and keep the largest violation that is confirmed.
    3. :func:`polish` its numbers.

    The verdict never rests on step 3: its result replaces the drawn instance only if it is confirmed as well.
    Cost: at most ``profile.shrink`` checks a shape and ``profile.polish`` more, divided by ``claim.cost``.

    Args:
        claim: the claim, or a control as a claim of its own.
        start: a violating instance, confirmed or not.
        profile: the effort.
        seed: of the whole run.
    """
    began = time.perf_counter()
    draws = max(MIN_PER_SHAPE, math.ceil(profile.shrink / claim.cost))
    best, seen, tried = start, [start.instance], 0
    for shape in _shapes_up_to(claim, start.shape):
        found, cases = _largest_confirmed(claim, shape, draws, derive_seed(seed, claim.id, "shrink", shape))
        tried += len(cases)
        at_start = shape == start.shape
        if found is None and not (at_start and start.confirmed):
            continue
        best = max((c for c in (found, start if at_start else None) if c is not None), key=_severity)
        again, more = _largest_confirmed(claim, shape, draws, derive_seed(seed, claim.id, "maximise", shape))
        tried += len(more)
        best = best if again is None else max((best, again), key=_severity)
        seen = [case.instance for case in (*cases, *more)] + [best.instance]
        break
    if best.confirmed is not True:
        return Pursuit(best, None, tried, time.perf_counter() - began)
    checks = math.ceil(profile.polish / claim.cost)
    polished = polish(claim, best, seen, checks, derive_seed(seed, claim.id, "polish"))
    drawn = None if polished is best else best
    return Pursuit(polished, drawn, tried + checks, time.perf_counter() - began)


def _severity(candidate: Candidate) -> tuple[bool, float]:
    return candidate.confirmed is True, -candidate.margin


def _shapes_up_to(claim: Claim, shape: Shape | None) -> Iterator[Shape]:
    """Yield the shapes of the claim up to this one, all of them when it is not listed."""
    for candidate in claim.shapes:
        yield tuple(candidate)
        if tuple(candidate) == shape:
            return


def _largest_confirmed(claim: Claim, shape: Shape, count: int, seed: int) -> tuple[Candidate | None, list[Case]]:
    """Return the largest confirmed violation among fresh draws, and the draws that met the hypotheses."""
    found = sample(claim, shape, count, seed)
    violating = sorted((case for case in found.cases if case.violates), key=lambda case: case.margin)
    for case in violating[:CONFIRMATIONS]:
        try:
            if confirm(claim, case):
                return candidate_from(case, shape, True), found.cases
        except ClaimError:
            continue
    return None, found.cases


def polish(claim: Claim, start: Candidate, seen: Sequence[Instance], checks: int, seed: int) -> Candidate:
    """Return a confirmed violation at least as large, reached by perturbing the floats of the instance.

    Integers, flags and strings stay. A float moves within the range that the instances in ``seen`` show for its key,
    on the binary grid that they lie on (dyadic data stay dyadic), and among the very values seen when they are few (a
    choice from a list); the hypotheses must stay true.

    Args:
        claim: the claim.
        start: a confirmed violation, with the shape of the ``seen`` instances.
        seen: instances of the strategy, which tell the ranges.
        checks: instances to try.
        seed: of the perturbations.

    Example:
        >>> from hypothesis import strategies as st
        >>> from proofs_check.claims import Claim, Outcome
        >>> from fractions import Fraction
        >>> claim = Claim("x", "x <= 1", "", lambda s: st.none(), [()], lambda i: Outcome(1 - Fraction(i["x"])))
        >>> start = Candidate(0, (), {"x": 1.5}, -0.5, "-1/2", {}, True)
        >>> polish(claim, start, [{"x": x / 7} for x in range(15)], 50, seed=0).instance
        {'x': 2.0}
    """
    pools = _pools(seen)
    paths = [path for path, _ in _floats(start.instance)]
    if not paths:
        return start
    rng = random.Random(seed)
    trail = [Case(start.instance, start.margin)]
    for k in range(checks):
        reach = 0.5 * 0.01 ** (k / checks)
        proposal = _perturbed(trail[-1].instance, paths, pools, reach, rng)
        try:
            case = evaluate(claim, proposal)
        except ClaimError:
            continue
        if case.violates and case.margin < trail[-1].margin:
            trail.append(case)
    for case in reversed(trail[1:]):
        try:
            if confirm(claim, case) and as_float(case.margin) < start.margin:
                return candidate_from(case, start.shape, True, start.block)
        except ClaimError:
            continue
    return start


def _floats(value: Any, path: Path = ()) -> Iterator[tuple[Path, float]]:
    """Yield every float of a JSON value with the keys and positions that lead to it."""
    if isinstance(value, float):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _floats(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _floats(item, (*path, index))


def _keys(path: Path) -> Path:
    """Return the keys of a path: all entries of a matrix share one range."""
    return tuple(step for step in path if isinstance(step, str))


@dataclass(frozen=True)
class _Pool:
    """The values seen under one key."""

    values: list[float]
    is_continuous: bool
    grid: int

    @classmethod
    def of(cls, seen: list[float]) -> _Pool:
        distinct = sorted(set(seen))
        return cls(distinct, len(distinct) > LONGEST_CHOICE, max(x.as_integer_ratio()[1] for x in distinct))

    def admit(self, x: float) -> float:
        """Return the nearest value in the range seen, on the grid seen."""
        clipped = min(max(x, self.values[0]), self.values[-1])
        return round(clipped * self.grid) / self.grid if self.grid <= FINEST_GRID else clipped


def _pools(seen: Sequence[Instance]) -> dict[Path, _Pool]:
    """Return the values seen, by key."""
    values: dict[Path, list[float]] = defaultdict(list)
    for instance in seen:
        for path, value in _floats(instance):
            values[_keys(path)].append(value)
    return {keys: _Pool.of(found) for keys, found in values.items()}


def _perturbed(
    instance: Instance,
    paths: Sequence[Path],
    pools: Mapping[Path, _Pool],
    reach: float,
    rng: random.Random,
) -> Instance:
    """Return a copy with one float moved, or all floats of one key scaled."""
    moved = copy.deepcopy(dict(instance))
    chosen = rng.choice(paths)
    pool = pools[_keys(chosen)]
    if not pool.is_continuous or rng.random() < 0.2:
        _set(moved, chosen, rng.choice(pool.values))
    elif rng.random() < 0.3:
        factor = math.exp(rng.gauss(0.0, 2 * reach))
        for path in paths:
            if _keys(path) == _keys(chosen):
                _set(moved, path, pool.admit(_get(moved, path) * factor))
    else:
        step = rng.gauss(0.0, reach) * (pool.values[-1] - pool.values[0])
        _set(moved, chosen, pool.admit(_get(moved, chosen) + step))
    return moved


def _get(value: Any, path: Path) -> float:
    for step in path:
        value = value[step]
    return value


def _set(value: Any, path: Path, new: float) -> None:
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = new
