"""Claims under sabotage: the code under test is broken on purpose, and the claim must not come out as held."""

import sys
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from modeconn.optim.lion_k import MomentumState, scale_by_decoupled_decay, scale_by_lion_k
from modeconn.paths import net_barrier_on_grid
from proofs_check.claims import CLAIMS, Outcome, verify_claims
from proofs_check.claims.library import adam, s1
from proofs_check.claims.library.decision import decide


def stepping(c_of, m_of):
    """Return a false scale_by_lion_k: its gradK argument and next momentum are functions of (b1, b2, m, g)."""

    def scale(potential, b1=0.9, b2=0.99):
        def init(params):
            return MomentumState(jax.tree.map(jnp.zeros_like, params))

        def update(gradient, state, params=None):
            c = jax.tree.map(lambda m, g: c_of(b1, b2, m, g), state.momentum, gradient)
            m = jax.tree.map(lambda m, g: m_of(b1, b2, m, g), state.momentum, gradient)
            return jax.tree.map(potential.gradient, c), MomentumState(m)

        return optax.GradientTransformation(init, update)

    return scale


def mix(b, m, g):
    return b * m + (1 - b) * g


MISTAKES = {
    "momentum-of-the-wrong-sign": stepping(
        lambda b1, b2, m, g: mix(b1, m, g), lambda b1, b2, m, g: -mix(b2, m, g)
    ),
    "b2-for-b1-in-the-step": stepping(lambda b1, b2, m, g: mix(b2, m, g), lambda b1, b2, m, g: mix(b2, m, g)),
    "b1-for-b2-in-the-momentum": stepping(lambda b1, b2, m, g: mix(b1, m, g), lambda b1, b2, m, g: mix(b1, m, g)),
    "no-interpolation": stepping(lambda b1, b2, m, g: m, lambda b1, b2, m, g: mix(b2, m, g)),
    "momentum-undamped": stepping(lambda b1, b2, m, g: mix(b1, m, g), lambda b1, b2, m, g: b2 * m + g),
}  # fmt: skip


def coupled_lion_k(learning_rate, potential, weight_decay=0.0, b1=0.9, b2=0.99, decay="explicit"):
    """Lion-K with the decay inside the gradient."""
    return optax.chain(
        optax.add_decayed_weights(weight_decay),
        scale_by_lion_k(potential, b1, b2),
        scale_by_decoupled_decay(learning_rate, 0.0),
    )


def lion_k_decaying(factor):
    """Lion-K whose decay is off by a factor."""

    def build(learning_rate, potential, weight_decay=0.0, b1=0.9, b2=0.99, decay="explicit"):
        return optax.chain(
            scale_by_lion_k(potential, b1, b2), scale_by_decoupled_decay(learning_rate, factor * weight_decay, decay)
        )

    return build


def always_explicit(learning_rate, potential, weight_decay=0.0, b1=0.9, b2=0.99, decay="explicit"):
    """Lion-K that ignores the form of decay asked for."""
    return optax.chain(scale_by_lion_k(potential, b1, b2), scale_by_decoupled_decay(learning_rate, weight_decay))


def assert_caught(result):
    """Assert that the trial found violations that were neither overlooked nor passed off as rounding."""
    assert result.verdict in ("undecided", "refuted")
    assert result.errors == ()
    assert result.trial.unconfirmed + result.trial.refuted > 0
    assert result.trial.margin < -1e-7


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("claim_id", ["L2", "L5"])
def test_a_wrong_momentum_is_caught(mistake, claim_id, tamper, trial):
    """By construction: Lion whose c_t or m_{t+1} is another combination of m_t and g_t."""
    tamper(lion_k__scale_by_lion_k=MISTAKES[mistake])
    fixed = {"form": "explicit"} if claim_id == "L5" else {}
    assert_caught(trial(claim_id, tuple(CLAIMS[claim_id].shapes[1]), 40, potential="l1", **fixed))


@pytest.mark.parametrize("claim_id", ["L1", "L4", "L5"])
def test_coupled_decay_is_caught(claim_id, tamper, trial):
    """By construction: the decay enters the gradient instead of the step."""
    tamper(runs__lion_k=coupled_lion_k)
    assert_caught(trial(claim_id, tuple(CLAIMS[claim_id].shapes[0]), 8, potential="l1", form="explicit"))


@pytest.mark.parametrize("claim_id", ["L1", "L4", "L5"])
def test_half_the_decay_is_caught(claim_id, tamper, trial):
    """By construction: the decay is lam / 2."""
    tamper(runs__lion_k=lion_k_decaying(0.5))
    assert_caught(trial(claim_id, tuple(CLAIMS[claim_id].shapes[0]), 8, potential="l1", form="explicit"))


def test_an_explicit_step_in_place_of_the_implicit_one_is_caught(tamper, trial):
    """By construction: the form of decay is ignored."""
    tamper(runs__lion_k=always_explicit)
    assert_caught(trial("L5", tuple(CLAIMS["L5"].shapes[0]), potential="l1", form="implicit"))


def polar_off_by(change):
    def factor(G, method="auto"):
        U, s, Vt = jnp.linalg.svd(G, full_matrices=False)
        return (U * jnp.where(jnp.arange(len(s)) == 0, 1 + change, 1)) @ Vt

    return factor


@pytest.mark.parametrize(("claim_id", "change"), [("L5", 1e-3), ("L5", -1e-3), ("L5", 1e-9), ("L4", 1e-3)])
def test_a_polar_factor_off_in_one_singular_value_is_caught(claim_id, change, tamper, trial):
    """By construction: the leading singular value of the polar factor is 1 + change."""
    tamper(potential__polar_factor=polar_off_by(change))
    shape = tuple(CLAIMS[claim_id].shapes[1])
    fixed = {"dtype": "float64"} if claim_id == "L4" else {"scale": 1.0}
    result = trial(claim_id, shape, 12, potential="nuclear", form="explicit", **fixed)
    assert (result.verdict, result.errors) == ("undecided", ())
    assert result.trial.unconfirmed > 0


def test_squares_that_underflow_in_float32_are_caught(tamper, trial, monkeypatch):
    """By construction: row lengths sqrt(sum x^2), not rescaled, lose a gradient of 1e-30 in float32."""

    def naive(self, x):
        length = jnp.sqrt(jnp.sum(x * x, axis=1, keepdims=True))
        return x / jnp.where(length == 0, 1, length)

    tamper()
    monkeypatch.setattr(sys.modules["modeconn.optim.potentials.potential"].NormPotential, "gradient", naive)
    fixed = {"potential": "sum_row", "form": "explicit", "scale": 1e-30}
    shape = tuple(CLAIMS["L4"].shapes[1])
    assert trial("L4", shape, 12, dtype="float64", **fixed).verdict == "not refuted"
    assert_caught(trial("L4", shape, 12, dtype="float32", **fixed))


def test_a_huber_gradient_that_leaves_the_ball_is_caught(tamper, trial, monkeypatch):
    """By construction: x / delta without the projection."""
    tamper()
    monkeypatch.setattr(
        sys.modules["modeconn.optim.potentials.separable"].Huber, "gradient", lambda self, x: x / self.delta
    )
    assert_caught(trial("L1", tuple(CLAIMS["L1"].shapes[0]), potential="huber_l1", form="explicit"))


@pytest.mark.parametrize("factor", [0.0, 0.5])
def test_a_limit_of_another_problem_is_caught(factor, tamper, trial):
    """By construction: without decay, or with half of it, the run rests where no or a larger ball binds."""
    tamper(l3__lion_k=lion_k_decaying(factor))
    assert_caught(trial("L3", tuple(CLAIMS["L3"].shapes[0]), 12, optimizer="l1"))


WRONG_BARRIERS = {
    "off-by-1e-6": lambda b: b._replace(barrier=b.barrier + 1e-6 * (1 + b.max_loss)),
    "too-low": lambda b: b._replace(barrier=b.barrier - 1e-6 * (1 + b.max_loss)),
    "another-argmax": lambda b: b._replace(argmax_t=1 - b.argmax_t),
    "ends-swapped": lambda b: b._replace(loss_start=b.loss_end, loss_end=b.loss_start),
    "bound-too-low": lambda b: b._replace(upper=b.barrier - 1e-6 * (1 + b.max_loss)),
    "bound-too-high": lambda b: b._replace(lower=b.barrier + 1e-6 * (1 + b.max_loss)),
    "largest-loss": lambda b: b._replace(max_loss=max(b.loss_start, b.loss_end)),
}


@pytest.mark.parametrize("mistake", WRONG_BARRIERS)
def test_a_wrong_barrier_is_refuted(mistake, monkeypatch, trial):
    """By construction: the record of ``barrier_exact`` is changed; margins are exact, so this is a refutation."""
    right = s1.barrier_exact
    monkeypatch.setattr(s1, "barrier_exact", lambda *nets, **options: WRONG_BARRIERS[mistake](right(*nets, **options)))
    assert trial("S1", tuple(CLAIMS["S1"].shapes[1])).verdict == "refuted"


def test_a_grid_posing_as_exact_is_refuted(monkeypatch, trial):
    """By construction: ``net_barrier_on_grid`` with 1,001 points, under the name of the exact barrier."""

    def posing(net0, net1, X, Y, baseline):
        found = net_barrier_on_grid(net0, net1, X, Y, points=1001, baseline=baseline)
        return found._replace(upper=found.barrier)

    monkeypatch.setattr(s1, "barrier_exact", posing)
    assert trial("S1", tuple(CLAIMS["S1"].shapes[2])).verdict == "refuted"


def test_an_enclosure_that_the_checker_rejects_is_no_certificate(monkeypatch, trial):
    """By construction: the upper end of the enclosure is pulled below the barrier, and the code agrees with it."""
    right = s1._enclosure

    def low(instance, proposals=()):
        found = right(instance, proposals)
        return found._replace(upper=found.lower - Fraction(1, 10**12))

    monkeypatch.setattr(s1, "_enclosure", low)
    result = trial("S1", tuple(CLAIMS["S1"].shapes[1]), 12)
    assert (result.verdict, result.trial.certified, result.trial.margin) == ("refuted", 0, -1)


def test_amsgrad_in_place_of_adam_saves_the_theorem(monkeypatch, short):
    """Independent theory (Reddi, Kale, Kumar 2018): with v that never decreases the same games are won."""
    right = adam._play

    def amsgrad(instance):
        slopes, *_ = right(instance)
        points, x, v, largest = [], float(instance["x1"]), 0.0, 0.0
        for t, g in enumerate(slopes, start=1):
            points.append(x)
            v = instance["b2"] * v + (1 - instance["b2"]) * g * g
            largest = max(largest, v / (1 - instance["b2"] ** t))
            x = float(np.clip(x - instance["alpha"] / np.sqrt(t) * g / np.sqrt(largest), -1, 1))
        return slopes, np.array(points), largest

    monkeypatch.setattr(adam, "_play", amsgrad)
    (result,) = verify_claims([CLAIMS["ADAM"]], short).claims
    assert (result.verdict, result.trial.violations) == ("undecided", 0)


def test_a_large_violation_is_never_rounding():
    """By construction: exact arithmetic sees nothing; a margin of -1e-3 stays open, one of -1e-9 is dismissed."""
    for margin, answer in ((-1e-3, None), (-1e-9, False)):
        assert decide(lambda i, margin=margin: Outcome(margin), lambda i: False).confirm({}) is answer
