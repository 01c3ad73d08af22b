"""Weights on the bands of another sensor: the same bands change nothing, nothing added gives nothing, and refusals."""

import dataclasses

import numpy as np
import pytest
import torch
from fuser_scenes import WAVELENGTHS_NM, small_scene

from hsrdiff.errors import InputError, WavelengthError, WeightsError
from hsrdiff.fusers import Bicubic, make_fuser
from hsrdiff.fusers.band_transfer import BandTransfer, interpolation, matching_bands, within
from hsrdiff.networks import ModelCard, load_network, save_weights
from hsrdiff.observation import Observation, SpectralResponse
from hsrdiff.observation.band_places import BandPlaces

OTHER_NM = np.array([400.0, 440.0, 500.0, 530.0, 610.0, 655.0, 700.0, 790.0, 860.0, 950.0, 2100.0])


def bands_nm(*centres, width=80.0):
    """Gaussian rows of R at given centres, as a function of the HSI's centres."""

    def at(wavelengths_nm):
        rows = np.exp(-4 * np.log(2) * ((wavelengths_nm - np.array(centres)[:, None]) / width) ** 2)
        return SpectralResponse(rows / rows.sum(axis=1, keepdims=True), tuple(f"m{c:.0f}" for c in centres))

    return at


GUIDE = bands_nm(490.0, 600.0, 780.0)


def other_scene(wavelengths_nm=OTHER_NM, guide=GUIDE):
    """A scene of other bands, smooth in space and along the wavelength, in 0.1..0.9."""
    scene = small_scene()
    weights = np.stack([0.3 + 0.2 * np.sin(wavelengths_nm / (90 + 20 * k) + k) for k in range(3)])
    Z = torch.einsum("kb,nkhw->nbhw", torch.from_numpy(weights).float(), scene.Z[:, :3])
    observation = Observation(guide(wavelengths_nm), scene.observation.spatial)
    X, Y = observation.observe(Z)
    return dataclasses.replace(scene, X=X, Y=Y, Z=Z, observation=observation, wavelengths_nm=wavelengths_nm)


@pytest.fixture(scope="module")
def made(weights, tmp_path_factory):
    """Return a function (kind, changes of the card) -> path of tiny weights that know where their bands lie."""
    folder, places = tmp_path_factory.mktemp("places"), BandPlaces.of(GUIDE(WAVELENGTHS_NM), WAVELENGTHS_NM)

    def make(kind="regression-cdformer", silent=False, **changes):
        network, card = load_network(weights(3, kind))
        if silent:
            torch.nn.init.zeros_(network.reconstruct.weight)
        told = {"msi_wavelengths_nm": places.centres_nm.tolist(), "msi_widths_nm": places.widths_nm.tolist()}
        path = folder / f"{len(list(folder.iterdir()))}.safetensors"
        return save_weights(path, network, card.model_copy(update=told | changes))

    return make


def fuse(fuser, scene):
    return fuser.fuse(scene, generator=torch.Generator().manual_seed(3))


def test_the_bands_of_the_training_change_nothing(made):
    scene = other_scene(WAVELENGTHS_NM)
    for method, options in (("regression-cdformer", {}), ("hsr-diff", {"steps": 2})):
        fuser = make_fuser(method, weights=made(), **options)
        torch.testing.assert_close(fuse(BandTransfer(fuser), scene).Z_hat, fuse(fuser, scene).Z_hat, rtol=0, atol=2e-6)


def test_a_network_that_adds_nothing_leaves_the_upsampled_image_in_every_band(made):
    fuser = BandTransfer(make_fuser("regression-cdformer", weights=made(silent=True)))
    scene = other_scene()
    torch.testing.assert_close(fuse(fuser, scene).Z_hat, fuse(Bicubic(), scene).Z_hat, rtol=0, atol=1e-6)


def test_bands_outside_the_training_are_upsampled_and_counted(made):
    scene = other_scene()
    fusion, plain = (
        fuse(f, scene) for f in (BandTransfer(make_fuser("regression-cdformer", weights=made())), Bicubic())
    )
    change = (fusion.Z_hat - plain.Z_hat).abs().amax(dim=(0, 2, 3)).numpy()
    outside = np.array([nm in (400.0, 440.0, 860.0, 950.0, 2100.0) for nm in OTHER_NM])
    assert (change[outside] == 0).all()
    assert (change[~outside] > 1e-3).all()
    assert f"{outside.sum()} bands lie outside the training" in fusion.notes["bands"]
    assert "the 11 bands of 400-2100 nm were interpolated to the 6 of 450-850 nm" in fusion.notes["bands"]
    assert fusion.notes["guide"].startswith("m490 at ")
    assert fusion.std is None


def test_the_order_of_the_bands_does_not_matter(made):
    fuser, scene = BandTransfer(make_fuser("regression-cdformer", weights=made())), other_scene()
    order, swapped = [4, 0, 9, 2, 10, 3, 1, 8, 6, 5, 7], [2, 0, 1]
    spectral = scene.observation.spectral
    R = SpectralResponse(spectral.matrix[swapped][:, order], tuple(spectral.band_names[i] for i in swapped))
    turned = dataclasses.replace(
        scene,
        X=scene.X[:, swapped],
        Y=scene.Y[:, order],
        Z=None,
        observation=Observation(R, scene.observation.spatial),
        wavelengths_nm=OTHER_NM[order],
    )
    torch.testing.assert_close(fuse(fuser, turned).Z_hat, fuse(fuser, scene).Z_hat[:, order], rtol=0, atol=1e-6)


def test_invalid_pixels_stay_invalid_and_hidden(made):
    fuser, scene = BandTransfer(make_fuser("regression-cdformer", weights=made())), other_scene()
    seen = torch.ones_like(scene.Y[:, :1], dtype=torch.bool)
    seen[..., 1, 2] = False
    results = []
    for value in (torch.nan, 7.0):
        hidden = dataclasses.replace(scene, Y=torch.where(seen, scene.Y, value), valid_lr=seen)
        results.append(fuse(fuser, hidden).Z_hat)
    torch.testing.assert_close(*results, rtol=0, atol=0, equal_nan=True)
    known = torch.isfinite(results[0])
    assert not known[..., 4:8, 8:12].any()
    assert int((~known[0, 0]).sum()) == 16


def test_a_competitor_and_what_it_must_be_told(competitor_weights):
    fuser = BandTransfer(make_fuser("brresnet", weights=competitor_weights("brresnet")))
    assert (fuser.name, str(fuser.needs)) == ("brresnet", "R, training data")
    with pytest.raises(WeightsError, match="do not say at which wavelengths"):
        fuse(fuser, other_scene())


def test_refusals_in_a_sentence(made):
    scene, transfer = other_scene(), lambda **changes: BandTransfer(make_fuser("hsr-diff", weights=made(**changes)))
    with pytest.raises(WavelengthError, match="the image has no wavelengths"):
        fuse(transfer(), dataclasses.replace(scene, wavelengths_nm=None))
    with pytest.raises(InputError, match="no observation model"):
        fuse(transfer(), dataclasses.replace(scene, observation=None))
    with pytest.raises(WeightsError, match="expected some bands in common"):
        fuse(transfer(wavelengths_nm=list(np.linspace(5000.0, 5100.0, 6))), scene)
    with pytest.raises(
        WeightsError, match=r"need a multispectral band at 1600 nm, 60 nm wide, and those .* 490|at 1600"
    ):
        fuse(transfer(msi_wavelengths_nm=[490.0, 600.0, 1600.0], msi_widths_nm=[60.0] * 3), scene)


def test_without_it_other_bands_are_refused_with_its_name(made):
    with pytest.raises(WeightsError, match="--interpolate-bands"):
        fuse(make_fuser("hsr-diff", weights=made()), other_scene())


def test_interpolation_by_hand_and_where_it_is_exact():
    found = interpolation(np.array([700.0, 500.0]), np.array([450.0, 550.0, 700.0, 900.0]))
    assert found.tolist() == [[0, 1], [0.25, 0.75], [1, 0], [1, 0]]
    source, target = np.linspace(400, 900, 7), np.array([410.0, 555.0, 880.0])
    np.testing.assert_allclose(interpolation(source, target).numpy() @ (3 * source - 1), 3 * target - 1)
    assert within(np.array([394.0, 395.0, 905.0, 906.0]), source).tolist() == [False, True, True, False]


def test_bands_are_matched_by_where_they_lie():
    # WorldView-3's four and Sentinel-2's as nominal boxes: blue, green, red and near infrared in another order
    card = ModelCard(bands=1, msi_bands=4, msi_wavelengths_nm=[481, 547, 660, 827], msi_widths_nm=[60, 70, 60, 120])
    sentinel2 = BandPlaces(np.array([833.0, 665.0, 492.0, 704.0, 560.0]), np.full(5, 60.0))
    assert matching_bands(card, sentinel2, "w") == [2, 4, 1, 0]
    with pytest.raises(WeightsError, match=r"need a multispectral band at 827 nm, 120 nm wide.* 665, 492, 704, 560 nm"):
        matching_bands(card, BandPlaces(sentinel2.centres_nm[1:], np.full(4, 60.0)), "w")
    twice = ModelCard(bands=1, msi_bands=2, msi_wavelengths_nm=[660, 662], msi_widths_nm=[60, 60])
    with pytest.raises(WeightsError, match="at 662 nm"):
        matching_bands(twice, sentinel2, "w")


def test_the_place_of_a_box_is_its_middle_and_its_width():
    grid = np.arange(400.0, 900.0)
    box = SpectralResponse(((grid >= 600) & (grid <= 699)).astype(float)[None])
    found = BandPlaces.of(box, grid)
    assert found.centres_nm[0] == pytest.approx(649.5)
    assert found.widths_nm[0] == pytest.approx(100.0, abs=0.01)
