"""Campaign files: products of parameters, stable names, and what is refused."""

import datetime

import pytest

from modeconn.campaigns import FAMILIES, Tally, missing_shards, read_spec, spec_from_table, total
from modeconn.errors import InputError

SEGMENTS = {"family": "segment-barrier", "instances": 600, "n": [2, 4], "d": 2, "width": [1, 2]}
TRAINED = {"family": "trained-pair", "instances": 16, "optimizer": "lion", "width": 8, "n": 4, "d": 2}
NARROW = {"family": "narrow-barrier", "instances": 1, "n": 1, "d": 1, "width": 1}


def test_lists_are_multiplied_out_and_rounded_to_the_grain():
    """Oracle: by construction."""
    spec = spec_from_table({"job": [SEGMENTS]}, "name")
    assert [(cell.parameters["n"], cell.parameters["width"]) for cell in spec.cells] == [(2, 1), (2, 2), (4, 1), (4, 2)]
    assert {cell.instances for cell in spec.cells} == {1024}


def test_a_cell_is_named_by_its_parameters_alone():
    """Conserved quantity: the id, over the order of keys, the number of instances, defaults written out."""
    first = spec_from_table({"job": [SEGMENTS]}, "a").cells
    written = {"points": 33, **dict(reversed(SEGMENTS.items())), "instances": 5}
    other = spec_from_table({"seed": 3, "job": [written]}, "b").cells
    assert {cell.id for cell in first} == {cell.id for cell in other}
    assert len({cell.id for cell in first}) == 4


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, r"at least one \[\[job\]\]"),
        ({"jobs": []}, "unknown field of a campaign 'jobs'.*did you mean 'job'"),
        ({"seed": -1, "job": [SEGMENTS]}, "seed in"),
        ({"job": [{"instances": 5}]}, "expected a table with a family"),
        ({"job": [{**SEGMENTS, "family": "segment"}]}, "unknown family 'segment'.*'segment-barrier'"),
        ({"job": [{**SEGMENTS, "widht": 3}]}, "unknown parameter of segment-barrier 'widht'.*'width'"),
        ({"job": [{**SEGMENTS, "width": []}]}, "at least one value for width"),
        ({"job": [{**SEGMENTS, "width": 0}]}, "at least 1 for width, found 0"),
        ({"job": [{**SEGMENTS, "width": True}]}, "at least 1 for width, found True"),
        ({"job": [{**SEGMENTS, "instances": 0}]}, "whole number of instances"),
        ({"job": [{"family": "segment-barrier", "instances": 5}]}, "needs d, n, width"),
        ({"job": [SEGMENTS, SEGMENTS]}, "counted twice"),
        ({"job": [{"family": "claim", "instances": 16, "claim": "L9"}]}, "unknown claim 'L9'"),
        ({"job": [{"family": "claim", "instances": 16, "claim": "L1", "shape": 99}]}, "shapes, found shape 99"),
        ({"job": [{"family": "claim", "instances": 16, "claim": "L1", "control": "no"}]}, "unknown control"),
        ({"job": [{"family": "ball-contraction", "instances": 1, "rows": 1, "columns": 1, "potential": "l7"}]}, "l7"),
        ({"job": [{**NARROW, "bound": "x"}]}, "unknown bound"),
        ({"job": [{**SEGMENTS, "width": 2**64}]}, r"below 2\^31"),
        ({"job": [{**SEGMENTS, "width": float("nan")}]}, "at least 1 for width, found nan"),
        ({"job": [{**SEGMENTS, "width": [2, float("inf")]}]}, "at least 1 for width, found inf"),
        ({"job": [{**SEGMENTS, "instances": float("nan")}]}, "from 1 to 10\\^12, found nan"),
        ({"job": [{**SEGMENTS, "instances": 10**12 + 1}]}, "from 1 to 10\\^12"),
        ({"job": [{**SEGMENTS, "n": list(range(1, 1001)), "width": list(range(1, 1001))}]}, "more than 10,000 cells"),
        ({"job": [{**SEGMENTS, "width": [2, 2]}]}, "counted twice"),
        ({"seed": float("nan"), "job": [SEGMENTS]}, "seed in"),
        ({"seed": 2**32, "job": [SEGMENTS]}, "seed in"),
        ({"job": [{**TRAINED, "optimizer": "adam"}]}, "unknown optimizer 'adam'.*'adamw'"),
        ({"job": [{**TRAINED, "optimizer": 3}]}, "expected a name in quotes .* for optimizer"),
        ({"job": [{**TRAINED, "weight_decay": 0}]}, "finite number above 0 for weight_decay, found 0"),
        ({"job": [{**TRAINED, "weight_decay": 1e-300}]}, "radius of the linf ball"),
        ({"job": [{**TRAINED, "learning_rate": float("nan")}]}, "above 0 for learning_rate, found nan"),
        ({"job": [{**TRAINED, "learning_rate": True}]}, "above 0 for learning_rate, found True"),
        ({"job": [{**TRAINED, "certify": 1}]}, "true or false for certify, found 1"),
        *[
            ({"job": [{**job, key: [value]}]}, f"expected a name in quotes .* for {key}, found")
            for job, key in (
                ({"family": "claim", "instances": 16, "claim": "L1"}, "claim"),
                ({"family": "claim", "instances": 16, "claim": "L1"}, "control"),
                ({"family": "ball-contraction", "instances": 1, "rows": 1, "columns": 1}, "potential"),
                (NARROW, "bound"),
            )
            for value in (0, False, 1.5, ["L1"], {"a": 1}, datetime.date(2020, 1, 1))
        ],
    ],
)
def test_bad_specifications(table, said):
    """Oracle: each names what was expected and what was found."""
    with pytest.raises(InputError, match=said):
        spec_from_table(table, "bad")


def test_bad_files(tmp_path):
    """Oracle: by construction."""
    with pytest.raises(InputError, match="cannot read"):
        read_spec(tmp_path / "none.toml")
    (tmp_path / "broken.toml").write_text("[[job]\n")
    with pytest.raises(InputError, match="not valid TOML"):
        read_spec(tmp_path / "broken.toml")


def test_missing_shards_fill_the_gaps_of_any_shard_size():
    """Oracle: by construction; every instance once, whatever sizes the finished ranges had."""
    spec = spec_from_table({"job": [{**SEGMENTS, "n": 2, "width": 1, "instances": 512 * 10}]}, "x")
    done = {spec.cells[0].id: {(512 * 2, 512 * 3): Tally(), (512 * 5, 512 * 9): Tally()}}
    found = [(s.start // 512, s.stop // 512) for s in missing_shards(spec, done, 512 + 1)]
    assert found == [(0, 2), (3, 5), (9, 10)]
    assert list(missing_shards(spec, {spec.cells[0].id: {(0, 5120): Tally()}}, 7)) == []


@pytest.mark.parametrize("jobs", [2, 7])
def test_the_last_shards_of_several_workers_are_small(jobs):
    """Oracle: every block once; no shard is more than its worker's part of what is left when it is handed out."""
    other = {**SEGMENTS, "n": 3, "width": 1, "instances": 512 * 100}
    spec = spec_from_table({"job": [{**SEGMENTS, "n": 2, "width": 1, "instances": 512 * 300}, other]}, "x")
    found = list(missing_shards(spec, {spec.cells[0].id: {(512 * 40, 512 * 41): Tally()}}, 512 * 20, jobs))
    blocks = [(s.cell.id, block) for s in found for block in range(s.start // 512, s.stop // 512)]
    assert len(blocks) == len(set(blocks)) == 399
    left = 399
    for shard in found:
        size = (shard.stop - shard.start) // 512
        assert size <= max(1, min(20, -(-left // (4 * jobs))))
        left -= size
    assert [(shard.stop - shard.start) // 512 for shard in found[-2:]] == [1, 1]


def test_tallies_add_up_in_any_order():
    """Conserved quantity: the sum, over orders and groupings; minima go to the first instance."""
    parts = [
        Tally(instances=3, margin=0.5, at=9, histogram={"+2^-1": 2}, vacuous=1, missed={"width": 1}),
        Tally(instances=1, refuted=1, margin=-1.0, at=4, histogram={"-2^0": 1}, violations=({"id": 4},)),
        Tally(
            instances=1,
            refuted=1,
            margin=-1.0,
            at=2,
            histogram={"-2^0": 1},
            violations=({"id": 2},),
            missed={"width": 2, "region": 1},
        ),
    ]
    forward, backward = total(parts), total(reversed(parts))
    assert forward == backward == parts[0] + (parts[1] + parts[2])
    assert (forward.instances, forward.refuted, forward.margin, forward.at) == (5, 2, -1.0, 2)
    assert forward.missed == {"region": 1, "width": 3}
    assert [violation["id"] for violation in forward.violations] == [2, 4]
    assert Tally.from_json(forward.to_json()) == forward


@pytest.mark.parametrize("fields", [{"instances": -1}, {"instances": 1, "margin": float("nan")}, {"what": 1}])
def test_a_tally_that_cannot_be_is_refused(fields):
    """Oracle: by construction."""
    with pytest.raises(InputError, match="tally"):
        Tally.from_json({"violations": [], **fields})


@pytest.mark.parametrize("name", FAMILIES)
def test_families_carry_their_own_name(name):
    """Oracle: the registry against its modules."""
    assert FAMILIES[name].name == name
    assert FAMILIES[name].statement
