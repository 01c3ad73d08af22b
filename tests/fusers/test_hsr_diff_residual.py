"""HSR-Diff in residual mode: its base, its consistency, its samples, its options, its files."""

import dataclasses

import pytest
import torch
from fuser_scenes import small_scene

from hsrdiff.errors import InputError, WeightsError
from hsrdiff.fusers import make_fuser
from hsrdiff.fusers.kriging import KrigingLearned
from hsrdiff.fusers.residual import Conditioned, HsrDiffResidual, load_residual, read_residual, save_residual
from hsrdiff.fusers.residual import fuser as fuser_module
from hsrdiff.fusers.residual import model as model_module
from hsrdiff.fusers.residual.condition import NOISE as NOISE_CHANNELS
from hsrdiff.fusers.residual.diffused import ITSELF
from hsrdiff.fusers.residual.model import FOR_CHOICES, ResidualModel, fitting_residual, shipped_residuals
from hsrdiff.fusers.residual.sampling import NOISE, REGRESSION, Sampling
from hsrdiff.fusers.residual.views import unview, view
from hsrdiff.networks import store as store_module


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
    fuser._loaded[0].network.reconstruct.weight.zero_()
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
    ways = {"steps": 2, "start": 0.1, "sampler": "ddim"}
    drawn = [make(samples=k, **ways).fuse(scene, generator=generator()) for k in (1, 2)]
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


def test_several_samples_take_the_steps_that_give_them_spread(make):
    assert make().sampling == Sampling(1, "ddim", REGRESSION, 1, 1)
    assert make(samples=8).sampling == Sampling(25, "ancestral-posterior", NOISE, 8, 1)
    assert make(samples=2, steps=3, sampler="multistep", start=0.5).sampling == Sampling(3, "multistep", 0.5, 2, 1)
    with pytest.raises(InputError, match="2 samples of one step, which are all the same; expected at least 2 steps"):
        make(samples=2, steps=1)


def test_a_black_pair_has_nothing_to_mend(make):
    scene = small_scene()
    black = dataclasses.replace(scene, X=0 * scene.X, Y=0 * scene.Y, Z=None)
    Z_hat = make().fuse(black, generator=generator()).Z_hat
    assert torch.isfinite(Z_hat).all()
    assert Z_hat.abs().max() < 1e-6


def test_one_step_starts_from_pure_noise_and_more_from_hardly_a_trace(make):
    assert make().sampling.start == 1e-8
    assert make(steps=3).sampling.start == 1e-3
    assert make(steps=3, start=0.2).sampling.start == 0.2


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
        ("views", 9, "views 9"),
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


def test_without_weights_the_shipped_ones_that_fit_are_taken(make, monkeypatch, residual_weights, kernel_weights):
    scene = small_scene()
    names = {}
    for name, basis in (("any", "scene"), ("own", "sensors"), ("another", "sensors")):
        model, card = load_residual(residual_weights(3, basis))
        R = scene.observation.spectral.matrix
        shown = R if name == "own" else R.flip(1)
        card = card.model_copy(update={"name": name, "factors": [4], "response": shown.tolist()})
        if basis == "scene":
            card = card.model_copy(update={"factors": [], "response": []})
        names[name] = save_residual(residual_weights(3, basis).parent / f"{name}.safetensors", model, card)
    fuser = HsrDiffResidual(base=kernel_weights)

    def fused_with(*shipped):
        for module in (model_module, store_module):
            monkeypatch.setattr(module, "shipped_files", lambda room="": {n: names[n] for n in shipped})
        return fuser.fuse(scene, generator=generator()).notes["weights"]

    assert fused_with("another", "any", "own").startswith("own,")
    assert fused_with("another", "any").startswith("any,")
    with pytest.raises(WeightsError, match="no shipped weights of 'hsr-diff-residual' fit"):
        fused_with("another")
    # they were read once: block after block asks again
    names["any"].write_bytes(b"")
    monkeypatch.setattr(fuser_module, "fitting_residual", lambda R, factor: "any")
    assert fuser.fuse(scene, generator=generator()).notes["weights"].startswith("any,")
    with pytest.raises(WeightsError):
        HsrDiffResidual(base=kernel_weights).fuse(scene, generator=generator())


def test_of_the_weights_that_ship_those_of_all_training_scenes_are_taken():
    own = {name for name in shipped_residuals() if read_residual(name)[0].basis == "sensors"}
    assert own == {"cave-x32-residual", *FOR_CHOICES}
    for name in own:
        R = torch.tensor(read_residual(name)[1].response)
        assert fitting_residual(R, 32) == "cave-x32-residual"
        assert fitting_residual(R, 8) == fitting_residual(R.flip(1), 32) == "any-residual"


def test_weights_met_with_another_guide_or_factor_say_so(residual_weights, kernel_weights, tmp_path):
    scene = small_scene()
    model, card = load_residual(residual_weights(3, "sensors"))
    other = scene.observation.spectral.matrix.flip(1).tolist()
    card = card.model_copy(update={"factors": [8], "response": other})
    path = save_residual(tmp_path / "other.safetensors", model, card)
    notes = HsrDiffResidual(weights=path, base=kernel_weights).fuse(scene, generator=generator()).notes
    assert notes["factor"] == "the images have ratio 4, the weights were trained at 8: expect a poorer result"
    assert "% from that of the training" in notes["response"]


def test_weights_for_any_sensors_say_their_factors_and_expect_nothing_worse(residual_weights, kernel_weights, tmp_path):
    model, card = load_residual(residual_weights(3, "scene"))
    path = save_residual(tmp_path / "other.safetensors", model, card.model_copy(update={"factors": [3, 8]}))
    notes = HsrDiffResidual(weights=path, base=kernel_weights).fuse(small_scene(), generator=generator()).notes
    assert notes["factor"] == "the images have ratio 4, the weights were trained at 3, 8"
    assert "response" not in notes


def test_weights_that_do_not_read_the_noise_are_not_given_it(make, kernel_weights, tmp_path):
    """Files that users trained for any sensors go on: their networks read two channels fewer."""
    scene = small_scene()
    new, card = make()._loaded
    shape = new.config.network
    old = ResidualModel(
        new.config.model_copy(
            update={"network": shape.model_copy(update={"conditions": shape.conditions - NOISE_CHANNELS})}
        )
    )
    path = save_residual(tmp_path / "old.safetensors", old, card)
    fuser = HsrDiffResidual(weights=path, base=kernel_weights)
    assert new.reads_noise
    assert not fuser._loaded[0].reads_noise
    X, _ = scene.observation.observe(fuser.fuse(scene, generator=generator()).Z_hat)
    torch.testing.assert_close(X, scene.X, atol=2e-6, rtol=0)
    assert not make("sensors")._loaded[0].reads_noise


@pytest.mark.parametrize(("height", "applied"), [(16, False), (48, True)])
def test_noisy_pairs_smaller_than_those_of_the_training_keep_their_base(make, height, applied):
    """4 x 6 coarse pixels are too few, 12 x 6 are not; without noise the network is applied to either."""
    clean = small_scene(height=height)
    fuser = make()
    for scene, changed in ((dataclasses.replace(clean, sigma_x=1e-3, sigma_y=1e-3), applied), (clean, True)):
        evidence = fuser.gather(scene, generator=generator())
        fusion = fuser.sample(evidence, generator=generator())
        assert ("network" not in fusion.notes) == changed
        assert bool((fusion.Z_hat - evidence.base).abs().max() > 1e-5) == changed
    assert make("sensors").sample(evidence, generator=generator()).notes.get("network") is None


@pytest.mark.parametrize(("factors", "applied"), [([2, 3], True), ([1, 2], True), ([], True), ([1], False)])
def test_factors_far_beyond_those_of_the_training_keep_their_base(
    residual_weights, kernel_weights, tmp_path, factors, applied
):
    """The pair has factor 4: twice 2 is not beyond it, and weights that do not say their factors are applied."""
    scene = small_scene()
    for basis, changed in (("scene", applied), ("sensors", True)):
        model, card = load_residual(residual_weights(3, basis))
        path = save_residual(tmp_path / "other.safetensors", model, card.model_copy(update={"factors": factors}))
        fuser = HsrDiffResidual(weights=path, base=kernel_weights)
        evidence = fuser.gather(scene, generator=generator())
        fusion = fuser.sample(evidence, generator=generator())
        assert ("network" not in fusion.notes) == changed
        assert bool((fusion.Z_hat - evidence.base).abs().max() > 1e-5) == changed


def test_views_are_undone_and_eight_of_them_forget_directions(make):
    image = torch.rand((1, 2, 3, 4), generator=generator())
    seen = [view(image, k) for k in range(8)]
    assert len({tuple(v.flatten().tolist()) for v in seen}) == 8
    assert all(torch.equal(unview(v, k), image) for k, v in enumerate(seen))
    fuser = make(views=8)
    model = fuser._loaded[0]
    channels = torch.randn((1, model.config.network.conditions, 16, 16), generator=generator())
    noise = torch.randn((1, 2, 16, 16), generator=generator(6))
    gamma = torch.tensor([0.3], dtype=torch.float64)

    answers = []
    for k in (0, 5):
        none = torch.zeros((1, 0, 16, 16))
        denoise = fuser._bind(model, Conditioned(view(channels, k), none, 1.0), ITSELF)
        answers.append(unview(denoise(view(noise, k), gamma), k))
    torch.testing.assert_close(answers[0], answers[1], atol=1e-5, rtol=0)
