"""Pairs of trained nets: what is certified, what is vacuous and why, and that a path that is none is seen."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from modeconn.campaigns import InThisProcess, run_campaign, spec_from_table
from modeconn.campaigns.families import trained_pair
from modeconn.campaigns.families.drawing import block_generator
from modeconn.constructions import connect
from modeconn.studies.connectivity_samples import sample_path

JOB = {"optimizer": "lion", "n": 3, "d": 2, "width": 12, "steps": 40}
FAMILY = trained_pair.FAMILY


def parameters(**changes):
    return {**FAMILY.defaults, **JOB, **changes}


@pytest.mark.parametrize(("optimizer", "claim"), [("lion", "W4"), ("muon", "W1")])
def test_wide_pairs_are_joined_and_certified(optimizer, claim):
    """Certificate: the independent checker accepts the path of every pair; margins are the allowance minus rounding."""
    chosen = parameters(optimizer=optimizer, width=16)
    found = FAMILY.run_block(chosen, 0, 0)
    assert (found.instances, found.vacuous, found.certified) == (16, 0, 16)
    assert 0 <= found.margin <= 1e-9
    assert FAMILY.about(chosen) == claim


def test_what_is_vacuous_is_what_the_construction_cannot_join():
    """Independent implementation: ``connect``, pair by pair, on nets trained again."""
    chosen = parameters(width=3, certify=False)
    found = FAMILY.run_block(chosen, 3, 1)
    draw = block_generator("trained-pair", chosen, 3, 1)
    X, Y = draw.standard_normal((3, 2)), draw.standard_normal((3, 1))
    nets, _ = trained_pair._trained(chosen, X, Y, int(draw.integers(2**31)))
    joined = [connect(*pair, X, Y, "linf:8").joined for pair in trained_pair._pairs(nets)]
    assert 0 < sum(joined) < 16
    assert found.missed == {"the live neurons fit the width": 16 - sum(joined)}
    assert found.vacuous == 16 - sum(joined)
    assert (found.certified, found.undecided, found.refuted) == (0, 0, 0)


def test_nets_outside_their_ball_are_vacuous():
    """Oracle: a ball of radius 1/64 that a step of training does not reach from the initialisation."""
    found = FAMILY.run_block(parameters(weight_decay=64, learning_rate=1e-6, steps=1), 0, 0)
    assert found.missed == {"both nets are in the region": 16}
    assert found.margin is None


def test_the_summary_does_not_depend_on_the_shards(tmp_path):
    """Conserved quantity: the summary over shard sizes, float by float; seeds draw other nets."""
    table = {"seed": 2, "job": [{**JOB, "family": "trained-pair", "instances": 48}]}
    summaries = [
        run_campaign(spec_from_table(table, "x"), tmp_path / str(size), InThisProcess, shard=size).summary.to_json()
        for size in (16, 48)
    ]
    assert summaries[0] == summaries[1]
    other = run_campaign(spec_from_table({**table, "seed": 3}, "x"), tmp_path / "other", InThisProcess).summary
    assert other.to_json()["cells"][0]["margin"] != summaries[0]["cells"][0]["margin"]


def test_a_level_that_is_too_low_is_seen_by_the_checker(monkeypatch):
    """Oracle: certificates whose level lies below the loss of the ends; the checker refuses each."""
    honest = trained_pair.connect_batch

    def lowered(*arguments):
        return [dataclasses.replace(found, level=found.level / 2) for found in honest(*arguments)]

    monkeypatch.setattr(trained_pair, "connect_batch", lowered)
    found = FAMILY.run_block(parameters(width=16), 0, 0)
    assert (found.certified, found.undecided) == (0, 16)
    assert found.margin == -1.0
    assert "accepted" not in found.violations[0]["checker"]


@pytest.mark.parametrize(("what", "by"), [("loss", 1e-6), ("excess", 1e-6)])
def test_a_path_that_rises_or_leaves_is_undecided(what, by, monkeypatch):
    """Oracle: forward passes that see more than the allowance, above the ends or outside the ball."""

    def seen(*arguments):
        honest = sample_path(*arguments)
        values = np.array(getattr(honest, what))
        values[len(values) // 2] = by if what == "excess" else by + values.max() * (1 + by)
        return honest._replace(**{what: values})

    monkeypatch.setattr(trained_pair, "sample_path", seen)
    found = FAMILY.run_block(parameters(width=16), 0, 0)
    assert (found.undecided, found.certified) == (16, 0)
    assert found.violations[0]["checker"] == "accepted"


def test_regions_are_those_of_the_decay():
    """Closed form: balls of radius 1 / lambda, the decay read as it is written."""
    region = trained_pair.region_of_optimizer("adamw", 0.1)
    assert {ball.radius for ball in region.balls} == {Fraction(10)}
    assert region.kind == "box"
    assert trained_pair.region_of_optimizer("muon", 0.125).kind == "gram"
    assert trained_pair.region_of_optimizer("muon_mixed", 0.125).kind == "mixed"
