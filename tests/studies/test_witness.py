"""Witnesses of claim N6: search, certificates, assignment of trained nets, slice, shipped data."""

import math
import random
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.studies import witness_search
from modeconn.studies.witness import Witness, examine, orbit_gauges, simplest_between, with_region, zero_loss_set
from modeconn.studies.witness_certificates import assignment_level, certify_witness
from modeconn.studies.witness_climb import TrainedWitness, climb_by_training, rank
from modeconn.studies.witness_fleet import FleetSettings, OrbitsAtLevel, choose, outcome_fractions, train_witness
from modeconn.studies.witness_search import SearchSettings, canonical_data, search_witnesses
from modeconn.studies.witness_shipped import shipped_records, shipped_witnesses
from modeconn.studies.witness_slice import _several_neurons, box_reach, spectral_reach, witness_slice
from modeconn.topology import (
    Ball,
    CellComplex,
    Neuron,
    Problem,
    ProductRegion,
    barrier_between,
    level_set_topology,
    lift,
    orbits_in_region,
    point_loss,
    problem_from_json,
)
from proofs_check.checker import check_certificate

SMALL = FleetSettings(rates=(1.0,), inits=("he",), tuning_seeds=8, seeds=8, steps=1500)


@pytest.fixture(scope="module")
def witness() -> Witness:
    return shipped_witnesses()[0]


@pytest.fixture(scope="module")
def certified(witness):
    return certify_witness(witness)


# ------------------------------------------------------------------------------------------------ what a witness is


def test_worked_example():
    """Oracle: theory, N6. Both norms of the README problem, its barrier and the radii 3/5 and 7/10 of the statement."""
    found = examine(problem_from_json({"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]}), 2)
    assert (found.orbits, found.components, found.barrier) == (2, 4, Fraction(1, 140))
    box, ball = found.predicted["linf"], found.predicted["spectral"]
    assert found.reaches["linf"][box] < 3 / 5 < found.reaches["linf"][ball]
    assert found.reaches["spectral"][ball] < 7 / 10 < found.reaches["spectral"][box]


def test_no_witness_and_no_zero_loss():
    """Oracle: by construction. |x| has one orbit at width 2; three points of a hat need three neurons."""
    assert examine(problem_from_json({"X": [[1], [-1]], "y": [1, 1]}), 2) is None
    with pytest.raises(InputError, match="least loss"):
        examine(problem_from_json({"X": [[1], [2]], "y": [1, -1]}), 1)


def test_symmetries_change_nothing(witness):
    """Oracle: conserved quantity. Permuted and negated inputs, shuffled data, negated and scaled targets."""
    X = [(x[1], -x[0]) for x in witness.problem.X]
    order = [2, 0, 3, 1]
    moved = Problem(tuple(X[i] for i in order), tuple(-3 * witness.problem.y[i] for i in order))
    found = examine(moved, 2)
    assert found.barrier == 9 * witness.barrier
    assert found.relative_barrier == pytest.approx(witness.relative_barrier)
    for norm in ("linf", "spectral"):
        assert sorted(found.reaches[norm]) == pytest.approx(sorted(math.sqrt(3) * r for r in witness.reaches[norm]))
    data = (tuple(tuple(map(int, x)) for x in witness.problem.X), tuple(map(int, witness.problem.y)))
    shuffled = ([tuple(map(int, X[i])) for i in order], [-data[1][i] for i in order])
    assert canonical_data(*shuffled) == canonical_data(*data)


def test_simplest_fraction():
    """Oracle: brute force over denominators."""
    rng = random.Random(0)
    for _ in range(200):
        low = Fraction(rng.randint(1, 400), rng.randint(1, 100))
        high = low + Fraction(1, rng.randint(2, 60))
        found = simplest_between(low, high)
        least = next(q for q in range(1, 200) if math.ceil(low * q) <= high * q)
        assert low <= found <= high
        assert found.denominator == least


# ------------------------------------------------------------------------------------------------ the search


def test_search_is_resumed_where_it_stopped(tmp_path, monkeypatch):
    """Oracle: the same search without a break; and every witness found is one by the exact topology."""
    monkeypatch.setattr(witness_search, "DRAWS", 20)
    settings = SearchSettings(seed=3)
    whole = search_witnesses(settings, 1e9, rounds=2)
    search_witnesses(settings, 1e9, rounds=1, folder=tmp_path)
    resumed = search_witnesses(settings, 1e9, rounds=2, folder=tmp_path, resume=True)
    assert resumed == whole
    assert (whole.rounds, whole.drawn) == (2, 2 * 8 * 20)
    assert whole.witnesses
    assert whole.several_orbits > whole.near_misses
    scores = [w.score for w in whole.witnesses]
    assert scores == sorted(scores, reverse=True)
    for found in whole.witnesses:
        assert found.barrier > 0
        assert found.predicted["linf"] != found.predicted["spectral"]
        assert max(abs(v) for v in (*found.problem.y, *(v for x in found.problem.X for v in x))) <= 2
    with pytest.raises(InputError, match="same settings"):
        search_witnesses(replace(settings, seed=2), 1.0, folder=tmp_path, resume=True)
    (tmp_path / "search.json").write_text("{")
    with pytest.raises(InputError, match="state of a search"):
        search_witnesses(settings, 1.0, folder=tmp_path, resume=True)


def test_budget_ends_the_search(monkeypatch):
    """Oracle: by construction, with a clock of our own: one second a look."""
    monkeypatch.setattr(witness_search, "DRAWS", 1)
    ticks = iter(range(1000))
    assert search_witnesses(SearchSettings(), 7.0, clock=lambda: float(next(ticks))).rounds in (3, 4)


@pytest.mark.parametrize(
    ("field", "value"), [("d", 0), ("sizes", ()), ("sizes", (0,)), ("sizes", (30,)), ("entries", 0)]
)
def test_impossible_settings(field, value):
    """Oracle: bad input is refused in one line."""
    with pytest.raises(InputError, match="expected"):
        SearchSettings(**{field: value})


def test_selection_keeps_what_nothing_beats(witness):
    """Oracle: by construction: the largest barrier and the largest gap stay, however low their score."""
    ends = [
        replace(witness, barrier=witness.barrier * k, reaches={n: (1.0, 1 + 0.1 / k**2) for n in witness.reaches})
        for k in (Fraction(1, 8), Fraction(1, 2), Fraction(2))
    ]
    crowd = [replace(witness, barrier=witness.barrier / 9, reaches={n: (1.0, 1.01) for n in witness.reaches})] * 20
    chosen = witness_search.select([*crowd, *ends], kept=3)
    assert {w.barrier for w in chosen} == {w.barrier for w in ends}


# ------------------------------------------------------------------------------------------------ certificates


def test_everything_is_certified(witness, certified):
    """Oracle: certificate. Four statements, each about its own problem, and rejected for the other region's."""
    assert set(certified.about.values()) == {"problem.json", "problem-box.json", "problem-spectral.json"}
    other = {"problem-box.json": "problem-spectral.json", "problem-spectral.json": "problem-box.json"}
    for file, certificate in certified.certificates.items():
        assert check_certificate(certificate, certified.problems[certified.about[file]]).accepted
        if certified.about[file] in other:
            assert certificate["statement"]["level"] == str(certified.eps)
            assert not check_certificate(certificate, certified.problems[other[certified.about[file]]]).accepted
    for point in certified.inside.values():
        assert point_loss(witness.problem, point) == 0
    assert certified.barrier.value == witness.barrier


def test_swapped_radii_are_refused(witness):
    """Oracle: control. With the radii exchanged the box meets both orbits and the ball none."""
    swapped = dict(zip(witness.radii, reversed(witness.radii.values()), strict=True))
    with pytest.raises(InputError, match=r"expected (each region to avoid|a zero-loss net)"):
        certify_witness(replace(witness, radii=swapped))


def test_small_radius_is_refused(witness):
    """Oracle: control. A radius below every reach meets no orbit."""
    with pytest.raises(InputError, match="choose a larger radius"):
        certify_witness(replace(witness, radii={**witness.radii, "linf": Fraction(1)}))


# ------------------------------------------------------------------------------------------------ shipped witnesses


@pytest.mark.parametrize("index", range(len(shipped_records())))
def test_shipped_records_are_what_the_topology_says(index):
    """Oracle: computed anew, certified, and gauges enclosed exactly: met at the fraction, avoided just below."""
    record, found = shipped_records()[index], shipped_witnesses()[index]
    certified = certify_witness(found)
    assert {norm: str(r) for norm, r in found.radii.items()} == record["radii"]
    assert (str(found.barrier), str(found.highest)) == (record["barrier"], record["highest_barrier"])
    assert (found.predicted, str(certified.eps)) == (record["predicted"], record["eps"])
    level_set = zero_loss_set(found.problem, found.width)
    squares = [g**2 for g in orbit_gauges(level_set, "spectral")]
    assert squares == pytest.approx([float(Fraction(v)) for v in record["squared_spectral_gauges"]], rel=1e-7)
    for orbit, text in enumerate(record["box_gauges"]):
        for scale, verdict in ((1, "meets"), (1 - Fraction(1, 10**5), "avoids")):
            region = ProductRegion(Ball("linf", Fraction(text) * scale), Ball("linf", Fraction(1)))
            confined = CellComplex(replace(found.problem, region=region), found.width)
            assert orbits_in_region(level_set_topology(confined))[orbit].verdict == verdict
    for shares in record["runs"]["fractions"].values():
        assert sum(shares.values()) == pytest.approx(1)
        assert shares["predicted"] > 0.5


# ------------------------------------------------------------------------------------------------ trained nets


def test_assignment_ignores_scale_and_order(witness):
    """Oracle: by construction: rescaled, permuted, slightly moved nets stay in their orbit; a zero net is in none."""
    found = zero_loss_set(witness.problem, witness.width)
    orbits = OrbitsAtLevel.of(witness)
    rng = np.random.default_rng(0)
    for component in found.components:
        net = lift(component.representative)
        scale = np.exp(rng.normal(size=witness.width))
        W, A = np.asarray(net.W) * scale, np.asarray(net.A) / scale
        assert orbits.orbit_of(Net(W[:, ::-1], A[:, ::-1])) == component.orbit
        assert orbits.orbit_of(Net(W + 1e-5 * rng.normal(size=W.shape), A)) == component.orbit
    assert orbits.orbit_of(Net(np.zeros((2, 2)), np.zeros((1, 2)))) is None
    with pytest.raises(InputError, match="lower it"):
        OrbitsAtLevel(found, witness.barrier)


def test_level_leaves_no_room_in_the_other_orbit(witness):
    """Oracle: random nets of each region, pulled towards the other orbit: none below eps is in its component."""
    orbits, eps = OrbitsAtLevel.of(witness), assignment_level(witness)
    assert 0 < eps <= witness.barrier / 1000
    found, rng = zero_loss_set(witness.problem, witness.width), np.random.default_rng(1)
    for norm, radius in witness.radii.items():
        assert with_region(witness.problem, norm, radius).region.W.radius == radius
        reach = box_reach if norm == "linf" else spectral_reach
        for component in found.components:
            U = np.asarray(lift(component.representative).W)
            signs = np.array([[float(neuron.s) for neuron in component.representative]])
            for _ in range(20):
                near = U * (1 + 0.05 * rng.normal(size=U.shape))
                near *= min(1.0, (float(radius) / float(reach(near))) ** 2)
                assert orbits.orbit_of(Net(near, signs)) in (None, witness.predicted[norm])


def test_fleets_end_where_their_rows_say(witness):
    """Oracle: exact barrier to a net of the orbit that a run was assigned to: no climbing above eps; losses by hand."""
    rows, trials = train_witness(witness, SMALL)
    assert [row["optimizer"] for row in rows] == ["adamw"] * 8 + ["lion"] * 8 + ["muon"] * 8
    assert {row["seed"] for row in rows} == set(range(8, 16))
    assert len(trials) == 3
    found, eps = zero_loss_set(witness.problem, witness.width), assignment_level(witness)
    X = np.array([[float(v) for v in x] for x in witness.problem.X])
    y = np.array([float(v) for v in witness.problem.y])
    shown = set()
    for row in rows:
        loss = ((np.maximum(X @ np.array(row["W"]), 0) @ np.array(row["A"]) - y) ** 2).sum() / 2
        assert row["loss"] == pytest.approx(loss, abs=1e-12)
        assert (row["outcome"] in ("predicted", "elsewhere")) <= (row["loss"] <= float(eps))
        if row["orbit"] is not None and row["optimizer"] not in shown:
            shown.add(row["optimizer"])
            start = tuple(
                Neuron(tuple(abs(Fraction(a)) * Fraction(v) for v in w), 1 if a > 0 else -1)
                for w, a in zip(np.array(row["W"]).T.tolist(), row["A"], strict=True)
            )
            levels = {
                orbit: min(
                    barrier_between(found.complex, start, c.representative).value
                    for c in found.components
                    if c.orbit == orbit
                )
                for orbit in range(found.orbits)
            }
            assert [orbit for orbit, level in levels.items() if level <= eps] == [row["orbit"]]
    assert shown == {"adamw", "lion", "muon"}
    shares = outcome_fractions(rows)
    assert all(sum(share.values()) == pytest.approx(1) for share in shares.values())


def test_choice_of_settings():
    """Oracle: by hand: start b has the better worst optimizer, though start a has the single best run."""
    table = {
        ("a", "adamw"): (0.9, 0.1),
        ("a", "muon"): (0.1, 0.2),
        ("b", "adamw"): (0.4, 0.5),
        ("b", "muon"): (0.6, 0.3),
    }
    trials = [
        {"init": init, "optimizer": name, "learning_rate": rate, "predicted": share}
        for (init, name), shares in table.items()
        for rate, share in zip((0.1, 0.3), shares, strict=True)
    ]
    assert choose(trials, ["adamw", "muon"]) == ("b", {"adamw": 0.3, "muon": 0.1})


def test_ranking(witness):
    """Oracle: by hand: majorities by score, the rest by their least fraction."""
    weak = replace(witness, barrier=witness.barrier / 2)
    entries = [
        TrainedWitness(witness, {"adamw": 0.4, "muon": 1.0}),
        TrainedWitness(weak, {"adamw": 0.9, "muon": 0.9}),
        TrainedWitness(witness, {"adamw": 0.6, "muon": 0.6}),
        TrainedWitness(witness, {"adamw": 0.45, "muon": 0.5}),
    ]
    assert rank(entries) == [entries[2], entries[1], entries[3], entries[0]]


def test_climb_keeps_its_state(witness, tmp_path):
    """Oracle: conserved: what was trained before the break is there after it, and is not trained again."""
    fleets = replace(SMALL, optimizers=("adamw", "muon"))
    settings = SearchSettings(sizes=(4,))
    common = {"fleets": fleets, "folder": tmp_path}
    first = climb_by_training([witness], settings, 1e9, steps=1, **common)
    assert [entry.witness for entry in first] == [witness]
    again = climb_by_training([witness], settings, 1e9, steps=1, resume=True, **common)
    assert {t.witness.problem.X for t in first} < {t.witness.problem.X for t in again} or len(again) == 2
    assert next(t for t in again if t.witness.problem.y == witness.problem.y).fractions == first[0].fractions


# ------------------------------------------------------------------------------------------------ the slice


def test_reaches_agree_with_the_programs():
    """Oracle: independent implementation (semidefinite program), and the closed form for orthogonal neurons."""
    U = np.random.default_rng(0).normal(size=(12, 2, 2))
    programs = [math.sqrt(_several_neurons(one)) for one in U]
    assert spectral_reach(U) == pytest.approx(programs, rel=1e-7)
    three = np.diag([3.0, 4.0, 12.0])  # r^4 = 9 + 16 + 144
    assert float(spectral_reach(three)) == pytest.approx(169**0.25, rel=1e-7)
    assert spectral_reach(U, fixed=True) == pytest.approx([np.linalg.svd(one)[1][0] for one in U])
    assert float(box_reach(U[0], fixed=True)) == np.abs(U[0]).max()


def test_slice_shows_what_is_certified(witness, certified):
    """Oracle: exact values: zero loss at both nets, the barrier at the pass, each net in its own region only."""
    plane = witness_slice(certified, points=41)
    assert plane.path[0] == pytest.approx([0, 0], abs=1e-9)
    assert plane.path[-1] == pytest.approx([1, 0], abs=1e-9)
    assert plane.summit[1] == pytest.approx(1)
    for x, norm, other in ((0.0, "linf", "spectral"), (1.0, "spectral", "linf")):
        i, j = np.abs(plane.y).argmin(), np.abs(plane.x - x).argmin()
        net = np.asarray(lift(certified.inside[norm]).W)
        assert float(box_reach(net) if norm == "linf" else spectral_reach(net)) <= float(witness.radii[norm])
        assert float(box_reach(net) if other == "linf" else spectral_reach(net)) > float(witness.radii[other])
        assert plane.loss[i, j] < 0.5
    assert plane.loss.shape == plane.reach["linf"].shape == (41, 41)
