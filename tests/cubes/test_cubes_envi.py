"""ENVI files as others write and read them: GDAL and the `spectral` package are the oracles."""

import numpy as np
import pytest
import rasterio
import spectral.io.envi
from affine import Affine

from hsrdiff.cubes import as_cube, open_cube, write_cube
from hsrdiff.cubes.envi_header import format_header, parse_header
from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.errors import CubeFormatError

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning", "ignore::DeprecationWarning")

INTERLEAVES = ("bsq", "bil", "bip")


def header(path, **changes):
    entries = {"samples": 3, "lines": 2, "bands": 4, "header offset": 0, "data type": 2, "interleave": "bsq",
               "byte order": 0} | {key.replace("_", " "): value for key, value in changes.items()}  # fmt: skip
    path.write_text(format_header({key: value for key, value in entries.items() if value is not None}))
    return path


def small(folder, **changes):
    """A 4 x 2 x 3 BSQ file of 0..23 in int16."""
    (folder / "a.img").write_bytes(np.arange(24, dtype="<i2").tobytes())
    return header(folder / "a.hdr", **changes)


@pytest.mark.parametrize("interleave", INTERLEAVES)
@pytest.mark.parametrize("byte_order", ["little", "big"])
def test_gdal_and_spectral_see_the_same_cube(tmp_path, full, interleave, byte_order):
    path = write_cube(full, tmp_path / "a.hdr", interleave=interleave, byte_order=byte_order)
    with rasterio.open(tmp_path / "a.img") as dataset:
        assert dataset.driver == "ENVI"
        np.testing.assert_array_equal(dataset.read(), full.values)
        assert [float(dataset.tags(i)["wavelength"]) for i in dataset.indexes] == full.wavelength.values.tolist()
        assert dataset.tags(1)["wavelength_units"] == "Nanometers"
        assert np.isnan(dataset.nodata)
        assert dataset.crs.to_epsg() == 32633
        assert dataset.transform == full.rio.transform()
    image = spectral.io.envi.open(path)
    np.testing.assert_array_equal(image.load().transpose(2, 0, 1), full.values)
    assert image.bands.centers == full.wavelength.values.tolist()
    assert image.bands.bandwidths == full.fwhm.values.tolist()
    assert image.metadata["default bands"] == ["25", "16", "7"]
    assert [int(flag) for flag in image.metadata["bbl"]] == full.good_band.values.tolist()
    assert image.metadata["band names"][3] == "filter 3"
    np.testing.assert_array_equal(open_cube(path).values, full.values)


@pytest.mark.parametrize("interleave", INTERLEAVES)
@pytest.mark.parametrize("byte_order", [0, 1])
@pytest.mark.parametrize(
    "dtype", ["uint8", "int16", "int32", "float32", "float64", "uint16", "uint32", "int64", "uint64"]
)
def test_files_of_spectral_are_read(tmp_path, interleave, byte_order, dtype):
    values = np.arange(24).reshape(2, 3, 4).astype(dtype)
    spectral.io.envi.save_image(
        str(tmp_path / "a.hdr"), values, interleave=interleave, byteorder=byte_order, dtype=dtype,
        metadata={"wavelength": [0.4, 0.5, 0.6, 0.7], "wavelength units": "Micrometers"},
    )  # fmt: skip
    cube = open_cube(tmp_path / "a.hdr")
    np.testing.assert_array_equal(cube.values, values.transpose(2, 0, 1))
    assert cube.wavelength.values == pytest.approx([400, 500, 600, 700])
    assert cube.encoding["dtype"] == dtype


@pytest.mark.parametrize("interleave", INTERLEAVES)
def test_files_of_gdal_are_read(tmp_path, interleave):
    values = np.random.default_rng(0).random((4, 5, 6)).astype(np.float32)
    turned = Affine.translation(500000, 5800000) @ Affine.rotation(-25) @ Affine.scale(30, -30)
    with rasterio.open(
        tmp_path / "a.img", "w", driver="ENVI", interleave=interleave, count=4, height=5, width=6, dtype="float32",
        crs="EPSG:32733", transform=turned, nodata=-1,
    ) as dataset:  # fmt: skip
        dataset.write(values)
    for name in ("a.img", "a.hdr"):
        cube = open_cube(tmp_path / name)
        np.testing.assert_array_equal(cube.values, values)
        crs, transform = georeference_of(cube)
        assert crs.to_epsg() == 32733
        assert transform.almost_equals(turned, 1e-5)
        assert cube.encoding["_FillValue"] == -1


@pytest.mark.parametrize("epsg", [32633, 32733, 4326, 3035, 4258])
@pytest.mark.parametrize("turn", [0, 20, -130])
def test_gdal_and_we_place_the_cube_alike(tmp_path, bare, epsg, turn):
    step = 0.01 if epsg in {4326, 4258} else 10.0
    placed = Affine.translation(13.0, 52.0) @ Affine.rotation(turn) @ Affine.scale(step, -step)
    write_cube(as_cube(bare, crs=f"EPSG:{epsg}", transform=placed), tmp_path / "a.hdr")
    crs, transform = georeference_of(open_cube(tmp_path / "a.hdr"))
    assert crs.to_epsg() == epsg
    assert transform.almost_equals(placed, 1e-9)
    with rasterio.open(tmp_path / "a.img") as dataset:
        assert dataset.transform.almost_equals(placed, 1e-9)
        assert dataset.crs.to_epsg() == epsg


def test_a_mirrored_transform_is_refused(tmp_path, bare):
    mirrored = as_cube(bare, transform=Affine(1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    with pytest.raises(CubeFormatError, match="mirrored"):
        write_cube(mirrored, tmp_path / "a.hdr")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["img", "bil", "bip", "bsq", "raw", "dat"])
def test_the_data_file_may_be_named(tmp_path, bare, ending):
    path = write_cube(bare, tmp_path / f"a.{ending}")
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(["a.hdr", f"a.{ending}"])
    assert parse_header(tmp_path / "a.hdr")["interleave"] == (ending if ending in INTERLEAVES else "bsq")
    np.testing.assert_array_equal(open_cube(path).values, bare.values)
    np.testing.assert_array_equal(open_cube(tmp_path / "a.hdr").values, bare.values)


def test_an_interleave_against_the_ending_is_refused(tmp_path, bare):
    with pytest.raises(CubeFormatError, match="interleave"):
        write_cube(bare, tmp_path / "a.bil", interleave="bip")


@pytest.mark.parametrize(
    ("data", "head"), [("a", "a.hdr"), ("a.img", "a.img.hdr"), ("a.dat", "a.HDR"), ("a.BSQ", "a.hdr")]
)
def test_other_names_of_the_pair(tmp_path, data, head):
    small(tmp_path)
    (tmp_path / "a.img").rename(tmp_path / data)
    (tmp_path / "a.hdr").rename(tmp_path / head)
    for name in (data, head):
        assert open_cube(tmp_path / name).values[3, 1, 2] == 23


def test_reflectance_scale_factor_divides_and_gains_come_first(tmp_path):
    assert open_cube(small(tmp_path, reflectance_scale_factor=10000)).values[0, 0, 1] == pytest.approx(1e-4)
    gains = small(
        tmp_path, reflectance_scale_factor=10000, data_gain_values=[1, 2, 3, 4], data_offset_values=[0, 0, 0, 5]
    )
    assert open_cube(gains).values[:, 0, 1].tolist() == [1, 14, 39, 81]


def test_header_offset_big_endian_and_ignore_value(tmp_path):
    small(tmp_path, header_offset=7, byte_order=1, data_ignore_value=5)
    (tmp_path / "a.img").write_bytes(b"preface" + np.arange(24, dtype=">i2").tobytes())
    values = open_cube(tmp_path / "a.hdr").values
    assert values[3, 1, 2] == 23
    assert np.isnan(values[0, 1, 2])
    assert np.isnan(values).sum() == 1


def test_a_header_as_people_write_it(tmp_path):
    small(tmp_path)
    (tmp_path / "a.hdr").write_bytes(
        b"ENVI\r\ndescription = {\r\n  made = by hand, with { no } braces = at all}\r\n; bands = 9\r\n"
        b"Samples  = 3\r\nLINES=2\r\nbands   = 4\r\nData Type = 2\r\ninterleave = BSQ\r\n"
        b"wavelength = {\r\n 0.4, 0.5,\r\n 0.6,\r\n 0.7 }\r\nbbl = { 1, 1, 0, 1 }\r\n"
        b"band names = {\r\nblue, green, red, near infrared}"
    )
    cube = open_cube(tmp_path / "a.hdr")
    assert cube.wavelength.values.tolist() == [400, 500, 600, 700]
    assert "um was assumed" in cube.attrs["wavelength_note"]
    assert cube.good_band.values.tolist() == [True, True, False, True]
    assert cube.band_name.values[3] == "near infrared"


@pytest.mark.parametrize("comment", ["; a { brace", "; } and {", "  ; one }"])
def test_braces_in_a_comment_open_and_close_nothing(tmp_path, comment):
    path = small(tmp_path, wavelength=[400, 500, 600, 700])
    path.write_text(path.read_text().replace("bands = 4", f"{comment}\nbands = 4"))
    assert open_cube(path).wavelength.values.tolist() == [400, 500, 600, 700]


def test_names_with_commas_and_braces_cannot_break_the_header(tmp_path, bare):
    cube = bare.assign_coords(band_name=("band", [f"a,{{b}} {n}" for n in range(31)]))
    assert open_cube(write_cube(cube, tmp_path / "a.hdr")).band_name.values[1] == "a;(b) 1"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bands": 5}, "48 bytes.*60"),
        ({"bands": None}, "'bands'.*missing"),
        ({"lines": "two"}, "'lines'.*'two'"),
        ({"samples": 0}, "positive size"),
        ({"data_type": 6}, "data type 6"),
        ({"interleave": "bxq"}, "bxq"),
        ({"wavelength": [1, 2]}, "2 entries.*4"),
        ({"wavelength": "{400, ..., 700}"}, "not a list of numbers"),
        ({"wavelength": [1, 2, 3, 4], "wavelength_units": "GHz"}, "GHz"),
        ({"file_type": "ENVI Spectral Library"}, "Spectral Library"),
        ({"file_compression": 1}, "compressed"),
        ({"map_info": "{UTM, a, b, c, d, e, f}"}, "map info"),
        ({"coordinate_system_string": "{nonsense}"}, "coordinate system"),
        ({"data_ignore_value": "none"}, "data ignore value"),
        ({"reflectance_scale_factor": 0}, "reflectance scale factor"),
        ({"wavelength": "{400, 500"}, "brace"),
    ],
)
def test_a_wrong_header_is_one_clear_sentence(tmp_path, changes, words):
    with pytest.raises(CubeFormatError, match=words) as caught:
        open_cube(small(tmp_path, **changes))
    assert str(caught.value).count("\n") == 0


def test_half_a_pair(tmp_path):
    small(tmp_path)
    (tmp_path / "b.img").write_bytes(bytes(range(48)))
    with pytest.raises(CubeFormatError, match=r"b\.img has no header.*b\.hdr"):
        open_cube(tmp_path / "b.img")
    (tmp_path / "a.img").unlink()
    with pytest.raises(CubeFormatError, match="no data file"):
        open_cube(tmp_path / "a.hdr")
    (tmp_path / "c.hdr").write_text("no header at all")
    with pytest.raises(CubeFormatError, match="ENVI"):
        open_cube(tmp_path / "c.hdr")


AVIRIS_NG = """ENVI
description = {
  /scratch/ang20150420t182050_corr_v1e_img  AVIRIS-NG Orthocorrected Surface Reflectance }
samples = 5
lines   = 3
bands   = 4
header offset = 0
file type = ENVI Standard
data type = 4
interleave = bil
byte order = 0
map info = { UTM , 1.000 , 1.000 , 724522.127 , 4074620.759 , 1.1e+00 , 1.1e+00 , 12 , North , WGS-84 , units=Meters , rotation=75.00000000 }
wavelength units = Nanometers
wavelength = { 376.8600
, 381.8700 , 1400.12 , 2505.00 }
fwhm = { 5.57 , 5.58 , 5.6 , 6.1 }
bbl = { 1 , 1 , 0 , 1.000000 }
data ignore value = -9999.000000
correction factors = { 1.0 , 1.0 , 1.0 , 1.0 }
smoothing factors = { 0 , 0 , 0 , 0 }
"""  # noqa: E501  (as it is delivered)


@pytest.mark.parametrize("ending", ["", ".hdr"])
def test_an_aviris_ng_flight_line_with_a_turned_grid(tmp_path, ending):
    stem = tmp_path / "ang20150420t182050_corr_v1e_img"
    raw = np.arange(60, dtype="<f4").reshape(3, 4, 5) / 100  # lines, bands, samples
    raw[0, :, 0] = -9999.0
    stem.write_bytes(raw.tobytes())
    stem.with_suffix(".hdr").write_text(AVIRIS_NG)
    cube = open_cube(stem.with_suffix(ending))
    assert cube.wavelength.values.tolist() == [376.86, 381.87, 1400.12, 2505.0]
    assert cube.fwhm.values.tolist() == [5.57, 5.58, 5.6, 6.1]
    assert cube.good_band.values.tolist() == [True, True, False, True]
    assert cube.values[1, 2, 3] == raw[2, 1, 3]
    assert np.isnan(cube.values).sum() == 4
    with rasterio.open(stem) as dataset:
        assert georeference_of(cube)[0].to_epsg() == dataset.crs.to_epsg() == 32612
        np.testing.assert_allclose(georeference_of(cube)[1], dataset.transform, rtol=1e-12)
