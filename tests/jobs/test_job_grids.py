"""Grids: nested ones are kept to the bit, others cut or resampled; no value crosses a mask; places are right."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from job_scenes import material_cube
from rasterio.warp import transform as to_crs

from hsrdiff import fuse, simulate
from hsrdiff.cubes import as_cube, open_cube
from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.errors import FactorError, InputError
from hsrdiff.jobs.grids import LEAST_RATIO, nest
from hsrdiff.jobs.pair import make_pair

UTM = "EPSG:32633"
LEFT, TOP = 400000.0, 5800000.0


def place(pixel, left=LEFT, top=TOP):
    return Affine(pixel, 0.0, left, 0.0, -pixel, top)


def numbered(height, width, bands=1, *, pixel=10.0, left=LEFT, top=TOP, crs=UTM):
    """An image whose first band is its row and whose second is its column."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    values = np.stack([rows, columns] + [np.ones_like(rows)] * max(0, bands - 2))[:bands]
    return as_cube(values, crs=crs, transform=place(pixel, left, top))


def on_map(height, width, bands, *, transform, crs=UTM, into=None):
    """An image whose first two bands are map coordinates of its pixel centres, in kilometres, in the CRS `into`."""
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    x, y = transform @ (columns, rows)
    if into is not None:
        u, v = to_crs(crs, into, x.ravel(), y.ravel())
        x, y = np.reshape(u, x.shape), np.reshape(v, y.shape)
    planes = [(x - LEFT) / 1e3, (y - TOP) / 1e3] + [np.ones_like(x)] * (bands - 2)
    return as_cube(np.stack(planes).astype(np.float32), crs=crs, transform=transform)


@pytest.mark.parametrize("lacks", ["hsi", "msi"])
def test_a_coordinate_system_that_is_borrowed_is_said(lacks):
    pair = simulate(material_cube(), sensor="sentinel2:B2,B3,B4,B8", factor=4)
    images = {"hsi": pair.hsi, "msi": pair.msi}
    without = images[lacks]
    transform = georeference_of(without)[1]
    images[lacks] = as_cube(without.values, wavelengths_nm=without["wavelength"].values, transform=transform)
    note = make_pair(images["hsi"], images["msi"]).notes["grid"]
    name = {"hsi": "hyperspectral", "msi": "multispectral"}[lacks]
    assert note.startswith(f"the {name} image names no coordinate system and is taken to lie in that of the ")


def test_a_pair_that_fits_is_kept_to_the_bit():
    pair = simulate(material_cube(), sensor="sentinel2:B2,B3,B4,B8", factor=4)
    kept = make_pair(pair.hsi, pair.msi)
    np.testing.assert_array_equal(kept.hsi.values, pair.hsi.values)
    np.testing.assert_array_equal(kept.msi.values, pair.msi.values)
    assert (kept.factor, kept.offset, kept.grid, kept.notes) == (4, (0.0, 0.0), (), {})
    assert kept.transform == georeference_of(pair.msi)[1]
    assert kept.crs == georeference_of(pair.msi)[0]
    # as before there was a map to look at: the same numbers come out without one
    on_the_map, off_it = (
        fuse(pair.hsi, pair.msi, method="regression"),
        fuse(as_cube(pair.hsi.values), as_cube(pair.msi.values), method="regression"),
    )
    np.testing.assert_array_equal(on_the_map.values, off_it.values)


def test_extents_that_differ_are_cut_to_whole_coarse_pixels():
    hsi = numbered(6, 7, 3, pixel=30.0)
    # begins 4 fine pixels above and 2 left of row 1, column 1 of the HSI, and ends 1 pixel into its row 5
    msi = numbered(17, 12, 2, left=LEFT + 30 - 20, top=TOP - 30 + 40)
    pair = make_pair(hsi, msi)
    assert pair.factor == 3
    np.testing.assert_array_equal(pair.hsi.values[0, :, 0], [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(pair.hsi.values[1, 0], [1, 2, 3])
    # HSI row 0 begins at fine row 1, column 1 at fine column 2
    np.testing.assert_array_equal(pair.msi.values[0, :, 0], np.arange(1, 16))
    np.testing.assert_array_equal(pair.msi.values[1, 0], np.arange(2, 11))
    assert pair.transform == place(10.0, LEFT + 30, TOP)
    assert georeference_of(pair.msi)[1] == georeference_of(pair.hsi)[1] @ Affine.scale(1 / 3)
    assert pair.notes["grid"] == (
        "cut to the common area: the hyperspectral image by 1 rows at the bottom, 1 columns at the left, 3 columns at "
        "the right, and the multispectral image by 1 rows at the top, 1 rows at the bottom, 2 columns at the left, "
        "1 columns at the right"
    )


def test_cutting_twice_changes_nothing_more():
    once = make_pair(numbered(6, 7, 3, pixel=30.0), numbered(17, 12, 2, left=LEFT + 10, top=TOP + 10))
    twice = make_pair(once.hsi, once.msi)
    np.testing.assert_array_equal(twice.msi.values, once.msi.values)
    assert twice.transform == once.transform
    assert twice.notes == {}


@pytest.mark.parametrize("south_up", [False, True])
def test_every_fine_pixel_lies_in_its_coarse_pixel(south_up):
    step = -30.0 if south_up else 30.0
    coarse = Affine(30.0, 0, LEFT, 0, -step, TOP)
    fine = Affine(10.0, 0, LEFT + 40, 0, -step / 3, TOP - 2 * step)
    pair = make_pair(on_map(8, 9, 3, transform=coarse), on_map(30, 20, 2, transform=fine))
    for axis in (0, 1):
        mean = pair.msi.values[axis].reshape(pair.hsi.sizes["y"], 3, pair.hsi.sizes["x"], 3).mean(axis=(1, 3))
        np.testing.assert_allclose(mean, pair.hsi.values[axis], atol=1e-5)
    assert "resampled" not in pair.notes["grid"]


def test_a_part_of_a_fine_pixel_moves_the_psf_and_resamples_nothing():
    hsi = numbered(8, 8, 3, pixel=30.0)
    msi = numbered(24, 24, 2, left=LEFT - 10 + 4, top=TOP + 3)  # HSI 0.6 and 0.3 fine pixels right and below
    pair = make_pair(hsi, msi)
    assert pair.offset == pytest.approx((0.3, -0.4))
    assert pair.hsi.shape == (3, 8, 7)  # the last column has no whole pixels
    assert set(np.unique(pair.msi.values[1])) <= set(range(24))
    assert pair.notes["grid"].startswith("hyperspectral pixels begin +0.30 rows and -0.40 columns of fine pixels")


@pytest.mark.parametrize(("pixel", "factor"), [(20.0, 2), (24.0, 2), (12.0, 3), (9.0, 4), (29.9 / 3, 3)])
def test_other_ratios_are_resampled_to_the_next_finer_grid(pixel, factor):
    hsi = on_map(40, 30, 3, transform=place(30.0))
    msi = on_map(90, 90, 2, transform=place(pixel, LEFT - 95.0, TOP + 95.0))
    pair = make_pair(hsi, msi)
    assert pair.factor == factor
    assert pair.transform.almost_equals(georeference_of(pair.hsi)[1] @ Affine.scale(1 / factor), 1e-6)
    assert f"1/{factor} of the hyperspectral pixels" in pair.notes["grid"]
    # linear images are met exactly by bilinear interpolation: every pixel holds its own place
    rows, columns = np.mgrid[0 : pair.msi.sizes["y"], 0 : pair.msi.sizes["x"]] + 0.5
    x, y = pair.transform @ (columns, rows)
    inside = np.isfinite(pair.msi.values[0])
    assert inside.mean() > 0.9
    np.testing.assert_allclose(pair.msi.values[0][inside], ((x - LEFT) / 1e3)[inside], atol=2e-4)
    np.testing.assert_allclose(pair.msi.values[1][inside], ((y - TOP) / 1e3)[inside], atol=2e-4)


def test_a_turned_image_is_resampled_and_its_corners_are_invalid():
    turned = Affine.translation(LEFT + 600, TOP + 150) @ Affine.rotation(-40) @ Affine.scale(10.0, -10.0)
    pair = make_pair(on_map(40, 40, 3, transform=place(30.0)), on_map(100, 100, 2, transform=turned))
    assert pair.factor == 3
    valid = np.isfinite(pair.msi.values[0])
    assert 0.2 < valid.mean() < 0.8
    rows, columns = np.mgrid[0 : valid.shape[0], 0 : valid.shape[1]] + 0.5
    x, y = pair.transform @ (columns, rows)
    np.testing.assert_allclose(pair.msi.values[0][valid], ((x - LEFT) / 1e3)[valid], atol=2e-4)
    # a pixel counts only where all that it was made of lies inside the turned image
    u, v = ~turned @ (x, y)
    outside = (u < 0.5) | (v < 0.5) | (u > 99.5) | (v > 99.5)
    assert not valid[outside].any()
    assert valid[(u > 1.6) & (v > 1.6) & (u < 98.4) & (v < 98.4)].all()


def test_another_crs_is_reprojected_to_that_of_the_hyperspectral_image():
    hsi = on_map(20, 20, 3, transform=place(30.0))
    (x,), (y,) = to_crs(UTM, "EPSG:32632", [LEFT], [TOP])
    msi = on_map(160, 160, 2, transform=place(10.0, x - 300, y + 500), crs="EPSG:32632", into=UTM)
    pair = make_pair(hsi, msi)
    assert pair.factor == 3
    assert pair.crs.to_epsg() == 32633
    assert "from EPSG:32632 to EPSG:32633" in pair.notes["grid"]
    assert pair.hsi.shape == hsi.shape
    rows, columns = np.mgrid[0:60, 0:60] + 0.5
    x, y = pair.transform @ (columns, rows)
    # a hundredth of a fine pixel
    np.testing.assert_allclose(pair.msi.values[0], (x - LEFT) / 1e3, atol=1e-4)
    np.testing.assert_allclose(pair.msi.values[1], (y - TOP) / 1e3, atol=1e-4)


def test_no_value_crosses_a_mask_when_resampling():
    rng = np.random.default_rng(3)
    values = rng.random((2, 60, 60)).astype(np.float32)
    holes = rng.random((60, 60)) < 0.05
    hsi = numbered(20, 20, 3, pixel=30.0)
    found = []
    for filling in (np.nan, np.inf):
        image = values.copy()
        image[0, holes] = filling  # one band is enough
        image[1, holes] = 1e9
        found.append(make_pair(hsi, as_cube(image, crs=UTM, transform=place(20.0, LEFT - 7, TOP + 7))).msi.values)
    np.testing.assert_array_equal(found[0], found[1])
    valid = np.isfinite(found[0])
    assert 0.3 < valid.mean() < 1.0
    assert (valid[0] == valid[1]).all()
    assert found[0][valid].min() >= values.min() - 1e-6
    assert found[0][valid].max() <= values.max() + 1e-6


def test_a_point_raster_lies_where_gdal_says(tmp_path):
    """AREA_OR_POINT=Point: the file gives the centre of the first pixel, and both readings make one pair."""
    hsi = numbered(4, 4, 3, pixel=30.0)
    pairs = []
    for kind in ("Area", "Point"):
        path = tmp_path / f"{kind}.tif"
        profile = {"driver": "GTiff", "height": 12, "width": 12, "count": 2, "dtype": "float32"}
        with rasterio.open(path, "w", **profile, crs=UTM, transform=place(10.0)) as file:
            file.update_tags(AREA_OR_POINT=kind)
            file.write(numbered(12, 12, 2).values)
        pairs.append(make_pair(hsi, open_cube(path)))
    with rasterio.Env(GTIFF_POINT_GEO_IGNORE=True), rasterio.open(tmp_path / "Point.tif") as file:
        assert file.transform == place(10.0, LEFT + 5, TOP - 5)  # what the file holds
    for pair in pairs:
        assert pair.transform == place(10.0)
        assert pair.notes == {}


def test_bounds_that_are_nearly_equal_need_no_word():
    hsi = numbered(4, 4, 3, pixel=30.0)
    pair = make_pair(hsi, numbered(12, 12, 2, left=LEFT + 1.4, top=TOP - 1.4))
    assert pair.offset == (0.0, 0.0)
    assert pair.notes == {}


def test_moving_a_pair_there_and_back_costs_only_the_edge():
    pair = make_pair(numbered(8, 8, 3, pixel=30.0), numbered(30, 30, 2, left=LEFT - 30, top=TOP + 30))
    away = pair.moved(1.25, -2.0)
    assert away.offset == pytest.approx((0.25, 0.0))
    assert away.hsi.shape == (3, 8, 8)
    np.testing.assert_array_equal(away.msi.values[:, 0, 0], pair.msi.values[:, 0, 0] + [1, -2])
    assert away.transform == pair.transform @ Affine.translation(-2, 1)
    back = away.moved(-1.25, 2.0)
    np.testing.assert_array_equal(back.msi.values, pair.msi.values)
    assert back.transform == pair.transform
    far = pair.moved(-5.0, 0.0)
    assert far.hsi.shape == (3, 7, 8)
    assert far.hsi.values[0, 0, 0] == 1
    assert "cost it 1 rows and 0 columns" in far.notes["grid"]
    with pytest.raises(InputError, match="do not overlap"):
        pair.moved(100.0, 0.0)


def test_a_place_told_by_the_coarse_image_alone_stays_its_own():
    pair = make_pair(numbered(8, 8, 3, pixel=30.0), as_cube(numbered(24, 24, 2).values)).moved(2.0, 0.0)
    assert pair.hsi.shape == (3, 7, 8)
    assert georeference_of(pair.hsi)[1] @ Affine.scale(1 / 3) == pair.transform


def test_a_place_that_is_not_used_is_said_of_its_image():
    fine = as_cube(numbered(24, 24, 2).values)
    fine.attrs["place_note"] = "4 ground control points are not used"
    coarse = numbered(8, 8, 3, pixel=30.0)
    said = make_pair(coarse, fine).notes["grid"]
    assert said.endswith("; the multispectral image's 4 ground control points are not used")
    assert "not used" not in make_pair(coarse, as_cube(fine.values)).notes["grid"]


def test_ratios_that_are_none_and_images_that_are_swapped():
    coarse, fine = numbered(6, 6, 3, pixel=30.0), numbered(60, 60, 3)
    with pytest.raises(InputError, match=r"3 times finer than the second.*swap"):
        make_pair(fine, coarse)
    with pytest.raises(FactorError, match=r"ratio of 1\.111.*1\.2"):
        make_pair(coarse, numbered(6, 6, 2, pixel=27.0))
    assert make_pair(coarse, numbered(12, 12, 2, pixel=30.0 / LEAST_RATIO)).factor == 2
    with pytest.raises(FactorError, match="are 3 times apart"):
        make_pair(coarse, fine, factor=4)
    with pytest.raises(InputError, match="no place on the map"):
        nest(as_cube(coarse.values), fine)
    with pytest.raises(InputError, match=r"do not overlap.*x 900000 to 900600"):
        make_pair(coarse, numbered(60, 60, 3, left=900000.0))
    with pytest.raises(InputError, match=r"do not overlap.*EPSG:32631"):
        make_pair(coarse, numbered(60, 60, 3, crs="EPSG:32631"))
    with pytest.raises(InputError, match="do not overlap"):
        make_pair(coarse, numbered(9, 9, 2, pixel=20.0, left=LEFT - 500))


def test_a_large_hyperspectral_image_and_a_small_multispectral_one_are_not_swapped():
    pair = make_pair(numbered(200, 200, 3, pixel=30.0), numbered(60, 60, 2, left=LEFT + 300, top=TOP - 300))
    assert pair.hsi.shape == (3, 20, 20)
    assert pair.hsi.values[0, 0, 0] == 10


def test_fused_from_different_extents_it_lies_and_looks_as_from_equal_ones():
    truth = material_cube(32)
    pair = simulate(truth, sensor="sentinel2:B2,B3,B4,B8", factor=4)
    whole = fuse(pair.hsi, pair.msi, method="regression")
    part = fuse(pair.hsi, pair.msi.isel(y=slice(3, 31), x=slice(0, 26)), method="regression")
    assert part.shape == (12, 24, 24)
    assert georeference_of(part)[1] == georeference_of(pair.msi)[1] @ Affine.translation(0, 4)
    np.testing.assert_allclose(part.values, whole.values[:, 4:28, :24], atol=8e-3)
    assert "cut to the common area" in part.attrs["hsrdiff_note_grid"]
