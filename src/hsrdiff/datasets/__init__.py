"""Data sets: layout on disk, bands kept, split, observation, citation."""

from hsrdiff.datasets.aviris_la import AvirisLa
from hsrdiff.datasets.base import ENVIRONMENT_VARIABLE, SPLITS, Dataset, data_root
from hsrdiff.datasets.catalog import DATASETS, REAL_PAIRS, DatasetEntry, PairsEntry, make_dataset, make_pairs
from hsrdiff.datasets.cave import Cave
from hsrdiff.datasets.checksums import differing_files, known_checksums
from hsrdiff.datasets.chikusei import Chikusei
from hsrdiff.datasets.enmap_potsdam import EnmapPotsdam
from hsrdiff.datasets.folder import FolderDataset
from hsrdiff.datasets.guide import Guide
from hsrdiff.datasets.hyperion_ali_pan import HyperionAliPan
from hsrdiff.datasets.hyperion_ali_paris import HyperionAliParis
from hsrdiff.datasets.hypsen import HypSen
from hsrdiff.datasets.indian_pines import IndianPines
from hsrdiff.datasets.jasper_ridge import JasperRidge
from hsrdiff.datasets.paviau import PaviaU
from hsrdiff.datasets.real import RealGuide, RealPairs
from hsrdiff.datasets.samson import Samson

__all__ = [
    "DATASETS",
    "ENVIRONMENT_VARIABLE",
    "REAL_PAIRS",
    "SPLITS",
    "AvirisLa",
    "Cave",
    "Chikusei",
    "Dataset",
    "DatasetEntry",
    "EnmapPotsdam",
    "FolderDataset",
    "Guide",
    "HypSen",
    "HyperionAliPan",
    "HyperionAliParis",
    "IndianPines",
    "JasperRidge",
    "PairsEntry",
    "PaviaU",
    "RealGuide",
    "RealPairs",
    "Samson",
    "data_root",
    "differing_files",
    "known_checksums",
    "make_dataset",
    "make_pairs",
]
