"""A fleet whose device runs out of memory: at every call it is halved, goes on and says so, or ends in an error."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.train import Fleet, FleetResult, train_fleet, training

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(5, 2)), RNG.normal(size=5)
FLEET = Fleet.of(optimizer="lion", learning_rate=0.02, weight_decay=0.3, width=2, seed=range(11))
CALLS = ("begin", "advance", "measure")


def run(**options: Any) -> FleetResult:
    return train_fleet(FLEET, X, Y, steps=6, record_every=2, segment_steps=2, dtype="float64", chunk_size=8, **options)


@pytest.fixture(scope="module")
def straight() -> FleetResult:
    return run()


class Refuses:
    """A call that raises an error at chosen times, and keeps how many nets it was asked for each time."""

    def __init__(self, call: Callable[..., Any], when: Callable[[int, int], bool], error: Exception) -> None:
        self.call, self.when, self.error, self.sizes = call, when, error, list[int]()

    def __call__(self, *arguments: Any) -> Any:
        arrays = jax.tree.leaves([part for part in arguments if not isinstance(part, str)])
        self.sizes.append(next(leaf.shape[0] for leaf in arrays if np.ndim(leaf)))
        if self.when(len(self.sizes), self.sizes[-1]):
            raise self.error
        return self.call(*arguments)


def out_of_memory() -> list[Exception]:
    """What a device and the host say."""
    return [jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 byte"), MemoryError()]


def assert_the_same(found: FleetResult, straight: FleetResult) -> None:
    """Equality up to rounding, every instance in its place."""
    results = ([*result.nets[:2], result.history, result.kkt] for result in (found, straight))
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("error", out_of_memory(), ids=["device", "host"])
@pytest.mark.parametrize("name", CALLS)
def test_every_call_may_run_out_of_memory(
    name: str, error: Exception, straight: FleetResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Conserved quantity: the result; a device that never holds more than three nets of the call.

    Chunks of 8 lanes with 8 and 3 nets become 4, 4, 3 of 4, then 2, 2, 2, 2, 2, 1 of 2: five cuts.
    """
    small = Refuses(getattr(training, name), lambda call, size: size > 3, error)
    monkeypatch.setattr(training, name, small)
    found = run()
    assert_the_same(found, straight)
    assert straight.settings["halved"] == 0
    assert found.settings["halved"] == 5
    assert max(small.sizes) == 8
    assert sorted(set(small.sizes)) == [2, 4, 8]


def test_memory_that_goes_in_the_middle(straight: FleetResult, monkeypatch: pytest.MonkeyPatch) -> None:
    """Conserved quantity: the result; the halves go on from the step that was reached, none is trained twice."""
    small = Refuses(training.advance, lambda call, size: call == 4, out_of_memory()[0])
    monkeypatch.setattr(training, "advance", small)
    done = []
    assert_the_same(run(progress=lambda steps, total: done.append(steps)), straight)
    assert done == sorted(done)
    assert done[-1] == 6 * len(FLEET)


@pytest.mark.parametrize("name", CALLS)
def test_one_net_too_large_is_an_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Oracle: by construction; one line that names the sizes and what to do."""
    small = Refuses(getattr(training, name), lambda call, size: True, out_of_memory()[0])
    monkeypatch.setattr(training, name, small)
    with pytest.raises(InputError, match=r"one net of width 2 on 5 points does not fit .* minibatches or narrower"):
        run()
    assert min(small.sizes) == 1


def test_what_was_trained_is_kept_when_one_net_does_not_fit(
    straight: FleetResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Conserved quantity: the result, resumed with more memory from the steps that were done."""
    path, seen = tmp_path / "fleet.npz", []
    with monkeypatch.context() as patched:
        patched.setattr(training, "advance", Refuses(training.advance, lambda call, size: call > 2, MemoryError()))
        with pytest.raises(InputError, match="does not fit"):
            run(checkpoint=path)
    found = run(checkpoint=path, progress=lambda steps, total: seen.append(steps))
    assert seen[0] > 2 * 8
    assert_the_same(found, straight)


@pytest.mark.parametrize("name", CALLS)
def test_other_errors_of_the_device_are_not_taken_for_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Oracle: by construction."""
    broken = Refuses(getattr(training, name), lambda call, size: True, jax.errors.JaxRuntimeError("INTERNAL: x"))
    monkeypatch.setattr(training, name, broken)
    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
        run()
    assert len(broken.sizes) <= 2  # as many chunks as there are: none is halved
