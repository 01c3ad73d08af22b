"""Residual mode trained on the pair itself: nothing is lost where nothing is learnt, and both images still agree."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch

import hsrdiff.choice.adapted as adapted_module
import hsrdiff.fusers.kriging.start
from hsrdiff.choice import candidates, choose
from hsrdiff.choice.adapted import ADAPTED, AdaptedResidual
from hsrdiff.errors import InputError
from hsrdiff.fusers.residual import HsrDiffResidual, ResidualCard, ResidualModel, ResidualModelConfig, save_residual
from hsrdiff.fusers.residual.parts import Parts
from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse
from hsrdiff.rng import generator

BANDS, MSI = 6, 3


def scene(side=36, width=None):
    """Five materials seen by three bands: what the guide does not see follows from what it sees, not linearly."""
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[0:side, 0 : width or side] / 9.0
    weights = np.stack([1.2 + np.sin(rows * (k + 1) / 3 + k) * np.cos(columns / (k + 1) + k) for k in range(5)])
    spectra = rng.random((BANDS, 5))
    Z = torch.tensor(np.einsum("bk,kyx->byx", spectra, weights / weights.sum(axis=0)), dtype=torch.float32)[None]
    matrix = torch.tensor(rng.random((MSI, BANDS)) + 0.1)
    spectral = SpectralResponse(matrix / matrix.sum(dim=1, keepdim=True))
    observation = Observation(spectral, SpatialResponse.gaussian(2))
    X, Y = observation.observe(Z)
    return Scene(X=X, Y=Y, observation=observation)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Return a function parts -> path of a small random model for any sensors."""

    def make(**parts):
        with torch.random.fork_rng():
            torch.manual_seed(7)
            shape = {"coordinates": 2, "channels": 8, "layers": 1, "window": 4}
            model = ResidualModel(ResidualModelConfig.of("scene", BANDS, MSI, parts=Parts(**parts), **shape))
            torch.nn.init.normal_(model.network.reconstruct.weight, std=0.3)
        path = tmp_path_factory.mktemp("residual") / "tiny.safetensors"
        return save_residual(path, model, ResidualCard(name="tiny", data="made up"))

    return make


def quick(weights):
    """Residual mode with a coarse base, which is not what is tested."""
    method = HsrDiffResidual(weights=weights)
    method.base.landmarks = 50
    return method


@pytest.fixture
def make(weights, monkeypatch):
    monkeypatch.setattr(hsrdiff.fusers.kriging.start, "tune", lambda kernel, problem, prior: kernel)
    method = quick(weights())

    def build(steps):
        """A clock that goes on by one with every look at it: so many steps of training."""
        return AdaptedResidual(steps + 0.5, method, clock=itertools.count().__next__)

    return build


def fused(fuser, pair):
    return fuser.fuse(pair, generator=generator(1, "test"))


def test_a_training_too_short_for_a_look_changes_nothing(make):
    pair, adapted = scene(), make(5)
    plain, trained = fused(adapted.method, pair), fused(adapted, pair)
    torch.testing.assert_close(trained.Z_hat, plain.Z_hat, rtol=0, atol=0)
    assert trained.notes["adaptation"].startswith("5 steps of training on 13 of 18 rows of LR pixels did not lower")


def test_what_is_learnt_shows_where_it_was_not_and_both_images_still_agree(make, monkeypatch):
    monkeypatch.setattr(adapted_module, "_RATE", 1e-2)
    pair, adapted = scene(), make(40)
    before = {name: value.clone() for name, value in adapted.method.fitting(None, 2)[0].state_dict().items()}
    trained = fused(adapted, pair)
    words = trained.notes["adaptation"]
    first, last = (float(word) for word in words.split("from ")[1].split(" of the base's")[0].split(" to "))
    assert last < 0.9 * first
    assert (trained.Z_hat - fused(adapted.method, pair).Z_hat).abs().max() > 1e-5
    X, Y = pair.observation.observe(trained.Z_hat)
    torch.testing.assert_close(X, pair.X, atol=2e-6, rtol=0)
    torch.testing.assert_close(Y, pair.Y, atol=2e-6, rtol=0)
    # the method that it was made from keeps its weights
    after = adapted.method.fitting(None, 2)[0].state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_a_training_that_gains_nothing_ends_early_and_leaves_the_weights(make, monkeypatch):
    monkeypatch.setattr(adapted_module, "_RATE", 10.0)
    pair, adapted = scene(), make(1000)
    trained = fused(adapted, pair)
    assert trained.notes["adaptation"].startswith("80 steps of training")
    torch.testing.assert_close(trained.Z_hat, fused(adapted.method, pair).Z_hat, rtol=0, atol=0)


@pytest.mark.parametrize(("size", "said"), [((8, 144), "54 of 72 columns"), ((144, 8), "54 of 72 rows")])
def test_a_narrow_pair_is_cut_along_its_length(make, monkeypatch, size, said):
    monkeypatch.setattr(adapted_module, "_RATE", 1e-2)
    pair, adapted = scene(*size), make(20)
    trained = fused(adapted, pair)
    assert trained.notes["adaptation"].startswith(f"20 steps of training on {said} of LR pixels")
    assert trained.Z_hat.shape[-2:] == size


def test_masked_pixels_are_neither_learned_nor_watched(make, monkeypatch):
    monkeypatch.setattr(adapted_module, "_RATE", 1e-2)
    pair = scene()
    seen = torch.ones(1, 1, 18, 18, dtype=torch.bool)
    seen[..., 2:5, 3:8] = False
    seen[..., 15:, 14:] = False
    one, two = (
        fused(make(20), dataclasses.replace(pair, Y=torch.where(seen, pair.Y, value), valid_lr=seen))
        for value in (0.0, 7.0)
    )
    torch.testing.assert_close(one.Z_hat, two.Z_hat, rtol=0, atol=0, equal_nan=True)
    assert one.notes["adaptation"] == two.notes["adaptation"]


def test_pairs_and_weights_that_cannot_be_adapted_say_so(make, weights):
    small = scene(16)
    assert "fewer than 64 valid pixels" in fused(make(20), small).notes["adaptation"]
    method = quick(weights())
    model, card = method._loaded
    far = AdaptedResidual(5.0, method.with_model(model, card.model_copy(update={"factors": [0]})))
    assert fused(far, scene()).notes["adaptation"] == "none, as the network is left out"
    ablation = AdaptedResidual(5.0, quick(weights(diffused="residual")))
    assert "ablation" in fused(ablation, scene()).notes["adaptation"]
    pair = scene()
    black = dataclasses.replace(pair, X=0 * pair.X, Y=0 * pair.Y)
    assert fused(make(20), black).notes["adaptation"] == "none, as there is nothing to mend"
    for seconds in (0.0, -1.0, float("nan")):
        with pytest.raises(InputError, match="adapt"):
            AdaptedResidual(seconds)


def test_it_is_compared_as_one_of_the_methods_and_loses_ties_to_what_needs_no_training(make):
    adapted = make(5)
    methods = {"plain": lambda: adapted.method, ADAPTED: lambda: adapted}
    choice = choose(scene(), methods)
    assert set(dict(choice.errors)) == {"plain", ADAPTED}
    assert choice.method == "plain"
    assert list(candidates({ADAPTED: lambda: adapted}))[-1] == ADAPTED
