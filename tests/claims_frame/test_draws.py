"""The door to Hypothesis: repeatable draws, steered towards violation."""

import importlib.util
import sys
from collections import Counter

import pytest
from hypothesis import strategies as st

from proofs_check.claims.draws import derive_seed, draw

VECTOR = st.lists(st.floats(-1, 1), min_size=3, max_size=3)
INTEGERS = st.integers()


def drawn(strategy, count, seed, score=lambda value: None):
    seen = []

    def visit(value):
        seen.append(value)
        return score(value)

    draw(strategy, count, seed, visit)
    return seen


@pytest.mark.parametrize("count", [1, 4, 25, 200])
def test_draws_as_many_as_asked_and_the_same_for_the_same_seed(count):
    """By construction, with targeting on."""
    first = drawn(VECTOR, count, 3, sum)
    assert len(first) == count
    assert drawn(VECTOR, count, 3, sum) == first
    assert count == 1 or drawn(VECTOR, count, 4, sum) != first


def test_draws_do_not_depend_on_the_modules_loaded(tmp_path):
    """By construction: Hypothesis would mix constants of a newly imported local module into integers and floats."""
    before = drawn(INTEGERS, 400, 0)
    path = tmp_path / "loaded_later.py"
    path.write_text("\n".join(f"C{k} = {7_000_000_001 + k}" for k in range(200)), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("loaded_later", path)
    sys.modules["loaded_later"] = importlib.util.module_from_spec(spec)
    try:
        assert drawn(INTEGERS, 400, 0) == before
    finally:
        del sys.modules["loaded_later"]


def test_the_outside_world_keeps_its_constants():
    """By construction: draws inside a test of the user's own leave Hypothesis as it was."""
    from hypothesis.internal.conjecture import providers

    original = providers._get_local_constants
    drawn(INTEGERS, 10, 0)
    assert providers._get_local_constants is original


def test_targeting_finds_larger_scores_than_chance():
    """Independent comparison: the same number of draws without a score, over several seeds."""
    blind = sum(max(sum(v) for v in drawn(VECTOR, 300, seed)) for seed in range(3))
    steered = sum(max(sum(v) for v in drawn(VECTOR, 300, seed, sum)) for seed in range(3))
    assert steered > blind


@pytest.mark.parametrize("count", [12, 30, 200])
def test_instances_are_different_from_one_another(count):
    """By construction: no instance is visited twice, and nested parts are not copies of a few either."""
    strategy = st.fixed_dictionaries({"seed": st.integers(0, 2**32 - 1), "kind": st.sampled_from("abc")})
    found = drawn(strategy, count, 5)
    assert len({str(value) for value in found}) == len(found) == count
    assert len({value["seed"] for value in found}) > 0.6 * count


def test_small_strategies_are_exhausted():
    """By construction: three values, each drawn once."""
    assert Counter(drawn(st.sampled_from("abc"), 50, 0)) == Counter("abc")


def test_derived_seeds_differ_and_repeat():
    """By construction."""
    seeds = {derive_seed(seed, claim, block) for seed in range(5) for claim in ("a", "b") for block in range(50)}
    assert len(seeds) == 500
    assert derive_seed(0, "a", 1) == derive_seed(0, "a", 1)
    assert derive_seed(0, "a", 1) != derive_seed(0, "a", "1")
