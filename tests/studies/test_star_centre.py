"""The study of star centres on a small scale: its tables, its numbers by another route, the study without data."""

import numpy as np
import pytest

from modeconn.data import load_dataset
from modeconn.errors import InputError
from modeconn.losses import LOSSES, net_loss
from modeconn.nets import Net, permute
from modeconn.paths import barrier_exact
from modeconn.studies import StarCentreSettings, learn_centre, normalised_length, star_centre_study
from modeconn.studies.star_centre import available_datasets, principal_components
from modeconn.studies.star_centre_paths import aligned_feet, chain_curve, distance, measure_chain

SMALL = StarCentreSettings(
    datasets=("mnist",), losses=("half_squared_error", "cross_entropy"), rows=60, components=8, width=12, feet=3,
    steps=300, centre_steps=300,
)  # fmt: skip


@pytest.fixture(scope="module")
def tables():
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MODECONN_DATA", raising=False)
        return star_centre_study(SMALL)


def test_every_pair_is_joined_in_four_ways(tables):
    """By construction: 3 pairs, 2 paths, 2 alignments, 2 losses; 3 feet and a centre each."""
    assert len(tables["pairs"]) == 3 * 2 * 2 * 2
    assert len(tables["nets"]) == 4 * 2 * 2
    assert len(tables["legs"]) == 3 * 2 * 2
    assert len(tables["curves"]) == 2 * 2 * 2
    for rows in tables.values():
        assert len({tuple(row) for row in rows}) == 1


def test_without_the_data_folder_digits_stand_in_and_the_tables_say_so(tables, monkeypatch):
    """By construction: MODECONN_DATA is not set."""
    assert {row["dataset"] for row in tables["nets"]} == {"digits"}
    assert all("digits stands in for mnist" in row["note"] for row in tables["pairs"])
    monkeypatch.setenv("MODECONN_DATA", "somewhere")
    assert available_datasets(["mnist", "digits"]) == (("mnist", "digits"), "")


def test_a_data_folder_that_is_wrong_is_an_error(monkeypatch):
    """By construction: only an unset variable is stood in for."""
    monkeypatch.setenv("MODECONN_DATA", "/nonexistent")
    with pytest.raises(InputError, match="not a folder"):
        star_centre_study(SMALL)


def test_exact_is_said_of_the_squared_error_only(tables):
    """By construction: the cross entropy is measured on a grid and has the grid's name."""
    for row in tables["pairs"]:
        assert row["method"] == ("exact" if row["loss_name"] == "half_squared_error" else "grid")


def test_the_fold_line_beats_the_segment(tables):
    """Published effect: the learned centre lowers the barrier; medians over the pairs, for every loss and alignment."""
    for loss in SMALL.losses:
        for alignment in ("as trained", "weight matching"):
            rows = [r for r in tables["pairs"] if (r["loss_name"], r["alignment"]) == (loss, alignment)]
            barriers = {path: [r["barrier"] for r in rows if r["path"] == path] for path in ("segment", "fold-line")}
            assert np.median(barriers["fold-line"]) < 0.7 * np.median(barriers["segment"])


def test_lengths_follow_from_the_distances_in_the_table(tables):
    """Independent route: NGD times the distance of the feet is the sum of their distances to the centre."""
    for row in tables["pairs"]:
        assert row["ngd"] >= 1
        assert (row["path"] == "segment") == (row["ngd"] == 1.0)
    fold = next(r for r in tables["pairs"] if r["path"] == "fold-line")
    label = {key: fold[key] for key in ("dataset", "loss_name", "alignment")}
    nets = [r for r in tables["nets"] if all(r[key] == value for key, value in label.items())]
    to_centre = {r["net"]: r["distance_to_centre"] for r in nets}
    legs = to_centre[f"foot {fold['foot_a']}"] + to_centre[f"foot {fold['foot_b']}"]
    assert fold["ngd"] * fold["distance"] == pytest.approx(legs)
    assert to_centre["centre"] == 0


def test_curves_stay_below_the_exact_maximum_and_reach_it_nearly(tables):
    """Independent route: points of the curve against the exact maximum of the same path."""
    for curve in tables["curves"]:
        keys = ("loss_name", "alignment", "path", "foot_a", "foot_b")
        (row,) = [r for r in tables["pairs"] if all(r[k] == curve[k] for k in keys)]
        highest = max(curve["loss"])
        assert highest <= row["max_loss"] * (1 + 1e-9) or row["method"] == "grid"
        assert highest >= 0.98 * row["max_loss"]


@pytest.fixture(scope="module")
def small():
    """Data and three feet: one net, with its neurons permuted and slightly moved."""
    data = principal_components(load_dataset("digits", n=40, seed=1), 5)
    rng = np.random.default_rng(0)
    net = Net(rng.normal(size=(6, 8)), 0.1 * rng.normal(size=(10, 8)))
    feet = [permute(net, rng.permutation(8)) for _ in range(3)]
    return data, [Net(f.W + 1e-3 * rng.normal(size=f.W.shape), f.A) for f in feet]


def test_principal_components_are_uncorrelated_and_scaled(small):
    """Closed form: a diagonal covariance, mean square 1, a last column of ones; too many are refused."""
    X = small[0].X[:, :-1]
    gram = X.T @ X
    assert np.abs(gram - np.diag(np.diag(gram))).max() < 1e-10 * np.abs(gram).max()
    assert np.mean(X**2) == pytest.approx(1)
    assert (small[0].X[:, -1] == 1).all()
    with pytest.raises(InputError, match="principal components"):
        principal_components(load_dataset("digits", n=40), 65)


def test_weight_matching_brings_permuted_feet_together(small):
    """By construction: the feet are permutations of each other, so that matched they almost agree."""
    plain, matched = aligned_feet(small[1])
    assert distance(plain.feet[0], plain.feet[1]) > 1
    assert distance(matched.feet[0], matched.feet[1]) < 0.05
    assert matched.feet[0] is small[1][0]


def test_learning_lowers_the_expected_loss_of_the_mean(small):
    """Conserved objective, by a grid in t: the learned centre is better on the legs than where it started."""
    data, feet = small

    def on_legs(centre):
        return np.mean([chain_curve([centre, foot], data.X, data.Y, "half_squared_error")["loss"] for foot in feet])

    mean = Net(np.mean([f.W for f in feet], 0), np.mean([f.A for f in feet], 0))
    assert on_legs(learn_centre(feet, data.X, data.Y, steps=300)) < 0.9 * on_legs(mean)


def test_learning_is_repeatable_and_refuses_unequal_feet(small):
    """By construction: same seed, same bits; another width is named."""
    data, feet = small
    one, again = (learn_centre(feet, data.X, data.Y, steps=20, seed=3) for _ in range(2))
    assert (one.W == again.W).all()
    assert (one.W != learn_centre(feet, data.X, data.Y, steps=20, seed=4).W).any()
    with pytest.raises(InputError, match="foot 1"):
        learn_centre([feet[0], Net(feet[1].W[:, :4], feet[1].A[:, :4])], data.X, data.Y)


def test_a_chain_of_two_nets_is_measured_as_a_segment(small):
    """Independent route: barrier_exact, and the losses at the ends by a forward pass."""
    data, feet = small
    found = measure_chain(feet[:2], data.X, data.Y, "half_squared_error")
    assert found.barrier == pytest.approx(barrier_exact(*feet[:2], data.X, data.Y).barrier)
    assert found.loss_start == pytest.approx(float(net_loss(LOSSES["half_squared_error"], feet[0], data.X, data.Y)))
    assert normalised_length([feet[0], feet[2], feet[1]]) > 1


def test_one_foot_has_no_pairs():
    """By construction."""
    with pytest.raises(InputError, match="at least 2 feet"):
        StarCentreSettings(feet=1)
