"""Function-preserving maps keep the prediction, and of the Gram matrices what the table says."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeconn.errors import InputError
from modeconn.nets import (
    SYMMETRIES,
    Net,
    hidden_gram,
    is_dead,
    merge,
    output_gram,
    pad,
    permute,
    predict,
    remove_dead,
    rescale,
    split,
    split_all,
    split_equally,
    transfer,
    width,
)

X = np.random.default_rng(0).normal(size=(20, 3))
TOLERANCE = 1e-12


def draw(rng: np.random.Generator, c: int | None, bias: bool, m: int = 4) -> Net:
    """Return a net with entries of order one; c = None means output weights fixed at +1."""
    return Net(
        rng.normal(size=(3, m)), None if c is None else rng.normal(size=(c, m)), rng.normal(size=m) if bias else None
    )


def parallel_pair(rng: np.random.Generator, net: Net) -> Net:
    """Return the net with (w_3, b_3) a random positive multiple of (w_1, b_1)."""
    t = float(rng.uniform(0.1, 10.0))
    for leaf in (net.W, net.b):
        if leaf is not None:
            leaf[..., 3] = t * leaf[..., 1]
    return net


def with_dead(net: Net) -> Net:
    """Return the net with neurons dead in each way: z = 0; a = 0 alone; w = 0 and b <= 0 alone."""
    net = pad(net, width(net) + 3)
    m = width(net)
    net.W[:, m - 2] = 0.0 if net.A is None else 1.0
    if net.A is not None:
        net.A[:, m - 1] = 1.0
    if net.b is not None:
        net.b[m - 1] = -1.0
    return net


# name -> (a net to start from, the map)
CASES: dict[str, tuple[Callable, Callable]] = {
    "permute": (lambda rng, net: net, lambda rng, net: permute(net, rng.permutation(width(net)))),
    "rescale": (lambda rng, net: net, lambda rng, net: rescale(net, rng.uniform(0.1, 10.0, width(net)))),
    "split": (lambda rng, net: net, lambda rng, net: split(net, 1, rng.dirichlet(np.ones(3)))),
    "split_equally": (lambda rng, net: net, lambda rng, net: split_equally(net, int(rng.integers(4)), 5)),
    "split_all": (lambda rng, net: net, lambda rng, net: split_all(net, 3)),
    "merge": (parallel_pair, lambda rng, net: merge(net, *rng.permutation([1, 3]).tolist())),
    "pad": (lambda rng, net: net, lambda rng, net: pad(net, width(net) + 3)),
    "remove_dead": (lambda rng, net: with_dead(net), lambda rng, net: remove_dead(net)),
    "transfer": (lambda rng, net: pad(net, width(net) + 1), lambda rng, net: transfer(net, 2, 4, rng.uniform())),
}


def holds(relation: str, new: np.ndarray, old: np.ndarray) -> bool:
    """Return whether new is equal to, below or above old in the order of symmetric matrices, up to rounding."""
    scale = TOLERANCE * (1 + np.abs(old).max())
    eigenvalues = np.linalg.eigvalsh(np.asarray(new - old))
    return {
        "equal": abs(eigenvalues).max() <= scale,
        "below": eigenvalues.max() <= scale,
        "above": eigenvalues.min() >= -scale,
        "changes": True,
    }[relation]


def test_every_map_has_a_case() -> None:
    """Oracle: the registry; a new map cannot go untested."""
    assert sorted(CASES) == sorted(SYMMETRIES)


@pytest.mark.parametrize("name", sorted(CASES))
@given(seed=st.integers(0, 2**32 - 1), c=st.sampled_from([None, 1, 2]), bias=st.booleans())
def test_map_keeps_what_the_table_says(name: str, c: int | None, bias: bool, seed: int) -> None:
    """Oracle: conserved quantity; prediction and Gram matrices before and after, the table in SYMMETRIES."""
    rng, table = np.random.default_rng(seed), SYMMETRIES[name]
    prepare, apply = CASES[name]
    net = prepare(rng, draw(rng, c, bias))
    if c is None and table.hidden_gram_fixed == "refused":
        with pytest.raises(InputError):
            apply(rng, net)
        return
    new = apply(rng, net)
    assert isinstance(new.W, np.ndarray)
    assert [leaf is None for leaf in new] == [leaf is None for leaf in net]
    size = np.abs(predict(net, X)).max()
    np.testing.assert_allclose(predict(new, X), predict(net, X), rtol=0, atol=1e-12 * (1 + size))
    assert holds(
        table.hidden_gram if net.A is not None else table.hidden_gram_fixed, hidden_gram(new), hidden_gram(net)
    )
    if net.A is not None:
        assert holds(table.output_gram, output_gram(new), output_gram(net))


@pytest.mark.parametrize("name", sorted(CASES))
def test_relations_that_are_not_equal_are_strict(name: str) -> None:
    """Oracle: control; where the table does not say "equal", one drawn net really changes (the table is sharp)."""
    rng, table = np.random.default_rng(5), SYMMETRIES[name]
    prepare, apply = CASES[name]
    for c in (None, 2):
        if c is None and table.hidden_gram_fixed == "refused":
            continue
        net = prepare(rng, draw(rng, c, bias=True))
        new = apply(rng, net)
        relations = {hidden_gram: table.hidden_gram if c else table.hidden_gram_fixed}
        if c:
            relations[output_gram] = table.output_gram
        for gram, relation in relations.items():
            assert (relation == "equal") == holds("equal", gram(new), gram(net))


@given(seed=st.integers(0, 2**32 - 1), k=st.integers(2, 6), c=st.sampled_from([1, 2]))
def test_merge_undoes_split(seed: int, k: int, c: int) -> None:
    """Oracle: by construction; merging the parts one by one gives the net back, A A^T included."""
    rng = np.random.default_rng(seed)
    net = draw(rng, c, bias=True)
    parts = split(net, 2, rng.dirichlet(np.ones(k)))
    assert width(parts) == 4 + k - 1
    for _ in range(k - 1):
        parts = merge(parts, 2, width(parts) - 1)
    for leaf, old in zip(parts, net, strict=True):
        np.testing.assert_allclose(leaf, old, rtol=1e-12, atol=1e-12)


def test_merge_with_opposite_output_weights() -> None:
    """Oracle: closed form; w and w with a and -a make a neuron with a = 0 that keeps |w|^2 + |w|^2."""
    merged = merge(Net(np.array([[1.0, 1.0]]), np.array([[3.0, -3.0]])), 0, 1)
    np.testing.assert_allclose(merged.W, [[np.sqrt(2)]], rtol=1e-15)
    assert merged.A.tolist() == [[0.0]]


@pytest.mark.parametrize("fixed", [False, True])
def test_merge_with_a_zero_neuron(fixed: bool) -> None:
    """Oracle: a neuron with w = 0 adds nothing, in either order; two of them make one."""
    A = None if fixed else np.array([[5.0, 7.0]])
    for W, j, k in (([[2.0, 0.0]], 0, 1), ([[0.0, 2.0]], 0, 1), ([[2.0, 0.0]], 1, 0), ([[0.0, 0.0]], 0, 1)):
        net = Net(np.array(W), A)
        merged = merge(net, j, k)
        assert width(merged) == 1
        np.testing.assert_allclose(predict(merged, X[:, :1]), predict(net, X[:, :1]), rtol=1e-15)


def test_merge_refuses_what_is_not_parallel() -> None:
    """Oracle: control; opposite neurons, neurons 1e-9 apart and neurons parallel but for the bias are no pair."""
    ones = np.ones((1, 2))
    for net in (
        Net(np.array([[1.0, -1.0], [0.0, 0.0]]), ones),
        Net(np.array([[1.0, 1.0], [0.0, 1e-9]]), ones),
        Net(np.array([[1.0, 1.0], [0.0, 0.0]]), ones, np.array([0.0, 1.0])),
        Net(np.array([[1.0, -1.0]])),
    ):
        with pytest.raises(InputError, match="not parallel"):
            merge(net, 0, 1)
    assert width(merge(Net(np.array([[1.0, 1.0], [0.0, 1e-9]]), ones), 0, 1, rtol=1e-8)) == 1


def test_split_all_divides_entries_by_sqrt_k_exactly_for_powers_of_four() -> None:
    """Oracle: closed form (theory R1); sqrt(4) = 2 is exact in floats."""
    net = draw(np.random.default_rng(1), 1, bias=True)
    parts = split_all(net, 4)
    for leaf, old in zip(parts, net, strict=True):
        assert np.array_equal(leaf, np.repeat(old, 4, axis=-1) / 2)


def test_dead_neurons() -> None:
    """Oracle: by hand; a neuron with w = 0 is dead iff b <= 0, one with a = 0 always."""
    W, A = np.array([[0.0, 0.0, 1.0, 1.0, 0.0]]), np.array([[1.0, 1.0, 0.0, 1.0, 1.0]])
    b = np.array([-1.0, 1.0, 1.0, -9.0, 0.0])
    assert is_dead(Net(W, A, b)).tolist() == [True, False, True, False, True]
    assert is_dead(Net(W, A)).tolist() == [True, True, True, False, True]
    assert is_dead(Net(W, None, b)).tolist() == [True, False, False, False, True]
    assert remove_dead(Net(W, A, b)).b.tolist() == [1.0, -9.0]
    nothing = remove_dead(Net(np.zeros((2, 3)), np.ones((1, 3))))
    assert width(nothing) == 1
    assert not predict(nothing, X[:, :2]).any()


def test_transfer_ends_with_neurons_exchanged() -> None:
    """Oracle: by construction; s = 0 is the net itself, s = 1 the net with the two columns swapped."""
    net = pad(draw(np.random.default_rng(2), 2, bias=True), 5)
    for s, order in ((0.0, [0, 1, 2, 3, 4]), (1.0, [0, 4, 2, 3, 1])):
        for leaf, expected in zip(transfer(net, 1, 4, s), permute(net, order), strict=True):
            assert np.array_equal(leaf, expected)


def test_maps_of_jax_nets_stay_in_jax_and_transfer_is_a_path_under_vmap() -> None:
    """Oracle: the NumPy result; JAX leaves give JAX leaves of the same dtype."""
    rng = np.random.default_rng(3)
    net = pad(parallel_pair(rng, draw(rng, 2, bias=True)), 5)
    jax_net = jax.tree.map(jnp.asarray, net)
    for apply in (
        lambda n: permute(n, [4, 3, 2, 1, 0]),
        lambda n: rescale(n, 2.0),
        lambda n: split(n, 0, [0.3, 0.7]),
        lambda n: merge(n, 1, 3),
        remove_dead,
    ):
        for leaf, expected in zip(apply(jax_net), apply(net), strict=True):
            assert isinstance(leaf, jax.Array)
            np.testing.assert_allclose(leaf, expected, rtol=1e-15)
    times = np.linspace(0.0, 1.0, 5)
    path = jax.vmap(lambda s: transfer(jax_net, 1, 4, s))(jnp.asarray(times))
    for k, s in enumerate(times):
        for leaf, expected in zip(path, transfer(net, 1, 4, float(s)), strict=True):
            np.testing.assert_allclose(leaf[k], expected, rtol=1e-15)
    single = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), net)
    assert all(leaf.dtype == jnp.float32 for leaf in split_all(single, 3))


FIXED, TRAINED = Net(np.ones((2, 2))), Net(np.ones((2, 2)), np.ones((1, 2)))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: permute(TRAINED, [0, 0]), "once"),
        (lambda: permute(TRAINED, [0]), "once"),
        (lambda: rescale(FIXED, 2.0), "fixed"),
        (lambda: rescale(TRAINED, [1.0, 0.0]), "positive"),
        (lambda: rescale(TRAINED, [1.0, -1.0]), "positive"),
        (lambda: rescale(TRAINED, np.nan), "positive"),
        (lambda: rescale(TRAINED, [1.0, 1.0, 1.0]), "one factor or 2"),
        (lambda: split(TRAINED, 2, [1.0]), "0..1"),
        (lambda: split(TRAINED, 0, [0.5, 0.6]), "sum to 1"),
        (lambda: split(TRAINED, 0, [1.5, -0.5]), "non-negative"),
        (lambda: split(TRAINED, 0, [np.nan, 1.0]), "non-negative"),
        (lambda: split(TRAINED, 0, []), "non-negative"),
        (lambda: split_equally(TRAINED, 0, 0), "k >= 1"),
        (lambda: split_all(TRAINED, 0), "k >= 1"),
        (lambda: merge(TRAINED, 0, 0), "different"),
        (lambda: merge(TRAINED, 0, -1), "0..1"),
        (lambda: pad(TRAINED, 1), ">= 2"),
        (lambda: transfer(TRAINED, 0, 1, 0.5), "not dead"),
        (lambda: transfer(pad(TRAINED, 3), 0, 2, 1.5), "s in"),
        (lambda: transfer(pad(TRAINED, 3), 2, 2, 0.5), "different"),
        (lambda: output_gram(FIXED), "no Gram"),
    ],
)
def test_bad_arguments(call: Callable, says: str) -> None:
    """Oracle: by construction; each call has one fault."""
    with pytest.raises(InputError, match=says):
        call()
