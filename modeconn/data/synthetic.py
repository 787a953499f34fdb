"""Teacher-student data by name: ``synthetic:n=64,d=4,teacher=3``."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from modeconn.data.dataset import Dataset
from modeconn.errors import InputError, unknown_name
from modeconn.nets import orthogonal_teacher, random_teacher, teacher_data
from modeconn.precision import in_float64

__all__ = ["SYNTHETIC_OPTIONS", "synthetic_dataset"]

SYNTHETIC_OPTIONS: dict[str, Any] = {
    "n": 64,
    "d": 4,
    "teacher": 3,
    "outputs": 1,
    "kind": "random",
    "inputs": "gaussian",
    "noise": 0.0,
    "seed": 0,
}
"""Options of a ``synthetic:`` name with their defaults; ``kind`` is random or orthogonal, ``teacher`` its width."""


def _parse(name: str) -> dict[str, Any]:
    options = dict(SYNTHETIC_OPTIONS)
    for part in filter(None, name.removeprefix("synthetic:").split(",")):
        key, _, value = part.partition("=")
        if key not in options:
            raise unknown_name("option of synthetic data", key, options)
        kind = type(options[key])
        try:
            options[key] = kind(value)
        except ValueError:
            raise InputError(f"{name}: expected {key}={kind.__name__}, found {value!r}") from None
    if options["kind"] not in ("random", "orthogonal"):
        raise unknown_name("kind of teacher", options["kind"], ("random", "orthogonal"))
    if options["kind"] == "orthogonal" and options["outputs"] != 1:
        raise InputError(f"{name}: an orthogonal teacher has one output, found outputs={options['outputs']}")
    if not 0 <= options["seed"] < 2**32:
        raise InputError(f"{name}: expected a seed in 0..2^32 - 1, found {options['seed']}")
    return options


@in_float64
def synthetic_dataset(name: str) -> Dataset:
    """Return the teacher-student data that a name describes: a regression task, drawn in float64.

    Example:
        >>> data = synthetic_dataset("synthetic:n=5,d=3,teacher=2,inputs=sphere,seed=1")
        >>> data.X.shape, data.Y.shape
        ((5, 3), (5, 1))
    """
    options = _parse(name)
    key = jax.random.key(options["seed"])
    teacher = (
        orthogonal_teacher(options["d"], options["teacher"])
        if options["kind"] == "orthogonal"
        else random_teacher(jax.random.fold_in(key, 0), options["d"], options["teacher"], options["outputs"])
    )
    X, Y = teacher_data(
        jax.random.fold_in(key, 1), teacher, options["n"], inputs=options["inputs"], noise=options["noise"]
    )
    return Dataset(np.asarray(X), np.asarray(Y), name, "regression")
