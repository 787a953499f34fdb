"""What the strategies of the library can reach: the degenerate cases on which optimizers and barriers break."""

import numpy as np
import pytest

from modeconn.optim import POTENTIALS
from proofs_check.claims import CLAIMS
from proofs_check.claims.draws import draw
from proofs_check.claims.library.measures import measure
from proofs_check.claims.library.runs import NORMS_ONLY
from proofs_check.claims.library.tensors import KINDS, tensors
from proofs_check.exact.segment import BASELINES, segment_enclosure

DRAWS = 250


def drawn(strategy, count=DRAWS):
    found = []
    draw(strategy, count, 11, lambda instance: found.append(instance))
    return found


def of(claim_id, shape_index=1, count=DRAWS):
    claim = CLAIMS[claim_id]
    return drawn(claim.instances(tuple(claim.shapes[shape_index])), count)


def reaches(cases, *conditions):
    for number, condition in enumerate(conditions):
        assert any(condition(case) for case in cases), f"no case meets condition {number}"


@pytest.mark.parametrize("kind", KINDS)
def test_entries_stay_in_range(kind):
    """By construction: every kind fills with numbers in [-1, 1]."""
    for seed in range(50):
        assert np.abs(KINDS[kind](np.random.default_rng(seed), (3, 2))).max() <= 1


def test_tensors_reach_degenerate_matrices():
    """By construction: zero, ties of all magnitudes, rank 1, equal rows, full 53-bit floats."""
    matrices = [np.array(entries) for entries in drawn(tensors((3, 3), 2.0))]
    assert all(np.abs(x).max() <= 2 for x in matrices)
    reaches(
        matrices,
        lambda x: not x.any(),
        lambda x: len(np.unique(np.abs(x))) == 1 and x.any(),
        lambda x: np.linalg.matrix_rank(x) == 1,
        lambda x: len(np.unique(x, axis=0)) < 3 and x.any(),
        lambda x: any(float(entry).as_integer_ratio()[1] > 2**40 for entry in x.ravel()),
        lambda x: np.linalg.matrix_rank(x) == 3,
    )


@pytest.mark.parametrize("claim_id", ["L1", "L5"])
def test_runs_reach_every_potential_and_the_ends_of_the_hypotheses(claim_id):
    """By construction: both forms, b1 = 0, b1 > b2, eps lam = 1, a zero gradient step, gradients of 1e-30."""
    runs = of(claim_id, count=400)
    names = set(POTENTIALS) if claim_id == "L1" else set(NORMS_ONLY)
    assert {run["potential"] for run in runs} == names
    reaches(
        runs,
        lambda run: run["form"] == "explicit",
        lambda run: run["form"] == "implicit",
        lambda run: run["b1"] == 0,
        lambda run: run["b1"] > run["b2"],
        lambda run: run["lr"] * run["decay"] == 1,
        lambda run: run["scale"] == 1e-30,
        lambda run: any(not np.any(g) for g in run["gradients"]) and np.any(run["gradients"]),
        lambda run: not np.any(run["x0"]),
    )


def test_l2_reaches_nonconvex_losses_and_the_boundary_of_the_ball():
    """By construction: lam x_0 on the sphere and at 0, negative and zero curvature, both orders of the betas."""
    steps = of("L2", count=500)
    assert {step["potential"] for step in steps} == set(POTENTIALS)

    def size(step):
        return float(measure(step["potential"]).size(np.array(step["x"]) * step["decay"]))

    reaches(
        steps,
        lambda step: np.min(step["curvature"]) < 0,
        lambda step: not np.any(step["curvature"]),
        lambda step: step["b1"] < step["b2"],
        lambda step: step["b1"] > step["b2"],
        lambda step: step["potential"] == "l1" and size(step) == 1,
        lambda step: measure(step["potential"]).magnitude == "singular" and 0.9 < size(step) <= 1,
        lambda step: size(step) == 0,
    )


def test_l3_reaches_every_optimizer():
    """By construction: AdamW and every potential; equal betas; ties."""
    problems = of("L3", count=300)
    assert {problem["optimizer"] for problem in problems} == {"adamw", *POTENTIALS}
    reaches(
        problems,
        lambda p: p["b1"] == p["b2"],
        lambda p: len(np.unique(np.abs(p["linear"]))) == 1,
        lambda p: np.abs(p["linear"]).max() < p["curvature"][0][0] / p["decay"],
    )


def test_l4_reaches_both_precisions_of_every_norm():
    """By construction: every norm, float32 at 1e-30, steps above 1, rank-deficient gradients."""
    runs = of("L4", count=400)
    assert {(run["potential"], run["dtype"]) for run in runs} == {
        (name, dtype) for name in NORMS_ONLY for dtype in ("float32", "float64")
    }
    reaches(
        runs,
        lambda run: (run["dtype"], run["scale"], run["potential"]) == ("float32", 1e-30, "nuclear"),
        lambda run: run["lr"] * run["decay"] > 1,
        lambda run: np.linalg.matrix_rank(run["gradients"][0]) == 1,
    )


def test_s1_reaches_dead_neurons_repeated_data_and_nets_without_leaves():
    """By construction: a neuron dead all along, zero and equal data points, no bias, fixed outputs, equal nets."""
    pairs = of("S1", shape_index=2, count=150) + of("S1", count=150)
    assert {pair["baseline"] for pair in pairs} == set(BASELINES)

    def heights(pair, end):
        bias = np.zeros(len(pair[f"W{end}"][0])) if pair[f"b{end}"] is None else np.array(pair[f"b{end}"])
        return np.array(pair["X"]) @ np.array(pair[f"W{end}"]) + bias

    reaches(
        pairs,
        lambda pair: ((heights(pair, "0") <= 0) & (heights(pair, "1") <= 0)).all(0).any() and np.any(pair["X"]),
        lambda pair: not np.any(pair["X"], axis=1).all(),
        lambda pair: len(np.unique(pair["X"], axis=0)) < len(pair["X"]) and np.any(pair["X"]),
        lambda pair: (heights(pair, "0") * heights(pair, "1") < 0).sum() > 4,
        lambda pair: (heights(pair, "0") == 0).any(),
        lambda pair: pair["A0"] is None,
        lambda pair: pair["b0"] is None,
        lambda pair: len(pair["Y"][0]) == 2,
    )


def test_a_quarter_of_the_pairs_of_s1_have_a_barrier():
    """Closed form: above the higher end at some t in (0, 1); else a grid, or the ends, would do for the maximum."""
    for index in (1, 2):
        pairs = of("S1", shape_index=index, count=60)
        peaks = [segment_enclosure(*nets(pair), pair["X"], pair["Y"], "endpoint_max").lower > 0 for pair in pairs]
        assert 4 * sum(peaks) > len(peaks)


def nets(pair):
    return [tuple(pair[name + end] for name in "WAb") for end in "01"]


@pytest.mark.parametrize("claim_id", ["L1", "L2", "L3", "L4", "L5", "S1", "ADAM"])
def test_most_instances_meet_the_hypotheses(claim_id):
    """By construction: at every shape of a claim and of each control at least a third of the draws count."""
    claim = CLAIMS[claim_id]
    for trial in (claim, *(claim.control(control.id) for control in claim.controls)):
        for shape in trial.shapes:
            cases = drawn(trial.instances(tuple(shape)), 24)
            met = sum(all(hypothesis.holds(case) for hypothesis in trial.hypotheses) for case in cases)
            assert 3 * met >= len(cases), (trial.id, shape)
