"""The table of products beside the table of formats."""

import h5py
import numpy as np
import pytest

from hsrdiff.cubes import FORMATS, as_cube, open_cube, write_cube
from hsrdiff.cubes.products.catalog import PRODUCTS

WRITABLE = [name for name, known in FORMATS.items() if known.can_write]


def test_products_are_asked_before_the_formats_that_their_files_are_in():
    assert list(FORMATS)[: len(PRODUCTS)] == list(PRODUCTS)
    assert not any(product.can_write or product.options for product in PRODUCTS.values())
    assert all(ending == ending.lower() for product in PRODUCTS.values() for ending in product.suffixes)


@pytest.mark.parametrize("name", WRITABLE)
@pytest.mark.parametrize("stem", ["scene", "S2A_MSIL2A", "EO1H_B001_L1T", "LC09_SR_B1", "EMIT_L2A_RFL_001", "17JUL05"])
def test_a_plain_file_is_no_product_whatever_its_name(tmp_path, name, stem):
    values = np.linspace(0, 1, 31 * 4).reshape(31, 2, 2).astype(np.float32)
    path = write_cube(as_cube(values), tmp_path / f"{stem}{FORMATS[name].suffixes[0]}", format=name)
    assert open_cube(path).attrs["source_format"] == name


def test_hdf5_with_groups_of_other_missions_is_no_product(tmp_path):
    with h5py.File(tmp_path / "a.he5", "w") as file:
        file["HDFEOS/SWATHS/OMI/Data Fields/cube"] = np.zeros((3, 4, 5), np.float32)
    assert open_cube(tmp_path / "a.he5").attrs["source_format"] == "hdf5"
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["reflectance"] = np.zeros((3, 4, 5), np.float32)
    assert open_cube(tmp_path / "b.h5").attrs["source_format"] == "hdf5"
