"""Data sets: layout on disk, bands kept, split, observation, citation."""

from hsrdiff.datasets.base import ENVIRONMENT_VARIABLE, SPLITS, Dataset, data_root
from hsrdiff.datasets.catalog import DATASETS, DatasetEntry, make_dataset
from hsrdiff.datasets.cave import Cave
from hsrdiff.datasets.folder import FolderDataset
from hsrdiff.datasets.indian_pines import IndianPines

__all__ = [
    "DATASETS",
    "ENVIRONMENT_VARIABLE",
    "SPLITS",
    "Cave",
    "Dataset",
    "DatasetEntry",
    "FolderDataset",
    "IndianPines",
    "data_root",
    "make_dataset",
]
