"""HSR-Diff in residual mode: its base, its consistency, its samples, its options, its files."""

import dataclasses

import pytest
import torch
from fuser_scenes import small_scene

from hsrdiff.errors import InputError, WeightsError
from hsrdiff.fusers import make_fuser
from hsrdiff.fusers.kriging import KrigingLearned
from hsrdiff.fusers.residual import HsrDiffResidual, load_residual, read_residual, save_residual


@pytest.fixture
def make(residual_weights, kernel_weights):
    def build(basis="scene", **options):
        return HsrDiffResidual(weights=residual_weights(3, basis), base=kernel_weights, **options)

    return build


def generator(seed=5):
    return torch.Generator().manual_seed(seed)


def base_of(scene, kernel_weights):
    return KrigingLearned(weights=kernel_weights, std=False).fuse(scene, generator=generator()).Z_hat


@pytest.mark.parametrize("basis", ["scene", "sensors"])
def test_an_answer_of_zero_is_the_base_itself(make, basis, kernel_weights):
    scene, fuser = small_scene(), make(basis)
    fuser.model.network.reconstruct.weight.zero_()
    Z_hat = fuser.fuse(scene, generator=generator()).Z_hat
    torch.testing.assert_close(Z_hat, base_of(scene, kernel_weights), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("steps", "sampler"), [(1, "ddim"), (3, "ddim"), (3, "multistep"), (3, "ancestral-posterior")])
def test_the_result_differs_from_the_base_and_both_images_still_agree(make, kernel_weights, steps, sampler):
    scene = small_scene()
    Z_hat = make(steps=steps, sampler=sampler, start=0.1).fuse(scene, generator=generator()).Z_hat
    assert (Z_hat - base_of(scene, kernel_weights)).abs().max() > 1e-4
    X, Y = scene.observation.observe(Z_hat)
    torch.testing.assert_close(X, scene.X, atol=2e-6, rtol=0)
    torch.testing.assert_close(Y, scene.Y, atol=2e-6, rtol=0)


def test_coordinates_of_another_sensor_are_made_to_agree_too(make):
    scene = small_scene()
    Z_hat = make("sensors").fuse(scene, generator=generator()).Z_hat
    X, Y = scene.observation.observe(Z_hat)
    torch.testing.assert_close(X, scene.X, atol=2e-6, rtol=0)
    torch.testing.assert_close(Y, scene.Y, atol=2e-6, rtol=0)


def test_several_samples_give_their_mean_and_spread(make):
    scene = small_scene()
    drawn = []
    for samples in (1, 2):
        drawn.append(make(steps=2, start=0.1, samples=samples).fuse(scene, generator=generator()))
    assert drawn[0].std is None
    assert drawn[1].std is not None
    assert (drawn[1].std >= 0).all()
    # of two draws a and b: mean - a = (b - a) / 2 and the spread is |b - a| / sqrt 2
    apart = (drawn[1].Z_hat - drawn[0].Z_hat).abs()
    torch.testing.assert_close(drawn[1].std, apart * 2**0.5, atol=1e-6, rtol=1e-3)
    # what the guide sees has no spread
    R = scene.observation.spectral.matrix.float()
    one = make(steps=2, start=0.1).fuse(scene, generator=generator(6)).Z_hat
    assert torch.einsum("cb,nbhw->nchw", R, one - drawn[0].Z_hat).abs().max() < 2e-6


def test_a_black_pair_has_nothing_to_mend(make):
    scene = small_scene()
    black = dataclasses.replace(scene, X=0 * scene.X, Y=0 * scene.Y, Z=None)
    Z_hat = make().fuse(black, generator=generator()).Z_hat
    assert torch.isfinite(Z_hat).all()
    assert Z_hat.abs().max() < 1e-6


def test_progress_counts_all_samples(make):
    seen = []
    make(steps=2, samples=2, start=0.1, on_step=lambda done, total: seen.append((done, total))).fuse(
        small_scene(), generator=generator()
    )
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_bfloat16_changes_little(make):
    scene = small_scene()
    one, two = (make(precision=p).fuse(scene, generator=generator()).Z_hat for p in ("float32", "bfloat16"))
    assert 0 < (one - two).abs().max() < 2e-3


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("steps", 0, "steps 0"),
        ("samples", 1.5, "samples 1.5"),
        ("start", 1.0, "start 1.0"),
        ("sampler", "dim", "use 'ddim'"),
        ("precision", "float8", "unknown precision"),
    ],
)
def test_options_out_of_range_are_refused(make, option, value, said):
    with pytest.raises(InputError, match=said):
        make(**{option: value})


def test_weights_of_one_pair_of_sensors_refuse_another(make):
    with pytest.raises(WeightsError, match="6 hyperspectral and 3 multispectral bands, the images have 6 and 2"):
        make("sensors").fuse(small_scene(2), generator=generator())


def test_files_are_read_as_they_were_written_and_others_refused(residual_weights, weights, tmp_path):
    path = residual_weights(3, "sensors")
    model, card = load_residual(path)
    again = save_residual(tmp_path / "again.safetensors", model, card)
    assert read_residual(again) == read_residual(path)
    assert read_residual(path)[1].data == "made up"
    copy = load_residual(again)[0].state_dict()
    assert all(torch.equal(value, copy[name]) for name, value in model.state_dict().items())
    with pytest.raises(WeightsError, match="a residual denoiser"):
        make_fuser("hsr-diff-residual", weights=weights())
    with pytest.raises(WeightsError, match="could not be read"):
        make_fuser("hsr-diff-residual", weights=str(tmp_path / "none.safetensors"))
