"""Fleets that cannot be trained are refused with one line that says what to do."""

from typing import Any

import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.train import Fleet, train_fleet, unstack

X, Y = np.eye(3), np.ones(3)
GOOD: dict[str, Any] = {"optimizer": "lion", "learning_rate": 0.1, "width": 2}
FLEET = Fleet.of(**GOOD)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 0}, "width >= 1, found 0"),
        ({"width": 2.5}, "whole numbers for width"),
        ({"optimizer": "moun"}, "did you mean 'muon'"),
        ({"optimizer": []}, "at least one|found 0 optimizers"),
        ({"optimizer": ["lion", "muon"], "width": [1, 2, 3]}, "2 optimizers for 3"),
        ({"learning_rate": [0.1, -0.1]}, "learning rate finite and >= 0, found -0.1 at instance 1"),
        ({"learning_rate": np.inf}, "learning rate finite"),
        ({"weight_decay": -1.0}, "weight decay finite and >= 0"),
        ({"weight_decay": [1.0, 2.0, 3.0], "width": [1, 2]}, "width has shape"),
        ({"b1": 1.0}, r"b1 in \[0, 1\)"),
        ({"optimizer": "muon_optax", "b1": 0.9}, "muon_optax has no b1"),
        ({"seed": -1}, r"seed in \[0, 2\^32\)"),
        ({"instance_id": [4, 4]}, "id 4 occurs twice"),
        ({"learning_rate": "fast"}, "learning_rate"),
    ],
)
def test_refused_fleets(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Fleet.of(**{**GOOD, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.full((3, 3), np.nan)}, "X holds 9 NaN"),
        ({"X": np.full((3, 3), 1e300)}, "in float32"),
        ({"Y": [1.0, np.inf, 0.0]}, "Y holds 1 NaN"),
        ({"Y": np.ones(2)}, r"found \(3, 3\) and \(2, 1\)"),
        ({"X": np.ones((0, 3)), "Y": np.ones(0)}, "n, d, c >= 1"),
        ({"X": np.ones((2, 3, 1))}, "one row a data point"),
        ({"X": [["a"]]}, "real numbers"),
        ({"loss": "hinge"}, "unknown loss"),
        ({"loss": "logistic", "Y": [0.0, 1.0, 1.0]}, "recode"),
        ({"steps": 0}, "steps >= 1"),
        ({"record_every": 0}, "record_every >= 1"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"batch_size": 4}, "batch_size <= n = 3"),
        ({"chunk_size": 0}, "chunk_size >= 1"),
        ({"padding": "biggest"}, "unknown padding"),
        ({"dtype": "float16"}, "float32 .* or float64"),
        ({"dtype": "wide"}, "dtype"),
        ({"init": "hee"}, "unknown initialisation"),
        ({"fixed_output": True, "Y": np.ones((3, 2))}, "one output"),
        ({"initial": Net(np.ones((3, 2)), np.ones((1, 2)))}, r"expected \(1, 3, "),
        ({"initial": Net(np.ones((1, 3, 2)))}, "found no such leaf"),
        ({"initial": Net(np.ones((1, 3, 1)), np.ones((1, 1, 1)))}, "1 columns for a width of 2"),
        ({"initial": Net(np.full((1, 3, 2), np.nan), np.ones((1, 1, 2)))}, "NaN"),
    ],
)
def test_refused_runs(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        train_fleet(**{"fleet": FLEET, "X": X, "Y": Y, "steps": 1, **change})


def test_empty_grids_and_missing_instances() -> None:
    with pytest.raises(InputError, match="empty"):
        Fleet.grid(optimizers=[], learning_rates=[1.0], widths=[1])
    with pytest.raises(InputError, match="nothing to join"):
        Fleet.concat()
    with pytest.raises(InputError, match="instance below 1"):
        unstack(train_fleet(FLEET, X, Y, steps=1), 1)


def test_joined_fleets_get_new_ids_and_parts_keep_theirs() -> None:
    """By construction."""
    joined = Fleet.concat(FLEET, Fleet.of(optimizer=["muon", "adamw"], learning_rate=0.2, width=[3, 4], b1=0.5))
    assert joined.optimizer == ("lion", "muon", "adamw")
    assert joined.instance_id.tolist() == [0, 1, 2]
    part = joined.take([2, 0])
    assert (part.instance_id.tolist(), part.width.tolist(), part.optimizer) == ([2, 0], [4, 2], ("adamw", "lion"))
    assert np.isnan(part.b1).tolist() == [False, True]
