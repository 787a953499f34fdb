"""Checkpoints whose arrays are not those that were written: refused in one line, whatever is wrong with them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.train import Fleet, FleetResult, train_fleet

X, Y = np.eye(3), np.ones(3)
FLEET = Fleet.of(optimizer="lion", learning_rate=0.1, width=2, seed=range(5))


class Stopped(Exception):
    """The power goes."""


def stop(done: int, total: int) -> None:
    raise Stopped


def run(path: Path, **options: Any) -> FleetResult:
    return train_fleet(FLEET, X, Y, steps=4, record_every=1, segment_steps=2, chunk_size=8, checkpoint=path, **options)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A checkpoint of a run that was stopped after two steps."""
    with pytest.raises(Stopped):
        run(tmp_path / "fleet.npz", progress=stop)
    return tmp_path / "fleet.npz"


def rewritten(path: Path, **changes: Any) -> None:
    """Write the arrays again, some of them changed or left out; names have dashes in place of slashes."""
    with np.load(path) as file:
        arrays = dict(file)
    for name, change in changes.items():
        key = name.replace("_", "/")
        value = change(arrays[key])
        del arrays[key]
        arrays |= {} if value is None else {key: value}
    np.savez(path, **arrays)


def test_an_untouched_one_is_resumed(path: Path, tmp_path: Path) -> None:
    """Conserved quantity: the straight run, in every bit; the control of the test below."""
    rewritten(path)
    seen: list[int] = []
    resumed, straight = run(path, progress=lambda done, total: seen.append(done)), run(tmp_path / "other.npz")
    assert seen[0] > 2 * len(FLEET)
    np.testing.assert_array_equal(resumed.nets.W, straight.nets.W)
    np.testing.assert_array_equal(resumed.history, straight.history)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ledger_history": lambda a: a[:, :2]}, "damaged"),
        ({"ledger_finished": lambda a: None}, "damaged"),
        ({"chunk0_members": lambda a: np.array([0, 7])}, "damaged"),
        ({"chunk0_numbers": lambda a: a[:1]}, "damaged"),
        ({"chunk0_leaf0": lambda a: None}, "damaged"),
        ({"format": lambda a: np.array(99)}, "another run"),
        ({"fingerprint": lambda a: np.array("x")}, "another run"),
    ],
)
def test_damage_is_named(path: Path, changes: dict[str, Any], said: str) -> None:
    """Oracle: by construction; missing arrays, other shapes, nets that do not exist, another format."""
    rewritten(path, **changes)
    with pytest.raises(InputError, match=said) as caught:
        run(path)
    assert "\n" not in str(caught.value)
