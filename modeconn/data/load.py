"""The one door to data: a name, a file, or a synthetic teacher."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from modeconn.data.dataset import TASKS, Dataset, encode_labels, infer_task
from modeconn.data.files import read_table
from modeconn.data.sources import DATASETS, Table
from modeconn.data.synthetic import synthetic_dataset
from modeconn.errors import InputError, unknown_name

__all__ = ["load_dataset"]


def load_dataset(
    source: str | os.PathLike[str],
    *,
    n: int | None = None,
    seed: int = 0,
    classes: Sequence[int] | None = None,
    bias: bool = False,
    task: str | None = None,
) -> Dataset:
    """Return the data set called by a name of :data:`DATASETS`, by ``synthetic:...``, or stored in a file.

    Files: ``.npz`` with X (n, d) and y (n,) or (n, c); ``.csv`` with an optional header and **the target in the last
    column**. Inputs of files are taken as they are; those of scikit-learn are standardised over the whole set, before
    any rows are chosen, and pixels are divided by 255.

    Args:
        source: name or path. A file that is called like a data set needs a path with a folder or its suffix.
        n: keep this many rows, drawn without replacement; a smaller n gives the first rows of a larger one.
        seed: seed of that draw; without ``n`` the order of the file is kept.
        classes: keep these classes only. Two become -1 and +1 in the order given (one-hot if ``task`` says
            "multiclass"), more become one-hot.
        bias: append a column of ones to X.
        task: how targets are coded. Default for a file: -1 and +1 is "binary", rows of probabilities "multiclass",
            all else "regression" (0/1 too). Asking for "binary" or "multiclass" also takes whole-number labels in
            one column, in increasing order.

    Raises:
        InputError: unknown name (the nearest is named), a file that is missing, corrupt or not finite, MODECONN_DATA
            not set where it is needed, more rows or other classes than there are, or targets that do not fit the task.

    Example:
        >>> data = load_dataset("breast_cancer", n=100, bias=True)
        >>> data.X.shape, data.Y.shape, data.task
        ((100, 31), (100, 1), 'binary')
    """
    text = os.fspath(source)
    if text in DATASETS:
        known = DATASETS[text]
        allowed = {known.task} if known.task == "regression" else {"binary", "multiclass"}
        if task is not None and task not in allowed:
            raise InputError(f"{text} is a {known.task} task, found task {task!r}; leave the task out")
        table, name = known.load(), text
    elif text.startswith("synthetic:"):
        if task not in (None, "regression"):
            raise InputError(f"{text} is a regression task, found task {task!r}; leave the task out")
        data = synthetic_dataset(text)
        table, name = Table(data.X, Y=data.Y), text
    elif Path(text).suffix in (".npz", ".csv") or Path(text).is_file():
        table, name = _as_labels(read_table(Path(text)), task, text), text
    else:
        raise unknown_name("data set", text, [*DATASETS, "synthetic:", "FILE.npz", "FILE.csv"])
    data = _select(table, name, n, seed, classes, task)
    return data.with_bias_column() if bias else data


def _as_labels(table: Table, task: str | None, name: str) -> Table:
    """Return the table with a column of whole numbers read as labels, where the task asks for classes."""
    if task is not None and task not in TASKS:
        raise unknown_name("task", task, TASKS)
    Y = table.Y
    if task not in ("binary", "multiclass") or Y is None or Y.shape[1] != 1 or Y.size == 0:
        return table
    if np.any(np.mod(Y, 1.0)) or np.abs(Y).max() > 2**31:
        raise InputError(f"{name}: a {task} task needs whole-number labels, found {Y.ravel()[:3].tolist()}")
    labels = Y.ravel().astype(np.int64)
    classes = tuple(np.unique(labels).tolist())
    if len(classes) < 2 or (task == "binary" and len(classes) != 2):
        wanted = "two classes" if task == "binary" else "two or more classes"
        raise InputError(f"{name}: a {task} task needs {wanted}, found {len(classes)}; choose another task")
    return table._replace(Y=None, labels=labels, classes=classes)


def _select(
    table: Table, name: str, n: int | None, seed: int, classes: Sequence[int] | None, task: str | None
) -> Dataset:
    """Return the chosen rows and classes as a data set; only they are converted to float64."""
    rows = np.arange(len(table.X))
    kept = tuple(table.classes if classes is None else classes)
    if classes is not None:
        if table.labels is None:
            raise InputError(f"{name}: has no class labels to choose from; leave classes out or give a task")
        unknown = sorted(set(kept) - set(table.classes))
        if unknown:
            raise InputError(f"{name}: classes {unknown} are not among {table.classes}; choose from those")
        rows = rows[np.isin(table.labels, kept)]
        name += f"[classes={','.join(map(str, kept))}]"
    if n is not None:
        if not 1 <= n <= len(rows):
            raise InputError(f"{name}: expected 1 <= n <= {len(rows)}, found n = {n}; ask for fewer rows")
        if seed < 0:
            raise InputError(f"{name}: expected a seed >= 0, found {seed}")
        rows = np.random.default_rng(seed).permutation(rows)[:n]
        name += f"[n={n},seed={seed}]"
    X = table.X[rows].astype(np.float64) / table.divisor
    if table.labels is not None:
        coding = task or ("binary" if len(kept) == 2 else "multiclass")
        return Dataset(X, encode_labels(table.labels[rows], kept, coding), name, coding)
    if table.Y is None:
        raise TypeError(f"{name}: a table needs targets or labels")
    return Dataset(X, table.Y[rows], name, task or infer_task(table.Y))
