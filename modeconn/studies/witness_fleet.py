"""Where AdamW, Lion and Muon end on a witness: each trained net assigned to an orbit of zero-loss components, exactly.

A net is assigned by the topology of {loss <= eps}: its weights are floats, hence rationals, so its loss, its cell and
the component that holds it are exact. At this level no component holds zero-loss nets of two orbits: a net in one can
be led to zero loss in its orbit without ever climbing above eps, and to no other orbit. And eps is so small that the
regions provably avoid the other orbits' components up to eps, not only at zero (see ``assignment_level``): a net that
ends "elsewhere" would have to be outside its region. Nets with loss above eps are counted apart.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from modeconn.errors import InputError
from modeconn.reporter import SILENT, Reporter
from modeconn.studies.witness import NORM_OF, Witness, zero_loss_set
from modeconn.studies.witness_certificates import assignment_level
from modeconn.topology import LevelSet, level_set_topology, point_of_net
from modeconn.train import Fleet, FleetResult, train_fleet, unstack

__all__ = ["OUTCOMES", "FleetSettings", "OrbitsAtLevel", "best_fractions", "outcome_fractions", "train_witness"]

OUTCOMES = ("predicted", "elsewhere", "above", "diverged")
"""Zero loss in the predicted orbit, zero loss in another one, loss above eps (a worse local minimum, or not there yet),
a NaN or an infinity."""


@dataclass(frozen=True)
class FleetSettings:
    """How the fleets of a witness are trained: full batches, float64, decoupled decay lam = 1 / radius.

    Attributes:
        optimizers: keys of :data:`modeconn.optim.OPTIMIZERS`.
        rates: learning rates tried for each optimizer.
        inits: initialisations tried; one is taken for all optimizers, so that they start from the same nets.
        tuning_seeds: runs for each combination that is tried.
        seeds: runs of the final fleet, from other seeds than those of the tuning.
        steps: steps of a run.
        schedule: of the rate.
        betas: second momentum coefficient by optimizer. AdamW has 0.95: with 0.999 its steps near zero loss are too
            small against the decay for about 1 / (1 - b2) steps, and runs of this length do not converge.
    """

    optimizers: tuple[str, ...] = ("adamw", "lion", "muon")
    rates: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0)
    inits: tuple[str, ...] = ("he", "box", "rich")
    tuning_seeds: int = 64
    seeds: int = 256
    steps: int = 3000
    schedule: str = "cosine"
    betas: Mapping[str, float] = field(default_factory=lambda: {"adamw": 0.95})

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of the settings."""
        return {**vars(self), "betas": dict(self.betas)}


class OrbitsAtLevel:
    """Assigns nets to orbits of zero-loss components.

    Args:
        found: the zero-loss set.
        eps: the level, below every level at which two orbits join.

    Example:
        >>> from modeconn.topology import lift, problem_from_json
        >>> found = zero_loss_set(problem_from_json({"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]}), 2)
        >>> orbits = OrbitsAtLevel(found, Fraction(1, 1000))
        >>> [orbits.orbit_of(lift(component.representative)) for component in found.components]
        [0, 0, 1, 1]
    """

    def __init__(self, found: LevelSet, eps: Fraction) -> None:
        self.problem = found.complex.landscape.problem
        self.eps = eps
        self._set = level_set_topology(found.complex, level=eps)
        self._orbit: dict[int | None, int] = {}
        for component in found.components:
            place = self._set.component_of(component.representative)
            if self._orbit.setdefault(place, component.orbit) != component.orbit:
                raise InputError(f"eps: expected a level below which no two orbits join, found {eps}; lower it")

    @classmethod
    def of(cls, witness: Witness) -> OrbitsAtLevel:
        """Return the assignment of a witness, at the level up to which its regions provably avoid the other orbits."""
        return cls(zero_loss_set(witness.problem, witness.width), assignment_level(witness))

    def orbit_of(self, net: Any) -> int | None:
        """Return the orbit that a net reached, ``None`` if its loss is above eps or it is in no orbit's component."""
        component = self._set.component_of(point_of_net(self.problem, net))
        return None if component is None else self._orbit.get(component)


def _data(witness: Witness) -> tuple[np.ndarray, np.ndarray]:
    X = np.array([[float(v) for v in row] for row in witness.problem.X])
    return X, np.array([float(v) for v in witness.problem.y])


def train_one(
    witness: Witness, optimizer: str, rate: float, init: str, seeds: Iterable[int], settings: FleetSettings
) -> FleetResult:
    """Return a fleet of one optimizer at one rate, the decay being the reciprocal of the witness's radius."""
    radius = witness.radii[NORM_OF[optimizer]]
    fleet = Fleet.grid(
        optimizers=[optimizer],
        learning_rates=[rate],
        widths=[witness.width],
        weight_decays=[float(1 / radius)],
        seeds=seeds,
        b2=settings.betas.get(optimizer, np.nan),
    )
    X, y = _data(witness)
    return train_fleet(
        fleet,
        X,
        y,
        steps=settings.steps,
        record_every=max(1, settings.steps // 50),
        schedule=settings.schedule,
        init=init,
        fixed_output=witness.problem.output_weights == "fixed",
        dtype="float64",
    )


def run_rows(witness: Witness, result: FleetResult, orbits: OrbitsAtLevel) -> list[dict[str, Any]]:
    """Return a row for each run: what it was, where it ended, its loss, its place in the region, its weights."""
    rows = []
    inside = result.in_region()
    for i, optimizer in enumerate(result.fleet.optimizer):
        net, orbit = unstack(result, i), None
        predicted = witness.predicted[NORM_OF[optimizer]]
        finite = not result.diverged[i]
        if finite:
            orbit = orbits.orbit_of(net)
        outcome = (
            "diverged" if not finite else "above" if orbit is None else ("elsewhere", "predicted")[orbit == predicted]
        )
        row: dict[str, Any] = {
            "optimizer": optimizer,
            "seed": int(result.fleet.seed[i]),
            "init": result.settings["init"],
            "learning_rate": float(result.fleet.learning_rate[i]),
            "weight_decay": float(result.fleet.weight_decay[i]),
            "outcome": outcome,
            "orbit": orbit,
            "loss": float(result.final_loss[i]) if finite else None,
            "kkt_score": float(result.kkt[i]) if finite else None,
            "in_region": bool(inside[i]),
        }
        for leaf, ratio in result.ratios.items():
            row[f"ratio_{leaf}"] = float(ratio[i]) if finite else None
        row["W"] = np.asarray(net.W).tolist() if finite else None
        row["A"] = None if net.A is None or not finite else np.asarray(net.A)[0].tolist()
        rows.append(row)
    return rows


def outcome_fractions(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return, for each optimizer, the fraction of runs with each outcome.

    Example:
        >>> outcome_fractions([{"optimizer": "lion", "outcome": end} for end in ("above", "predicted")])
        {'lion': {'predicted': 0.5, 'elsewhere': 0.0, 'above': 0.5, 'diverged': 0.0}}
    """
    fractions = {}
    for name in dict.fromkeys(row["optimizer"] for row in rows):
        ends = Counter(row["outcome"] for row in rows if row["optimizer"] == name)
        fractions[name] = {outcome: ends[outcome] / ends.total() for outcome in OUTCOMES}
    return fractions


def _trials(
    witness: Witness, settings: FleetSettings, orbits: OrbitsAtLevel, reporter: Reporter, task: str
) -> list[dict[str, Any]]:
    """Return the fractions of every combination tried, on the tuning seeds."""
    trials = []
    for init, optimizer, rate in itertools.product(settings.inits, settings.optimizers, settings.rates):
        if rate < witness.radii[NORM_OF[optimizer]]:  # else one step decays beyond zero
            result = train_one(witness, optimizer, rate, init, range(settings.tuning_seeds), settings)
            fractions = outcome_fractions(run_rows(witness, result, orbits))[optimizer]
            trials.append({"init": init, "optimizer": optimizer, "learning_rate": rate, **fractions})
        reporter.advance(task)
    return trials


def choose(trials: Sequence[Mapping[str, Any]], optimizers: Sequence[str]) -> tuple[str, dict[str, float]]:
    """Return the initialisation under which the least successful optimizer does best, and each one's best rate.

    Example:
        >>> trials = [
        ...     {"init": "he", "optimizer": "lion", "learning_rate": 0.1, "predicted": 0.5},
        ...     {"init": "he", "optimizer": "lion", "learning_rate": 0.3, "predicted": 0.7},
        ... ]
        >>> choose(trials, ["lion"])
        ('he', {'lion': 0.3})
    """
    best: dict[str, dict[str, Mapping[str, Any]]] = {}
    for trial in trials:
        of = best.setdefault(trial["init"], {})
        if trial["optimizer"] not in of or trial["predicted"] > of[trial["optimizer"]]["predicted"]:
            of[trial["optimizer"]] = trial
    init = max(best, key=lambda name: min(best[name][o]["predicted"] for o in optimizers))
    return init, {o: best[init][o]["learning_rate"] for o in optimizers}


def train_witness(
    witness: Witness, settings: FleetSettings | None = None, reporter: Reporter = SILENT
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return a row for each run of the final fleets, and a row for each combination tried before.

    Rates and the initialisation are chosen on other seeds than those of the final fleets (see :func:`choose`); all
    optimizers start from the same nets.

    Args:
        witness: the problem and the radii.
        settings: fleets and what is tried.
        reporter: is told every fleet.
    """
    plan = settings or FleetSettings()
    orbits = OrbitsAtLevel.of(witness)
    reporter.start("fleets", len(plan.inits) * len(plan.optimizers) * len(plan.rates) + len(plan.optimizers))
    trials = _trials(witness, plan, orbits, reporter, "fleets")
    init, rates = choose(trials, plan.optimizers)
    seeds = range(plan.tuning_seeds, plan.tuning_seeds + plan.seeds)
    rows = []
    for optimizer in plan.optimizers:
        rows += run_rows(witness, train_one(witness, optimizer, rates[optimizer], init, seeds, plan), orbits)
        reporter.advance("fleets")
    reporter.finish("fleets")
    return rows, trials


HOPELESS = 0.25
"""Fraction below which one optimizer settles the matter."""


def best_fractions(witness: Witness, settings: FleetSettings, orbits: OrbitsAtLevel) -> dict[str, float]:
    """Return for each optimizer the largest fraction of runs that a tried combination led to the predicted orbit.

    Once one optimizer stays below a quarter, the others are not trained and count as 0.
    """
    best = dict.fromkeys(settings.optimizers, 0.0)
    for name in settings.optimizers:
        trials = _trials(witness, replace(settings, optimizers=(name,)), orbits, SILENT, "")
        best[name] = max((trial["predicted"] for trial in trials), default=0.0)
        if best[name] < HOPELESS:
            break
    return best
