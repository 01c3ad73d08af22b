"""Every data set by name: the one table to add a line to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hsrdiff.datasets.base import Dataset
from hsrdiff.datasets.cave import Cave
from hsrdiff.datasets.folder import FolderDataset
from hsrdiff.datasets.indian_pines import IndianPines
from hsrdiff.errors import DatasetNotFoundError, InputError, did_you_mean
from hsrdiff.typing import PathLike


@dataclass(frozen=True)
class DatasetEntry:
    """One line of the catalog.

    Attributes:
        make: Builds the data set from the data folder (None: HSRDIFF_DATA).
        summary: One line for a list.
        citation: Who published the data.
    """

    make: Callable[[PathLike | None], Dataset]
    summary: str
    citation: str


DATASETS: dict[str, DatasetEntry] = {
    Cave.name: DatasetEntry(Cave, "32 indoor scenes, 31 bands, Nikon D700 guide, factor 32", Cave.citation),
    IndianPines.name: DatasetEntry(
        IndianPines, "AVIRIS scene in three parts, 176 bands, Landsat 8 guide, factor 4", IndianPines.citation
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
        factor: Resolution ratio; needed for a folder, fixed by the protocol for a named data set.
        sensor: The guide's sensor; likewise.
        peak: Value of a folder's files that becomes 1; their largest training value when None.

    Returns:
        The data set.

    Raises:
        DatasetNotFoundError: If the name is neither.
        InputError: If factor or sensor is missing for a folder, or given for a named data set.
    """
    if name in DATASETS:
        if factor is not None or sensor is not None or peak is not None:
            raise InputError(
                f"factor, sensor or peak given for the data set '{name}'",
                expected="none of them: its protocol fixes them",
                do="leave them out, or name a folder of scenes instead",
            )
        return DATASETS[name].make(data)
    if not Path(name).expanduser().is_dir():
        raise DatasetNotFoundError(
            f"no data set and no folder is called '{name}'",
            expected="a data set of the catalog or the path of a folder of scenes",
            do=did_you_mean(name, DATASETS),
        )
    if factor is None or sensor is None:
        raise InputError(
            f"no {'factor' if factor is None else 'sensor'} given for the folder '{name}'",
            expected="the factor and the sensor of the guide to simulate",
            do="give both, such as factor 4 and sensor 'sentinel2'",
        )
    return FolderDataset(name, factor=factor, sensor=sensor, peak=peak)
