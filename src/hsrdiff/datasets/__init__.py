"""Data sets: layout on disk, bands kept, split, observation, citation."""

from hsrdiff.datasets.aviris_la import AvirisLa
from hsrdiff.datasets.base import ENVIRONMENT_VARIABLE, SPLITS, Dataset, data_root
from hsrdiff.datasets.catalog import DATASETS, DatasetEntry, make_dataset
from hsrdiff.datasets.cave import Cave
from hsrdiff.datasets.enmap_potsdam import EnmapPotsdam
from hsrdiff.datasets.folder import FolderDataset
from hsrdiff.datasets.guide import Guide
from hsrdiff.datasets.indian_pines import IndianPines
from hsrdiff.datasets.jasper_ridge import JasperRidge
from hsrdiff.datasets.samson import Samson

__all__ = [
    "DATASETS",
    "ENVIRONMENT_VARIABLE",
    "SPLITS",
    "AvirisLa",
    "Cave",
    "Dataset",
    "DatasetEntry",
    "EnmapPotsdam",
    "FolderDataset",
    "Guide",
    "IndianPines",
    "JasperRidge",
    "Samson",
    "data_root",
    "make_dataset",
]
