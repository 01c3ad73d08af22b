"""Every data set by name: the one table to add a line to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hsrdiff.datasets.aviris_la import AvirisLa
from hsrdiff.datasets.base import Dataset
from hsrdiff.datasets.cave import Cave
from hsrdiff.datasets.chikusei import Chikusei
from hsrdiff.datasets.enmap_potsdam import EnmapPotsdam
from hsrdiff.datasets.folder import FolderDataset
from hsrdiff.datasets.hyperion_ali_pan import HyperionAliPan
from hsrdiff.datasets.hyperion_ali_paris import HyperionAliParis
from hsrdiff.datasets.hypsen import HypSen
from hsrdiff.datasets.indian_pines import IndianPines
from hsrdiff.datasets.jasper_ridge import JasperRidge
from hsrdiff.datasets.paviau import PaviaU
from hsrdiff.datasets.real import RealPairs
from hsrdiff.datasets.samson import Samson
from hsrdiff.errors import DatasetNotFoundError, InputError, did_you_mean
from hsrdiff.typing import PathLike


@dataclass(frozen=True)
class DatasetEntry:
    """One line of the catalog.

    Attributes:
        make: Builds the data set from the data folder (None: HSRDIFF_DATA); takes `factor` and `sensor` too.
        summary: One line for a list.
        citation: Who published the data.
    """

    make: Callable[..., Dataset]
    summary: str
    citation: str


@dataclass(frozen=True)
class PairsEntry:
    """One line of the catalog of pairs without truth.

    Attributes:
        make: Builds the pairs from the data folder (None: HSRDIFF_DATA).
        summary: One line for a list.
        citation: Who published the data.
    """

    make: Callable[[PathLike | None], RealPairs]
    summary: str
    citation: str


DATASETS: dict[str, DatasetEntry] = {
    Cave.name: DatasetEntry(Cave, "32 indoor scenes, 31 bands, Nikon D700 guide, factor 32", Cave.citation),
    PaviaU.name: DatasetEntry(
        PaviaU, "ROSIS scene of Pavia University, 103 bands, WorldView-3 guide, factor 4", PaviaU.citation
    ),
    Chikusei.name: DatasetEntry(
        Chikusei, "airborne scene with eight test tiles, 110 bands, WorldView-3 guide, factor 4", Chikusei.citation
    ),
    IndianPines.name: DatasetEntry(
        IndianPines, "AVIRIS scene in three parts, 176 bands, Landsat 8 guide, factor 4", IndianPines.citation
    ),
    AvirisLa.name: DatasetEntry(
        AvirisLa, "five AVIRIS scenes of Los Angeles, 205 bands, wavelengths unknown", AvirisLa.citation
    ),
    JasperRidge.name: DatasetEntry(
        JasperRidge, "one AVIRIS scene, 197 bands, wavelengths unknown", JasperRidge.citation
    ),
    Samson.name: DatasetEntry(Samson, "one airborne scene, 156 bands of 401 to 889 nm", Samson.citation),
    EnmapPotsdam.name: DatasetEntry(
        EnmapPotsdam, "three blocks of an EnMAP satellite scene, 214 bands", EnmapPotsdam.citation
    ),
    HyperionAliParis.name: DatasetEntry(
        HyperionAliParis, "Hyperion over Paris, 128 bands, with the real ALI image, factor 3", HyperionAliParis.citation
    ),
}
# Pairs of two instruments whose Z nobody knows: nothing to score, nothing to train on
REAL_PAIRS: dict[str, PairsEntry] = {
    HypSen.name: PairsEntry(HypSen, "Hyperion and Sentinel-2A, 84 and 4 bands, factor 3", HypSen.citation),
    HyperionAliPan.name: PairsEntry(
        HyperionAliPan, "Hyperion over Paris and ALI's panchromatic band, factor 3", HyperionAliPan.citation
    ),
}


def make_dataset(
    name: str,
    *,
    data: PathLike | None = None,
    factor: int | None = None,
    sensor: str | None = None,
    peak: float | None = None,
) -> Dataset:
    """Build a data set of the catalog, or one from the user's own folder of scenes.

    Args:
        name: A name in `DATASETS`, or the path of an existing folder.
        data: Folder that holds the named data sets; HSRDIFF_DATA when None.
        factor: Resolution ratio; needed for a folder, the protocol's own for a named data set when None.
        sensor: The guide, as `Guide.named` takes it; likewise.
        peak: Value of a folder's files that becomes 1; their largest training value when None.

    Returns:
        The data set.

    Raises:
        DatasetNotFoundError: If the name is neither.
        InputError: If factor or sensor is missing for a folder, peak is given for a named data set, or the name is one
            of `REAL_PAIRS`, which have no truth.
        FactorError: If the factor is not a whole number of at least 2.
        SensorError: If the guide is unknown.
    """
    if name in DATASETS:
        if peak is not None:
            raise InputError(
                f"a peak given for the data set '{name}'",
                expected="none: its protocol fixes it",
                do="leave it out, or name a folder of scenes instead",
            )
        given = {"factor": factor, "sensor": sensor}
        return DATASETS[name].make(data, **{key: value for key, value in given.items() if value is not None})
    if name in REAL_PAIRS:
        raise InputError(
            f"the data set '{name}' is a real pair without a known Z, so nothing can be scored or trained on",
            expected=f"a data set with a truth: {', '.join(DATASETS)}",
            do="fuse the pair: hsrdiff.fuse takes what hsrdiff.datasets.make_pairs loads",
        )
    if not Path(name).expanduser().is_dir():
        raise DatasetNotFoundError(
            f"no data set and no folder is called '{name}'",
            expected="a data set of the catalog or the path of a folder of scenes",
            do=did_you_mean(name, (*DATASETS, *REAL_PAIRS)),
        )
    if factor is None or sensor is None:
        raise InputError(
            f"no {'factor' if factor is None else 'sensor'} given for the folder '{name}'",
            expected="the factor and the sensor of the guide to simulate",
            do="give both, such as factor 4 and sensor 'sentinel2'",
        )
    return FolderDataset(name, factor=factor, sensor=sensor, peak=peak)


def make_pairs(name: str, *, data: PathLike | None = None) -> RealPairs:
    """Build real pairs of the catalog.

    Args:
        name: A name in `REAL_PAIRS`.
        data: Folder that holds the named data sets; HSRDIFF_DATA when None.

    Returns:
        The pairs.

    Raises:
        DatasetNotFoundError: If there is none of that name, or the folder does not exist.
    """
    if name not in REAL_PAIRS:
        raise DatasetNotFoundError(
            f"no real pairs without truth are called '{name}'",
            expected="a name of that catalog",
            do=did_you_mean(name, REAL_PAIRS),
        )
    return REAL_PAIRS[name].make(data)
