"""A proposal counts as solved only if its optimality conditions hold, whatever the method says of itself."""

import importlib

import numpy as np
import pytest

from modeconn.cells import nnls_batch


def test_a_method_that_ends_at_a_wrong_answer_has_not_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Oracle: by construction; the method says it is done, its slopes say otherwise."""
    module = importlib.import_module("modeconn.cells.nnls_batch")  # the package's name is the function
    whole = module._solve

    def overconfident(*arrays: object, steps: int) -> tuple[object, ...]:
        z, kkt, done = whole(*arrays, steps=1)
        return z, kkt, done | True

    C, y, allowed = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[2.0, 1.0], [3.0, 4.0]]), np.ones((2, 2), bool)
    assert nnls_batch(C, y, allowed).solved.all()
    monkeypatch.setattr(module, "_solve", overconfident)
    found = nnls_batch(C, y, allowed)
    assert (found.kkt > 1e-3).all()
    assert not found.solved.any()
