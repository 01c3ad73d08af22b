import numpy as np
import pytest
import torch
import xarray as xr
from affine import Affine
from job_scenes import PLACE

from hsrdiff import fuse, simulate
from hsrdiff.cubes import as_cube, open_cube, write_cube
from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.errors import (
    InputError,
    ShapeError,
)
from hsrdiff.fusers import FUSERS
from hsrdiff.networks import CDFormer, CDFormerConfig, ModelCard, load_network, save_weights


@pytest.fixture(scope="module")
def tiny_weights(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    network = CDFormer(12, 4, CDFormerConfig(channels=8, layers=1, heads=2))
    # it starts at 0, and untrained weights would return the upsampled Y exactly
    torch.nn.init.normal_(network.reconstruct.weight, std=0.1)
    return save_weights(path, network, ModelCard(name="tiny", bands=12, msi_bands=4, factor=4))


def test_mixes_of_fewer_materials_than_guide_bands_are_recovered(pair, truth):
    # Every band is linear in the guide, so that regression is exact wherever the border rule does not reach.
    fused = fuse(pair.hsi, pair.msi)
    np.testing.assert_allclose(fused.values, truth.values, atol=2e-3)
    assert np.abs(fused.values - truth.values).mean() < 2e-4


def test_paths_cubes_and_arrays_give_the_same(pair, tmp_path):
    by_cube = fuse(pair.hsi, pair.msi)
    by_array = fuse(pair.hsi.values, pair.msi.values)
    by_path = fuse(write_cube(pair.hsi, tmp_path / "h.tif"), write_cube(pair.msi, tmp_path / "m.tif"))
    np.testing.assert_allclose(by_array.values, by_cube.values, atol=1e-5)
    np.testing.assert_allclose(by_path.values, by_cube.values, atol=1e-6)
    assert "wavelength" not in by_array.coords


@pytest.mark.parametrize("method", ["bicubic", "regression"])
@pytest.mark.parametrize("unit", [1e-3, 1e4])
def test_result_follows_the_unit(pair, method, unit):
    one = fuse(pair.hsi, pair.msi, method=method)
    other = fuse(pair.hsi * unit, pair.msi * unit, method=method)
    np.testing.assert_allclose(other.values, one.values * unit, rtol=1e-4, atol=1e-5 * unit)


@pytest.mark.parametrize("sensor", [None, "sentinel2:B2,B3,B4,B8"])
def test_guide_in_another_unit_gives_the_same_and_is_said(pair, sensor):
    one = fuse(pair.hsi, pair.msi, sensor=sensor)
    other = fuse(pair.hsi, pair.msi * 8000.0, sensor=sensor)
    np.testing.assert_allclose(other.values, one.values, atol=1e-4)
    assert "hsrdiff_units" in other.attrs
    assert "hsrdiff_units" not in one.attrs


def test_inputs_stay_unchanged(pair):
    before = pair.hsi.copy(deep=True), pair.msi.copy(deep=True)
    fuse(pair.hsi, pair.msi)
    xr.testing.assert_identical(pair.hsi, before[0])
    xr.testing.assert_identical(pair.msi, before[1])


def test_result_lies_where_the_guide_lies_and_keeps_the_bands(pair):
    hsi = pair.hsi.assign_coords(band_name=("band", [f"n{i}" for i in range(12)]))
    fused = fuse(hsi, pair.msi)
    crs, transform = georeference_of(fused)
    assert crs.to_epsg() == 32633
    assert transform == PLACE
    np.testing.assert_array_equal(fused["wavelength"], hsi["wavelength"])
    np.testing.assert_array_equal(fused["fwhm"], hsi["fwhm"])
    np.testing.assert_array_equal(fused["band_name"], hsi["band_name"])
    assert fused.attrs["hsrdiff_method"] in FUSERS
    assert fused.attrs["hsrdiff_auto"].startswith(fused.attrs["hsrdiff_method"])
    assert fused.attrs["hsrdiff_factor"] == "4"


def test_place_comes_from_the_coarse_image_when_the_guide_has_none(pair):
    fused = fuse(pair.hsi, pair.msi.values)
    assert georeference_of(fused)[1] == PLACE


def test_result_on_disk_is_the_result_returned(pair, tmp_path):
    out = tmp_path / "fused.hdr"
    fused = fuse(pair.hsi, pair.msi, out=out)
    again = open_cube(out)
    np.testing.assert_array_equal(again.values, fused.values)
    np.testing.assert_allclose(again["wavelength"], fused["wavelength"])
    assert georeference_of(again)[1] == PLACE
    record = {name: text for name, text in fused.attrs.items() if name.startswith("hsrdiff_")}
    assert record
    assert again.attrs.items() >= record.items()
    assert not list(tmp_path.glob("*.part"))


def test_invalid_pixels_are_nan_and_their_values_do_not_matter(pair):
    msi = pair.msi.copy(deep=True)
    msi.values[1, 3, 5] = np.nan
    one = fuse(pair.hsi, msi)
    assert np.isnan(one.values[:, 3, 5]).all()
    assert np.isfinite(one.values).sum() == one.size - 12
    msi.values[:, 3, 5] = [900.0, np.nan, -7.0, np.inf]
    np.testing.assert_array_equal(fuse(pair.hsi, msi).values, one.values)
    hsi = pair.hsi.copy(deep=True)
    hsi.values[4, 2, 1] = np.nan
    two = fuse(hsi, pair.msi)
    assert np.isnan(two.values[:, 8:12, 4:8]).all()
    assert np.isfinite(two.values).sum() == two.size - 12 * 16


def test_share_of_valid_pixels_is_said_where_some_are_missing(pair):
    """One band with a single valid coarse pixel blanks all but that pixel's block."""
    hsi = pair.hsi.copy(deep=True)
    hsi.values[2] = np.nan
    hsi.values[2, 1, 1] = 0.5
    blocks = hsi.sizes["y"] * hsi.sizes["x"]
    assert fuse(hsi, pair.msi).attrs["hsrdiff_valid_pixels"] == f"{100 / blocks:.3g} %"
    assert "hsrdiff_valid_pixels" not in fuse(pair.hsi, pair.msi).attrs


def test_bad_and_empty_bands_are_left_out_and_said(pair):
    good = np.ones(12, bool)
    good[[0, 7]] = False
    hsi = pair.hsi.copy(deep=True)
    hsi.values[3] = np.nan
    fused = fuse(hsi.assign_coords(good_band=("band", good)), pair.msi)
    assert fused.sizes["band"] == 9
    assert fused.attrs["hsrdiff_dropped_bands"] == "1,4,8"
    whole = fuse(pair.hsi, pair.msi)
    np.testing.assert_allclose(fused.values[0], whole.values[1], atol=1e-5)
    assert fused["good_band"].values.all()


@pytest.mark.parametrize("factor", [2, 3, 6])
def test_any_factor_and_a_panchromatic_guide(truth, factor):
    pair = simulate(truth, sensor="sentinel2:B3", factor=factor)
    fused = fuse(pair.hsi, pair.msi.values[0])
    assert fused.shape == truth.shape
    assert fused.attrs["hsrdiff_factor"] == str(factor)


def test_sampling_follows_the_seed_and_says_its_steps(pair, tiny_weights):
    told = []
    options = {"method": "hsr-diff", "weights": tiny_weights, "steps": 3}
    one = fuse(pair.hsi, pair.msi, seed=1, progress=lambda done, steps: told.append((done, steps)), **options)
    assert told[-1] == (3, 3)
    np.testing.assert_array_equal(fuse(pair.hsi, pair.msi, seed=1, **options).values, one.values)
    assert np.abs(fuse(pair.hsi, pair.msi, seed=2, **options).values - one.values).max() > 1e-4
    assert "tiny" in one.attrs["hsrdiff_note_weights"]


def test_remarks_of_the_method_do_not_replace_the_record(truth, tiny_weights):
    # The weights are for factor 4: the method remarks on it under the topic "factor".
    pair = simulate(truth, sensor="sentinel2:B2,B3,B4,B8", factor=2)
    fused = fuse(pair.hsi, pair.msi, method="hsr-diff", weights=tiny_weights, steps=1)
    assert fused.attrs["hsrdiff_factor"] == "2"
    assert "trained at 4" in fused.attrs["hsrdiff_note_factor"]


def test_weights_keep_the_unit_they_were_trained_in(pair, tiny_weights):
    # The data end near 0.8: a card with peak 1 makes 1 the peak, not the largest value found.
    options = {"method": "hsr-diff", "weights": tiny_weights, "steps": 1}
    assert fuse(pair.hsi, pair.msi, **options).attrs["hsrdiff_peak"] == "1"
    scaled = fuse(pair.hsi * 1e4, pair.msi * 1e4, **options)
    assert float(scaled.attrs["hsrdiff_peak"]) == pytest.approx(1e4 * float(max(pair.hsi.max(), pair.msi.max())))
    assert "1 means 1" in scaled.attrs["hsrdiff_note_unit"]
    assert fuse(pair.hsi, pair.msi, peak=2.0, **options).attrs["hsrdiff_peak"] == "2"


def test_digital_numbers_and_their_share_of_the_peak_give_the_same(pair, tiny_weights, tmp_path):
    # a card of digital numbers: files in them and files already divided by the peak mean the same to the network
    network, card = load_network(tiny_weights)
    raw = save_weights(tmp_path / "raw.safetensors", network, card.model_copy(update={"peak": 1e4}))
    options = {"method": "hsr-diff", "weights": raw, "steps": 2}
    numbers, shares = fuse(pair.hsi * 1e4, pair.msi * 1e4, **options), fuse(pair.hsi, pair.msi, **options)
    assert numbers.attrs["hsrdiff_peak"] == "10000"
    assert shares.attrs["hsrdiff_peak"] == "1"
    np.testing.assert_allclose(numbers.values, 1e4 * shares.values, rtol=0, atol=0.5)
    assert "hsrdiff_note_unit" not in numbers.attrs | shares.attrs


def test_given_kernel_is_used(pair, tmp_path):
    kernel = np.zeros((4, 4))
    kernel[1:3, 1:3] = 1.0
    np.save(tmp_path / "k.npy", kernel)
    np.savetxt(tmp_path / "k.csv", kernel, delimiter=",")
    results = [fuse(pair.hsi, pair.msi, psf=psf) for psf in (kernel, tmp_path / "k.npy", str(tmp_path / "k.csv"))]
    for result in results[1:]:
        np.testing.assert_array_equal(result.values, results[0].values)
    assert "given kernel" in results[0].attrs["hsrdiff_psf"]
    assert np.abs(results[0].values - fuse(pair.hsi, pair.msi).values).max() > 1e-5


def test_a_psf_to_be_estimated_for_a_method_that_uses_none_is_said(pair):
    given = {"method": "bicubic", "sensor": "sentinel2:B2,B3,B4,B8"}
    plain, fused = fuse(pair.hsi, pair.msi, **given), fuse(pair.hsi, pair.msi, **given, psf="estimated")
    assert fused.attrs.pop("hsrdiff_note_psf").startswith("not estimated, as the method uses none")
    xr.testing.assert_identical(fused, plain)
    used = fuse(pair.hsi, pair.msi, method="regression", psf="estimated")
    assert "not estimated" not in used.attrs["hsrdiff_note_psf"]


def test_wider_psf_gets_a_wider_kernel(pair):
    assert "16 x 16" in fuse(pair.hsi, pair.msi, psf_fwhm=3.0).attrs["hsrdiff_psf"]
    assert "8 x 8" in fuse(pair.hsi, pair.msi).attrs["hsrdiff_psf"]


def test_measured_table_and_band_choice(pair, tmp_path):
    grid = np.arange(440.0, 961.0, 5.0)
    columns = [np.exp(-(((grid - c) / 30.0) ** 2)) for c in (490, 560, 665, 842, 900)]
    table = tmp_path / "mine.csv"
    text = "wavelength_nm,blue,green,red,nir,far\n"
    text += "\n".join(",".join(f"{v:.6f}" for v in row) for row in np.column_stack([grid, *columns]))
    table.write_text(text)
    fused = fuse(pair.hsi, pair.msi, srf=table, bands=["blue", "green", "red", "nir"])
    assert fused.attrs["hsrdiff_sensor"].endswith("blue, green, red, nir")
    with pytest.raises(ShapeError, match="4 bands and sensor"):
        fuse(pair.hsi, pair.msi, srf=table)


def test_band_names_of_the_image_choose_the_sensors_bands(pair):
    assert fuse(pair.hsi, pair.msi, sensor="sentinel2").attrs["hsrdiff_sensor"].endswith("B2, B3, B4, B8")


def _moved(cube, columns=0.0, **georeference):
    transform = georeference.pop("transform", georeference_of(cube)[1])
    return as_cube(cube.values, crs="EPSG:32633", transform=transform @ Affine.translation(columns, 0))


def test_a_misfit_of_the_grids_is_said_above_a_twentieth_of_a_coarse_pixel(pair):
    assert "hsrdiff_note_grid" not in fuse(_moved(pair.hsi), pair.msi).attrs
    assert "hsrdiff_note_grid" not in fuse(_moved(pair.hsi, 0.04), pair.msi).attrs
    note = fuse(_moved(pair.hsi, 0.3), pair.msi).attrs["hsrdiff_note_grid"]
    assert note.startswith("hyperspectral pixels begin +0.00 rows and +0.20 columns of fine pixels from")
    assert "hsrdiff_note_grid" not in fuse(pair.hsi.values, pair.msi.values).attrs  # nothing to compare


def test_other_places_and_coordinate_systems_are_named(pair):
    with pytest.raises(InputError, match="do not overlap by one whole"):
        fuse(_moved(pair.hsi, 6), pair.msi)
    other = as_cube(pair.hsi.values, crs="EPSG:32632", transform=georeference_of(pair.hsi)[1])
    with pytest.raises(InputError, match=r"EPSG:32632 .* EPSG:32633"):
        fuse(other, pair.msi)
