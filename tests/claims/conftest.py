"""Ways to put a claim of the library on a short trial, and to tamper with the code that it speaks of."""

import sys
from dataclasses import replace

import jax
import jax.numpy as jnp
import optax
import pytest

from modeconn.optim.lion_k import MomentumState, scale_by_decoupled_decay, scale_by_lion_k
from proofs_check.claims import CLAIMS, Profile, verify_claims
from proofs_check.claims.library import l2, l3, l4, runs

SHORT = Profile("short", instances=24, block=12, searched=0, shrink=12, polish=20, hint="")


@pytest.fixture
def tamper(monkeypatch):
    """Return a function that replaces names for one test, dropping the programs compiled before and with them."""

    def forget():
        for program in (runs._program, l2._program, l3._program, l4._practical):
            program.cache_clear()

    def replace_names(**targets):
        for target, value in targets.items():
            module, name = target.split("__")
            monkeypatch.setattr(MODULES[module], name, value)

    forget()
    yield replace_names
    forget()


MODULES = {
    "lion_k": sys.modules["modeconn.optim.lion_k"],
    "potential": sys.modules["modeconn.optim.potentials.potential"],
    "separable": sys.modules["modeconn.optim.potentials.separable"],
    "runs": runs,
    "l3": l3,
}


@pytest.fixture
def trial():
    """Return a function: claim id, shape, instances that pass -> the result of a short trial without controls."""

    def run(claim_id, shape, count=24, **fixed):
        claim = CLAIMS[claim_id]

        def instances(of):
            names = {key: (fixed[key],) for key in ("potential", "optimizer") if key in fixed}
            drawn = claim.instances(of, *names.values())
            return drawn.map(lambda instance: {**instance, **fixed})

        restricted = replace(claim, instances=instances, shapes=[shape], controls=(), search=None, cost=1.0)
        return verify_claims([restricted], replace(SHORT, instances=count, shrink=4, polish=0)).claims[0]

    return run


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
