"""Learned one-pass methods as fusers: units, weights that do not fit, remarks."""

import dataclasses

import pytest
import torch
from fuser_scenes import small_scene

from hsrdiff.errors import InputError, WeightsError
from hsrdiff.fusers import make_fuser
from hsrdiff.fusers.learned import learned_method
from hsrdiff.networks.competitors import COMPETITORS, load_competitor
from hsrdiff.observation import SpatialResponse


def fuse(fuser, scene, seed=3):
    return fuser.fuse(scene, generator=torch.Generator().manual_seed(seed))


def make(name, path, **options):
    return make_fuser(name, weights=path, **({"steps": 2} if name == "ual" else {}), **options)


@pytest.fixture(params=COMPETITORS)
def name(request):
    return request.param


def test_units_of_the_scene_come_back(name, competitor_weights):
    scene = small_scene()
    raw = dataclasses.replace(scene, X=scene.X * 4096, Y=scene.Y * 4096, Z=None)
    unit = fuse(make(name, competitor_weights(name)), scene).Z_hat
    scaled = fuse(make(name, competitor_weights(name), peak=4096.0), raw).Z_hat
    torch.testing.assert_close(scaled, unit * 4096, rtol=1e-5, atol=0.01)


def test_other_bands_and_another_factor_are_refused_in_a_sentence(name, competitor_weights):
    with pytest.raises(WeightsError, match=r"6 hyperspectral and 1 multispectral.* 6 and 3") as caught:
        fuse(make_fuser(name, weights=competitor_weights(name, 1)), small_scene(3))
    assert "\n" not in str(caught.value)
    halved = small_scene(spatial=SpatialResponse.gaussian(2))
    with pytest.raises(WeightsError, match="for the ratio 4, the images have 2; expected the same ratio"):
        fuse(make(name, competitor_weights(name)), halved)


def test_weights_say_which_method_they_are_for(name, competitor_weights, weights):
    assert learned_method(competitor_weights(name)) == name
    assert learned_method(weights()) is None
    with pytest.raises(WeightsError, match=f"format 'hsrdiff-cdformer-1'; expected .* weights of {name}"):
        make_fuser(name, weights=weights())
    with pytest.raises(WeightsError, match=f"format 'hsrdiff-{name}-1'"):
        make_fuser("hsr-diff", weights=competitor_weights(name))


def test_options(name, competitor_weights):
    with pytest.raises(InputError, match=r"peak 0\.0"):
        make_fuser(name, weights=competitor_weights(name), peak=0.0)
    with pytest.raises(InputError, match=f"'{name}' needs the option 'weights'"):
        make_fuser(name)
    for method, options in (("ual", {"steps": -1}), ("ual", {"steps": 1.5}), ("fusformer", {"patch": 0})):
        with pytest.raises(InputError, match="expected a whole number"):
            make_fuser(method, weights=competitor_weights(method), **options)
    fusion = fuse(make(name, competitor_weights(name)), small_scene())
    assert "made up" in fusion.notes["weights"]


def test_values_above_the_peak_are_remarked_on(name, competitor_weights):
    fuser = make(name, competitor_weights(name), peak=0.5)
    note = fuse(fuser, small_scene()).notes["peak"]
    assert ("are cut" in note) == fuser.cut


def test_regression_cdformer_is_hsr_diff_with_its_weights_but_for_the_cut(weights):
    scene, path = small_scene(), weights(3, "regression-cdformer")
    fuser = make_fuser("regression-cdformer", weights=path)
    once = fuse(fuser, scene).Z_hat
    sampled = fuse(make_fuser("hsr-diff", weights=path, steps=3), scene).Z_hat
    torch.testing.assert_close(once.clamp(0, 1), sampled, rtol=0, atol=1e-5)
    assert learned_method(path) == "regression-cdformer"
    with pytest.raises(WeightsError, match="a CDFormer in one pass"):
        make_fuser("regression-cdformer", weights=weights())
    with pytest.raises(WeightsError, match="6 hyperspectral and 1 multispectral"):
        fuse(make_fuser("regression-cdformer", weights=weights(1, "regression-cdformer")), scene)


def test_ual_without_adaptation_is_its_network_and_adaptation_fits_the_pair(competitor_weights):
    scene, seen = small_scene(), []
    path = competitor_weights("ual")
    network, _ = load_competitor(path, "ual")
    with torch.no_grad():
        want = network(scene.X, scene.Y)
    torch.testing.assert_close(fuse(make_fuser("ual", weights=path, steps=0), scene).Z_hat, want)

    def misfit(steps):
        fuser = make_fuser("ual", weights=path, steps=steps, on_step=lambda done, of: seen.append((done, of)))
        return (scene.observation.spectral.apply(fuse(fuser, scene).Z_hat) - scene.X).abs().mean()

    assert misfit(200) < 0.8 * misfit(1)
    assert seen == [*((i, 200) for i in range(1, 201)), (1, 1)]


def test_fusformer_sees_nothing_beyond_a_patch(competitor_weights):
    path, scene, seen = competitor_weights("fusformer"), small_scene(), []
    fuser = make_fuser("fusformer", weights=path, patch=8, on_step=lambda done, of: seen.append((done, of)))
    tiled = fuse(fuser, scene).Z_hat
    assert seen == [(i, 6) for i in range(1, 7)]
    network, _ = load_competitor(path, "fusformer")
    with torch.no_grad():
        torch.testing.assert_close(tiled[..., 8:, 16:], network(scene.X[..., 8:, 16:], scene.Y[..., 2:, 4:]))
        # a patch as large as the image is no patch, and one smaller than a coarse pixel is one coarse pixel
        whole = fuse(make_fuser("fusformer", weights=path), scene).Z_hat
        torch.testing.assert_close(whole, network(scene.X, scene.Y))
    one = fuse(make_fuser("fusformer", weights=path, patch=1), scene).Z_hat
    torch.testing.assert_close(one, fuse(make_fuser("fusformer", weights=path, patch=4), scene).Z_hat)
    assert not torch.allclose(tiled, whole)
