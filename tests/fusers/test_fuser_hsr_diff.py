"""HSR-Diff as a fuser: the limit of a network that adds nothing, units, posterior samples, cards, refusals."""

import dataclasses

import numpy as np
import pytest
import torch
from fuser_scenes import BANDS, small_scene

from hsrdiff.errors import InputError, WeightsError
from hsrdiff.fusers import Bicubic, HsrDiff
from hsrdiff.networks import NoiseRange, load_network, save_weights


def fuse(fuser, scene, seed=3):
    return fuser.fuse(scene, generator=torch.Generator().manual_seed(seed))


def test_a_network_that_adds_nothing_gives_the_upsampled_cube(weights, tmp_path):
    # at t = 1 Eq. (6) returns Z_hat itself, and Z_hat = U + 0 whatever the noise was
    network, card = load_network(weights())
    for parameter in network.reconstruct.parameters():
        torch.nn.init.zeros_(parameter)
    path = save_weights(tmp_path / "zero.safetensors", network, card)
    scene = small_scene()
    U = fuse(Bicubic(), scene).Z_hat
    assert 0 <= float(U.min()) <= float(U.max()) <= 1
    torch.testing.assert_close(fuse(HsrDiff(weights=path, steps=4), scene).Z_hat, U, rtol=0, atol=1e-5)


def test_units_of_the_scene_come_back(weights):
    scene = small_scene()
    raw = dataclasses.replace(scene, X=scene.X * 4096, Y=scene.Y * 4096, Z=None)
    unit = fuse(HsrDiff(weights=weights(), steps=3), scene).Z_hat
    scaled = fuse(HsrDiff(weights=weights(), steps=3, peak=4096.0), raw).Z_hat
    torch.testing.assert_close(scaled, unit * 4096, rtol=0, atol=0.01)
    assert float(unit.min()) >= 0.0
    assert float(unit.max()) <= 1.0


def test_the_unit_of_the_files_does_not_matter_to_a_scene_in_units_of_the_peak(weights, tmp_path):
    network, card = load_network(weights())
    path = save_weights(tmp_path / "raw.safetensors", network, card.model_copy(update={"peak": 4096.0}))
    one, other = (fuse(HsrDiff(weights=w, steps=2), small_scene()).Z_hat for w in (weights(), path))
    assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("trained", "said"),
    [(None, None), ((2000, 1e-6, 1e-2), None), ((1000, 1e-6, 2e-2), None), ((1000, 1e-6, 1e-2), "1000 steps")],
)
def test_noise_that_the_training_never_reached_is_a_note(weights, tmp_path, trained, said):
    # half the steps with the same end points stop at exp(-5) = 0.0067, the sampling begins at 2.1e-5
    network, card = load_network(weights())
    diffusion = None if trained is None else NoiseRange(steps=trained[0], start=trained[1], end=trained[2])
    path = save_weights(tmp_path / "w.safetensors", network, card.model_copy(update={"diffusion": diffusion}))
    notes = fuse(HsrDiff(weights=path, steps=1), small_scene()).notes
    assert ("noise" in notes) == (said is not None)
    if said:
        assert "begins at gamma 2.2e-05, the training ended at 0.0066" in notes["noise"]
        assert said in notes["noise"]


def test_posterior_samples_are_the_mean_and_spread_of_single_ones(weights):
    scene = small_scene()
    single = HsrDiff(weights=weights(), steps=3)
    g = torch.Generator().manual_seed(3)
    draws = torch.stack([single.fuse(scene, generator=g).Z_hat for _ in range(3)])
    several = fuse(HsrDiff(weights=weights(), steps=3, samples=3), scene)
    torch.testing.assert_close(several.Z_hat, draws.mean(dim=0), rtol=0, atol=1e-6)
    torch.testing.assert_close(several.std, draws.std(dim=0), rtol=0, atol=1e-6)
    assert single.fuse(scene, generator=g).std is None


def test_different_seeds_draw_different_samples(weights):
    fuser, scene = HsrDiff(weights=weights(), steps=3), small_scene()
    assert not torch.equal(fuse(fuser, scene, 1).Z_hat, fuse(fuser, scene, 2).Z_hat)


def test_the_sr_stream_runs_once_and_every_step_is_reported(weights, monkeypatch):
    seen = []
    fuser = HsrDiff(weights=weights(), steps=4, samples=2, on_step=lambda done, steps: seen.append((done, steps)))
    encoded = []
    encode = type(fuser.network).encode
    monkeypatch.setattr(type(fuser.network), "encode", lambda self, X, Y: encoded.append(1) or encode(self, X, Y))
    fuse(fuser, small_scene())
    assert len(encoded) == 1
    assert seen == [(i, 8) for i in range(1, 9)]


@pytest.mark.parametrize("sampler", ["ancestral", "ddim"])
def test_samplers_and_mixed_precision(weights, sampler):
    scene = small_scene()
    full = fuse(HsrDiff(weights=weights(), steps=3, sampler=sampler), scene)
    mixed = fuse(HsrDiff(weights=weights(), steps=3, sampler=sampler, precision="bfloat16"), scene)
    assert mixed.Z_hat.dtype == torch.float32
    assert 0 < float((full.Z_hat - mixed.Z_hat).abs().mean()) < 0.05
    assert sampler in full.notes["sampling"]


def test_weights_for_other_bands_are_refused_in_one_sentence(weights):
    with pytest.raises(WeightsError) as caught:
        fuse(HsrDiff(weights=weights(1), steps=3), small_scene(3))
    sentence = str(caught.value)
    assert "6 hyperspectral and 1 multispectral" in sentence
    assert "6 and 3" in sentence
    assert "\n" not in sentence


def test_a_card_that_differs_is_a_note_not_an_error(weights, tmp_path):
    scene = small_scene()
    same = fuse(HsrDiff(weights=weights(), steps=1), scene).notes
    assert set(same) == {"weights", "sampling"}
    assert "made up" in same["weights"]
    network, card = load_network(weights())
    other = card.model_copy(
        update={"factor": 8, "wavelengths_nm": list(np.linspace(400, 700, BANDS)), "sensor": "red, green, blue"}
    )
    path = save_weights(tmp_path / "other.safetensors", network, other)
    notes = fuse(HsrDiff(weights=path, steps=1), scene).notes
    assert "ratio 4" in notes["factor"]
    assert "at 8" in notes["factor"]
    assert "150 nm" in notes["wavelengths"]
    assert "red, green, blue" in notes["sensor"]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"steps": 0}, "steps 0"),
        ({"samples": 1.5}, "samples 1.5"),
        ({"sampler": "ancestor"}, "use 'ancestral'"),
        ({"precision": "float16"}, "use 'float32'|use 'bfloat16'"),
        ({"peak": 0.0}, "peak 0.0"),
    ],
)
def test_options_out_of_range(weights, options, match):
    with pytest.raises(InputError, match=match):
        HsrDiff(weights=weights(), **options)


@pytest.mark.parametrize("kind", ["regression-cdformer", "cdformer-without-sr", "cd-cnn", "unet"])
def test_every_denoiser_can_be_sampled(weights, kind):
    scene, fuser = small_scene(), HsrDiff(weights=weights(3, kind), steps=2)
    first, other = fuse(fuser, scene, 1).Z_hat, fuse(fuser, scene, 2).Z_hat
    assert first.shape == scene.Z.shape
    assert torch.isfinite(first).all()
    assert torch.equal(first, other) == (kind == "regression-cdformer")


def test_unreadable_weights(tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"not weights")
    with pytest.raises(WeightsError):
        HsrDiff(weights=tmp_path / "bad.safetensors")
    with pytest.raises(WeightsError):
        HsrDiff(weights=tmp_path / "gone.safetensors")


def test_values_above_the_peak_are_remarked_on(weights):
    scene = small_scene()
    fuser = HsrDiff(weights=weights(), steps=1)
    assert "peak" not in fuse(fuser, scene).notes
    # 3 values of the valid pixels; that of the masked pixel does not count
    Y = scene.Y.clone()
    Y[0, :3, 0, 0] = 1.5
    Y[0, :, 0, 1] = 7.0
    valid_lr = torch.ones_like(Y[:, :1], dtype=torch.bool)
    valid_lr[..., 0, 1] = False
    note = fuse(fuser, dataclasses.replace(scene, Y=Y, valid_lr=valid_lr)).notes["peak"]
    share = 100 * 3 / (BANDS * (Y[0, 0].numel() - 1))
    assert f"{share:.2g} %" in note
    assert "values above the peak are cut" in note
