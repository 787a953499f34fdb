"""Ways to put a claim of the library on a short trial, and to tamper with the code that it speaks of."""

import sys
from dataclasses import replace

import pytest

from proofs_check.claims import CLAIMS, Profile, verify_claims
from proofs_check.claims.library import l2, l3, l4, runs

MODULES = {
    "lion_k": sys.modules["modeconn.optim.lion_k"],
    "potential": sys.modules["modeconn.optim.potentials.potential"],
    "runs": runs,
    "l3": l3,
}


@pytest.fixture(scope="session")
def short():
    """A profile of a few seconds."""
    return Profile("short", instances=16, block=8, searched=0, shrink=8, polish=6, hint="")


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


@pytest.fixture
def trial(short):
    """Return a function: claim id, shape, instances that pass -> the result of a short trial without controls."""

    def run(claim_id, shape, count=24, **fixed):
        claim = CLAIMS[claim_id]

        def instances(of):
            names = {key: (fixed[key],) for key in ("potential", "optimizer") if key in fixed}
            drawn = claim.instances(of, *names.values())
            return drawn.map(lambda instance: {**instance, **fixed})

        restricted = replace(claim, instances=instances, shapes=[shape], controls=(), search=None, cost=1.0)
        return verify_claims([restricted], replace(short, instances=count, shrink=4, polish=0)).claims[0]

    return run
