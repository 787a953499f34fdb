"""Data: embedded sets, image sets in the user's folder, files, synthetic teachers."""

from modeconn.data.dataset import TASKS, Dataset, encode_labels, infer_task, standardise
from modeconn.data.files import read_csv_table, read_npz_table, read_table
from modeconn.data.idx import read_idx
from modeconn.data.load import load_dataset
from modeconn.data.sources import DATASETS, Source, Table
from modeconn.data.synthetic import SYNTHETIC_OPTIONS, synthetic_dataset

__all__ = [
    "DATASETS",
    "SYNTHETIC_OPTIONS",
    "TASKS",
    "Dataset",
    "Source",
    "Table",
    "encode_labels",
    "infer_task",
    "load_dataset",
    "read_csv_table",
    "read_idx",
    "read_npz_table",
    "read_table",
    "standardise",
    "synthetic_dataset",
]
