"""Places: whose CRS and transform a result has, what is no place, and that it is said."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from job_scenes import PLACE, material_cube

from hsrdiff import check, fuse, simulate
from hsrdiff.cubes import as_cube, open_cube, write_cube
from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.jobs.pair import make_pair

NOTE = "the {} image has no place on the map and is taken to have the extent of the {} one"


def counted(cube, step=1.0, first=0.0):
    """The values with coordinates that count pixels, without a CRS."""
    height, width = cube.sizes["y"], cube.sizes["x"]
    bare = as_cube(cube.values, wavelengths_nm=cube["wavelength"].values)
    return bare.assign_coords(x=first + step * np.arange(width), y=first + step * np.arange(height))


def bare(cube, **place):
    return as_cube(cube.values, wavelengths_nm=cube["wavelength"].values, **place)


@pytest.mark.parametrize("lacks", ["hsi", "msi"])
def test_crs_and_transform_come_from_one_image_and_the_other_is_named(pair, lacks):
    images = {"hsi": pair.hsi, "msi": pair.msi}
    images[lacks] = bare(images[lacks], crs="EPSG:4326")
    fused = fuse(images["hsi"], images["msi"], method="regression")
    crs, transform = georeference_of(fused)
    assert crs.to_epsg() == 32633
    assert transform.almost_equals(PLACE)
    names = ("multispectral", "hyperspectral") if lacks == "msi" else ("hyperspectral", "multispectral")
    assert fused.attrs["hsrdiff_note_grid"] == NOTE.format(*names)
    words = check(images["hsi"], images["msi"]).finding("grid").words
    assert NOTE.format(*names) in words
    assert "the extents are the same" not in words


def test_a_crs_alone_is_kept_where_neither_has_a_place(pair):
    made = make_pair(bare(pair.hsi, crs="EPSG:32633"), bare(pair.msi))
    assert (made.crs.to_epsg(), made.transform, made.notes) == (32633, None, {})


@pytest.mark.parametrize("ending", ["", "nc", "hdr"])
def test_coordinates_that_count_pixels_are_no_place(pair, tmp_path, ending):
    images = [bare(cube) if ending == "hdr" else counted(cube) for cube in pair]
    if ending:
        images = [write_cube(cube, tmp_path / f"{name}.{ending}") for cube, name in zip(images, "hm", strict=True)]
    if ending == "hdr":  # as ENVI itself says that it knows no place
        for path in images:
            path.write_text(path.read_text() + "map info = {Arbitrary, 1, 1, 0, 0, 1, 1, 0, North}\n")
    fused = fuse(*images, method="regression")
    plain = fuse(pair.hsi.values, pair.msi.values, method="regression")
    np.testing.assert_array_equal(fused.values, plain.values)
    assert "hsrdiff_note_grid" not in fused.attrs
    assert "no place on the map is known" in check(*images).finding("grid").words


def test_coordinates_that_count_pixels_beside_a_place_are_no_place(pair):
    fused = fuse(pair.hsi, counted(pair.msi), method="regression")
    assert georeference_of(fused)[1].almost_equals(PLACE)
    assert fused.attrs["hsrdiff_note_grid"] == NOTE.format("multispectral", "hyperspectral")
    far = make_pair(bare(pair.hsi, transform=PLACE @ Affine.scale(4)), counted(pair.msi))
    assert far.placed == ("hsi",)
    assert far.factor == 4


def test_images_that_count_the_pixels_of_one_of_them_are_cut_to_what_they_share():
    """As a scene without a CRS is simulated: the steps are 4 and 1."""
    made = simulate(counted(material_cube(24)), sensor="sentinel2:B2,B3,B4,B8", factor=4)
    assert georeference_of(made.hsi)[1].a == 4
    part = make_pair(made.hsi, made.msi.isel(y=slice(4, 24), x=slice(0, 22)))
    assert part.placed == ("hsi", "msi")
    assert part.hsi.shape[1:] == (5, 5)
    assert "cut to the common area" in part.notes["grid"]


def test_the_numbers_of_an_image_without_a_place_are_kept(pair, tmp_path):
    with rasterio.open(
        tmp_path / "m.tif", "w", driver="GTiff", count=4, height=24, width=24, dtype="float32",
        transform=Affine(1, 0, 5000, 0, -1, 7000),
    ) as file:  # fmt: skip
        file.write(pair.msi.values)
    made = make_pair(bare(pair.hsi), open_cube(tmp_path / "m.tif"))
    assert made.placed == ()
    assert made.transform == Affine(1, 0, 5000, 0, -1, 7000)
