"""GeoTIFF as other software writes and reads it; rasterio is the independent oracle."""

import numpy as np
import pytest
import rasterio
import rasterio.shutil
import xarray as xr
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp
from rasterio.rpc import RPC

from hsrdiff.cubes import as_cube, open_cube, write_cube
from hsrdiff.cubes.raster import RasterBands
from hsrdiff.errors import CubeFormatError

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


PLACED = {"crs": "EPSG:32633", "transform": rasterio.Affine(10, 0, 5e5, 0, -10, 5e6)}


def make(path, values, tags=None, domain=None, **profile):
    count, height, width = values.shape
    profile = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": values.dtype} | profile
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(values)
        for band, items in enumerate(tags or [], 1):
            dataset.update_tags(band, ns=domain, **items)
    return path


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
@pytest.mark.parametrize("masked", [False, True])
def test_strips_and_the_whole_hold_the_same(tmp_path, monkeypatch, dtype, masked):
    values = np.arange(3 * 29 * 17).reshape(3, 29, 17).astype(dtype)
    path = make(tmp_path / "a.tif", values, nodata=7, blockysize=2, tiled=False)  # blocks of 2 rows
    if masked:
        with rasterio.open(path, "r+") as dataset:
            dataset.write_mask(np.arange(29 * 17).reshape(29, 17) % 5 > 0)
    whole = open_cube(path)
    assert int(np.isnan(whole.values).sum()) >= 1
    monkeypatch.setattr("hsrdiff.cubes.cube.STRIP_BYTES", 1)
    monkeypatch.setattr("hsrdiff.cubes.raster._LEAST_ROWS", 3)
    reads = []
    original = RasterBands.__getitem__
    monkeypatch.setattr(RasterBands, "__getitem__", lambda self, key: reads.append(key[1]) or original(self, key))
    xr.testing.assert_identical(open_cube(path), whole)
    assert reads == [slice(first, min(first + 4, 29)) for first in range(0, 29, 4)]


@pytest.mark.parametrize("cog", [False, True])
def test_what_gdal_sees(tmp_path, full, cog):
    cube = full.drop_vars("band_name")
    cube.encoding = {"dtype": "int16", "scale_factor": 1e-4, "_FillValue": -9999}
    cube.attrs = {"hsrdiff_method": "bicubic", "hsrdiff_factor": 4}
    path = write_cube(cube, tmp_path / "a.tif", cog=cog)
    with rasterio.open(path) as dataset:
        assert dataset.dtypes[0] == "int16"
        assert dataset.nodata == -9999
        assert dataset.scales == (1e-4,) * 31
        assert dataset.offsets == (0.0,) * 31
        assert dataset.crs.to_epsg() == 32633
        assert dataset.descriptions[12] == "band 13 (520 Nanometers)"
        assert dataset.tags().items() >= {("hsrdiff_method", "bicubic"), ("hsrdiff_factor", "4")}
        items = dataset.tags(13)
        assert float(items["wavelength"]) == 520.0
        assert items["wavelength_units"] == "Nanometers"
        assert float(items["fwhm"]) == full.fwhm[12]
        assert (dataset.tags(1)["good_band"], items["good_band"]) == ("0", "1")
        imagery = dataset.tags(13, ns="IMAGERY")
        assert float(imagery["CENTRAL_WAVELENGTH_UM"]) == 0.52
        assert float(imagery["FWHM_UM"]) == pytest.approx(full.fwhm.values[12] / 1000)
        structure = dataset.tags(ns="IMAGE_STRUCTURE")
        assert structure["COMPRESSION"] == "DEFLATE"
        assert structure["PREDICTOR"] == "2"
        assert (structure.get("LAYOUT") == "COG") is cog
        assert dataset.profile["tiled"] is True
        np.testing.assert_allclose(
            dataset.read(5)[dataset.read_masks(5) > 0] * 1e-4, cube.values[4][~np.isnan(cube.values[4])], atol=6e-5
        )
    np.testing.assert_array_equal(open_cube(path).fwhm, full.fwhm)


def test_a_large_cog_has_overviews(tmp_path):
    cube = as_cube(np.random.default_rng(0).random((2, 600, 700)).astype(np.float32))
    path = write_cube(cube, tmp_path / "a.tif", cog=True)
    with rasterio.open(path) as dataset:
        assert dataset.overviews(1) == [2]
    np.testing.assert_array_equal(open_cube(path).values, cube.values)
    np.testing.assert_array_equal(open_cube(path, chunks={"y": 256}).values, cube.values)


@pytest.mark.parametrize("compress", ["deflate", "zstd", "lzw", "none"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", "float64"])
def test_every_compression_and_type(tmp_path, bare, compress, dtype):
    scale = {"uint8": 1 / 255, "int16": 1e-4}.get(dtype, 1.0)
    cube = bare if dtype.startswith("float") else (bare * (1 if scale < 1 else 1000))
    cube.encoding = {"dtype": dtype, "scale_factor": scale}
    back = open_cube(write_cube(cube, tmp_path / "a.tif", compress=compress))
    assert back.encoding["dtype"] == dtype
    np.testing.assert_allclose(back.values, cube.values, atol=1e-6 if "float" in dtype else 0.5 * scale + 1e-6)


def test_pixel_interleave(tmp_path, full):
    path = write_cube(full, tmp_path / "a.tif", interleave="pixel")
    with rasterio.open(path) as dataset:
        assert dataset.interleaving.value == "PIXEL"
    np.testing.assert_array_equal(open_cube(path).values, full.values)
    with pytest.raises(CubeFormatError, match="interleave"):
        write_cube(full, tmp_path / "b.tif", interleave="pixel", cog=True)


def test_strips_of_many_tiles(tmp_path, monkeypatch):
    monkeypatch.setattr("hsrdiff.cubes.packed_cube.STRIP_BYTES", 2 * 300 * 4 * 10)
    cube = as_cube(np.random.default_rng(0).random((2, 700, 300)).astype(np.float32))
    for name in ("a.tif", "a.img", "b.bil", "a.npy"):
        np.testing.assert_array_equal(open_cube(write_cube(cube, tmp_path / name)).values, cube.values)


def test_a_plain_rgb_image_has_no_wavelengths(tmp_path):
    values = np.random.default_rng(0).integers(0, 255, (3, 5, 6), dtype=np.uint8)
    for name, driver in (("a.tif", "GTiff"), ("a.png", "PNG")):
        cube = open_cube(make(tmp_path / name, values, driver=driver))
        assert set(cube.coords) <= {"spatial_ref"}
        np.testing.assert_array_equal(cube.values, values)
        assert cube.encoding["dtype"] == np.uint8


def test_a_grey_image_of_16_bits(tmp_path):
    values = np.arange(30, dtype=np.uint16).reshape(1, 5, 6) * 2000
    np.testing.assert_array_equal(open_cube(make(tmp_path / "a.png", values, driver="PNG")).values, values)


def test_an_alpha_band_marks_invalid_pixels(tmp_path):
    values = np.full((4, 5, 6), 7, np.uint8)
    values[3] = 255
    values[3, 0, 0] = 0
    for name, driver in (("a.tif", "GTiff"), ("a.png", "PNG")):
        path = make(
            tmp_path / name,
            values,
            driver=driver,
            **({"photometric": "RGB", "alpha": "YES"} if driver == "GTiff" else {}),
        )
        cube = open_cube(path)
        assert cube.shape == (3, 5, 6)
        assert np.isnan(cube.values[:, 0, 0]).all()
        assert np.isnan(cube.values).sum() == 3
        write_cube(cube, tmp_path / "again.tif")


def test_a_palette_is_refused(tmp_path):
    path = tmp_path / "a.tif"
    with rasterio.open(path, "w", driver="GTiff", count=1, height=4, width=4, dtype="uint8") as dataset:
        dataset.write(np.zeros((1, 4, 4), np.uint8))
        dataset.write_colormap(1, {0: (255, 0, 0, 255)})
        assert dataset.colorinterp == (ColorInterp.palette,)
    with pytest.raises(CubeFormatError, match="palette"):
        open_cube(path)


VALUES = np.ones((2, 4, 5), np.float32)


def test_units_of_band_items(tmp_path):
    units = {"wavelength_units": "Micrometers"}
    tags = [{"wavelength": "0.45", "fwhm": "0.01"} | units, {"wavelength": "0.55", "fwhm": "0.02"} | units]
    cube = open_cube(make(tmp_path / "a.tif", VALUES, tags))
    assert cube.wavelength.values.tolist() == [450.0, 550.0]
    assert cube.fwhm.values.tolist() == [10.0, 20.0]


def test_units_may_differ_from_band_to_band(tmp_path):
    tags = [{"wavelength": "0.45", "wavelength_units": "um"}, {"wavelength": "550", "wavelength_units": "nm"}]
    assert open_cube(make(tmp_path / "a.tif", VALUES, tags)).wavelength.values.tolist() == [450.0, 550.0]


def test_the_imagery_domain_alone(tmp_path):
    tags = [{"CENTRAL_WAVELENGTH_UM": "0.45", "FWHM_UM": "0.01"}, {"CENTRAL_WAVELENGTH_UM": "0.55", "FWHM_UM": "0.01"}]
    cube = open_cube(make(tmp_path / "a.tif", VALUES, tags, domain="IMAGERY"))
    assert cube.wavelength.values.tolist() == [450.0, 550.0]
    assert cube.fwhm.values.tolist() == [10.0, 10.0]


def test_band_descriptions_alone(tmp_path):
    path = make(tmp_path / "a.tif", VALUES)
    with rasterio.open(path, "r+") as dataset:
        dataset.descriptions = ("band 1 (450.5 Nanometers)", "band 2 (0.55 Micrometers)")
    assert "wavelength" not in open_cube(path).coords  # two units in one list are a slip, not a fact
    with rasterio.open(path, "r+") as dataset:
        dataset.descriptions = ("blue (450.5 Nanometers)", "green (550 Nanometers)")
    cube = open_cube(path)
    assert cube.wavelength.values.tolist() == [450.5, 550.0]
    assert cube.band_name.values.tolist() == ["blue (450.5 Nanometers)", "green (550 Nanometers)"]


def test_numbers_in_brackets_that_are_no_wavelengths(tmp_path):
    path = make(tmp_path / "a.tif", VALUES)
    with rasterio.open(path, "r+") as dataset:
        dataset.descriptions = ("tree height (10 kg)", "tree height (20 kg)")
    assert "wavelength" not in open_cube(path).coords


def test_a_list_of_the_whole_file_as_gdal_makes_it_from_envi(tmp_path):
    path = make(tmp_path / "a.tif", VALUES)
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(
            ns="ENVI", wavelength="{0.45, 0.55}", wavelength_units="Micrometers", fwhm="{0.01,0.02}", bbl="{1,0}"
        )
    cube = open_cube(path)
    assert cube.wavelength.values.tolist() == [450.0, 550.0]
    assert cube.fwhm.values.tolist() == [10.0, 20.0]
    assert cube.good_band.values.tolist() == [True, False]


def test_a_wavelength_for_some_bands_only_is_none(tmp_path):
    assert "wavelength" not in open_cube(make(tmp_path / "a.tif", VALUES, [{"wavelength": "450"}, {}])).coords


def test_a_scale_for_each_band(tmp_path):
    path = make(tmp_path / "a.tif", np.full((2, 4, 5), 10, np.int16), nodata=-1)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets = (0.1, 0.2), (0.0, 1.0)
    cube = open_cube(path)
    assert cube.values[:, 0, 0] == pytest.approx([1.0, 3.0])
    assert cube.encoding["scale_factor"].tolist() == [0.1, 0.2]


def test_named_variables_are_refused(tmp_path, bare):
    with pytest.raises(CubeFormatError, match="variable"):
        open_cube(write_cube(bare, tmp_path / "a.tif"), variable="cube")


@pytest.mark.parametrize(("side", "tile"), [(64, 128), (200, 256), (700, 512)])
def test_tiles_of_a_cloud_optimised_file_are_no_larger_than_the_image_needs(tmp_path, side, tile):
    path = write_cube(as_cube(np.ones((1, side, side), np.float32)), tmp_path / "a.tif", cog=True)
    with rasterio.open(path) as dataset:
        assert dataset.block_shapes == [(tile, tile)]
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


@pytest.mark.parametrize("dtype", ["complex64", "complex128", "complex_int16"])
def test_complex_numbers_are_one_sentence(tmp_path, dtype):
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", count=2, height=8, width=8, dtype=dtype):
        pass
    with pytest.raises(CubeFormatError, match="holds complex numbers; expected real numbers"):
        open_cube(tmp_path / "a.tif")


def test_a_stack_of_pages_is_refused_and_a_preview_is_passed_over(tmp_path):
    large, small = (write_cube(as_cube(np.ones((1, n, n))), tmp_path / f"{n}.tif") for n in (8, 4))
    pages = tmp_path / "pages.tif"
    rasterio.shutil.copy(large, pages, driver="GTiff")
    rasterio.shutil.copy(small, pages, driver="GTiff", APPEND_SUBDATASET="YES")
    assert open_cube(pages).shape == (1, 8, 8)
    rasterio.shutil.copy(large, pages, driver="GTiff", APPEND_SUBDATASET="YES")
    with pytest.raises(CubeFormatError, match="a stack of 2 pages of 8 x 8 pixels"):
        open_cube(pages)


@pytest.mark.parametrize("cog", [False, True])
@pytest.mark.parametrize(("dtype", "fill"), [("int64", -(2**63)), ("int64", -9999), ("uint64", 2**63), ("uint64", 7)])
def test_fills_of_64_bits_come_back(tmp_path, dtype, fill, cog):
    cube = as_cube(np.array([[[np.nan, 1.0, -5.0 if dtype == "int64" else 5.0]]], np.float32))
    cube.encoding = {"dtype": dtype, "_FillValue": fill}
    again = open_cube(write_cube(cube, tmp_path / "a.tif", cog=cog))
    np.testing.assert_array_equal(again.values, cube.values)
    assert again.encoding["dtype"] == dtype


def test_an_image_placed_by_points_or_polynomials_alone_says_that_they_are_not_used(tmp_path):
    values = np.ones((2, 8, 8), np.float32)
    points = [GroundControlPoint(r, c, 500000 + 10 * c, 5800000 - 10 * r) for r, c in ((0, 0), (0, 8), (8, 0))]
    cube = open_cube(make(tmp_path / "points.tif", values, gcps=points, crs="EPSG:32633"))
    assert cube.attrs["place_note"].startswith("ground control points are not used")
    unplaced, placed = make(tmp_path / "rpc.tif", values), make(tmp_path / "placed.tif", values, **PLACED)
    for path in (unplaced, placed):
        with rasterio.open(path, "r+") as dataset:
            one = [1.0] + [0.0] * 19
            dataset.rpcs = RPC(0.0, 1.0, 50.0, 1.0, one, one, 4.0, 4.0, 8.0, 1.0, one, one, 4.0, 4.0)
    assert open_cube(unplaced).attrs["place_note"].startswith("rational polynomials (RPC) are not used")
    assert "place_note" not in open_cube(placed).attrs
    assert "place_note" not in open_cube(make(tmp_path / "none.tif", values)).attrs
    assert "place_note" not in as_cube(cube, **PLACED).attrs
    assert "place_note" in cube.attrs
