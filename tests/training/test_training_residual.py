"""Training of residual denoisers: pairs are functions of plan and seed, the loss is what it says, runs resume."""

import math

import pytest
import torch
from made_up import BANDS, TEXT, MadeUp, truth
from safetensors.torch import load_file

from hsrdiff.errors import RecipeError, WeightsError
from hsrdiff.fusers.residual import HsrDiffResidual, load_residual
from hsrdiff.jobs.train import train
from hsrdiff.networks.residual_cdformer import ResidualCDFormer, ResidualConfig
from hsrdiff.training.residual import (
    is_residual_recipe,
    load_residual_recipe,
    run_residual_recipe,
    shipped_residual_recipes,
)
from hsrdiff.training.residual import pairs as pairs_module
from hsrdiff.training.residual.loss import residual_loss
from hsrdiff.training.residual.loss_root import loss_root
from hsrdiff.training.residual.pairs import PairPlan, PreparedPair, make_scene, plan_pairs
from hsrdiff.training.residual.patches import REGRESSION_GAMMA, PatchBatch, draw_batch
from hsrdiff.training.residual.recipe import ResidualData, ResidualTraining
from hsrdiff.training.residual.run import learning_rate
from hsrdiff.training.residual.tint import tint


@pytest.fixture(autouse=True)
def made_up(monkeypatch):
    monkeypatch.setattr(pairs_module, "make_dataset", lambda name, data=None, factor=None: MadeUp(factor))


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(TEXT)
    return path


def scene_of(plan, seed):
    return make_scene(plan, seed)[0]


def plan(variant=0, **section):
    return PairPlan(ResidualData(dataset="made-up", **section), "a", 4, variant)


def pair(r=2, height=24, width=20, share=1.0, seed=0, optics=0):
    g = torch.Generator().manual_seed(seed)
    channels = torch.randn((5 * r + 7, height, width), generator=g).half()
    optics = torch.randn((optics, height, width), generator=g).half()
    return PreparedPair(channels, optics, torch.randn((r, height, width), generator=g).half(), torch.eye(r), share)


def test_the_first_variant_is_the_scene_and_the_others_lie_elsewhere():
    whole, other = scene_of(plan(own_guide=True), 0), scene_of(plan(1, own_guide=True), 0)
    torch.testing.assert_close(whole.Z[0][:, 4:, 6:], truth(ord("a"))[:, 4:36, 6:36])
    assert whole.Z.shape[-2:] == (36, 36)
    assert torch.isfinite(whole.Z).all()
    assert not torch.equal(other.Z[..., :28, :28], whole.Z[..., :28, :28])
    assert whole.observation.spectral.band_names == ("low", "high")
    X, Y = whole.observation.observe(whole.Z)
    assert torch.equal(X, whole.X)
    assert torch.equal(Y, whole.Y)


def test_the_axis_is_the_middle_of_the_whole_scene():
    whole, other = make_scene(plan(), 0)[1], make_scene(plan(1), 0)[1]
    assert whole == (19.0, 19.0)
    assert all(19.0 - 4 < place <= 19.0 for place in other)
    assert make_scene(plan(1, side=32), 0)[1] != (15.5, 15.5)


def test_random_guides_and_psfs_are_functions_of_the_plan_and_the_seed():
    one, same, other = (scene_of(plan(1), seed) for seed in (0, 0, 1))
    assert torch.equal(one.X, same.X)
    assert torch.equal(one.Y, same.Y)
    assert one.X.shape != other.X.shape or not torch.equal(one.X, other.X)
    assert one.observation.spatial.describe() != scene_of(plan(), 0).observation.spatial.describe()


def test_pairs_are_cut_to_a_side():
    for variant in (0, 1):
        assert scene_of(plan(variant, side=32), 0).Z.shape[-2:] == (32, 32)
    with pytest.raises(RecipeError, match="at least 64"):
        scene_of(plan(side=16), 0)


def test_plans_count_scenes_factors_and_variants(recipe):
    plans = plan_pairs(load_residual_recipe(recipe))
    assert [(p.scene, p.variant) for p in plans] == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    with pytest.raises(RecipeError, match="'c' is not a scene"):
        plan_pairs(load_residual_recipe(recipe, {"data": "[{dataset='made-up', scenes=['c']}]"}))


def test_patches_are_functions_of_seed_and_step():
    options = ResidualTraining(steps=1, batch=3, size=16)
    pairs = [pair(), pair(seed=1)]
    one, same, other = (draw_batch(pairs, step, options, signs=False) for step in (4, 4, 5))
    assert one.target.shape == (3, 2, 16, 16)
    for name in ("channels", "target", "gamma", "noise"):
        assert torch.equal(getattr(one, name), getattr(same, name))
        assert not torch.equal(getattr(one, name), getattr(other, name))


def test_channels_and_target_turn_together_and_so_do_signs():
    options = ResidualTraining(steps=1, batch=1, size=16)
    one = pair(optics=4)
    one.channels[:2], one.channels[2] = one.target, 1.0
    one.optics[:2] = one.target.abs()
    for step in range(12):
        batch = draw_batch([one], step, options, signs=True)
        torch.testing.assert_close(batch.channels[:, :2], batch.target)
        torch.testing.assert_close(batch.optics[:, :2], batch.target.abs())
        assert batch.channels[0, 2].abs().eq(1).all()
        # the root's columns take the signs along, so that the loss is that of the unflipped pair
        assert batch.root.abs().sum() == 2
    seen = {float(draw_batch([one], step, options, signs=True).channels[0, 2, 0, 0]) for step in range(12)}
    assert seen == {-1.0, 1.0}


def test_patches_shrink_to_the_smallest_pair():
    options = ResidualTraining(steps=1, batch=4, size=64)
    assert draw_batch([pair(), pair(height=18)], 0, options, signs=False).target.shape[-1] in (18, 20)


def test_half_of_the_patches_are_regressions_and_the_others_even_in_log_snr():
    options = ResidualTraining(steps=1, batch=400, size=8, regression=0.5)
    gamma = draw_batch([pair()], 0, options, signs=False).gamma
    pure = gamma == REGRESSION_GAMMA
    assert 0.4 < float(pure.double().mean()) < 0.6
    ratio = torch.logit(gamma[~pure])
    assert -6 <= float(ratio.min()) < -5
    assert 4 < float(ratio.max()) <= 5
    assert abs(float(ratio.mean()) + 0.5) < 0.6


def network(coordinates=2):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ResidualCDFormer(ResidualConfig(coordinates=coordinates, conditions=17, channels=8, layers=1, window=4))


def test_the_loss_by_hand():
    """An untrained network answers sqrt(gamma) c_t; with root 1, u^2 is the sum of squares over the noise's."""
    batch = draw_batch([pair()], 0, ResidualTraining(steps=1, batch=2, size=8), signs=False)
    gamma = torch.tensor([0.36, 0.999], dtype=torch.float64)
    batch = PatchBatch(batch.channels, None, batch.target, batch.root, gamma, batch.noise)
    expected = []
    for k, g in enumerate((0.36, 0.999)):
        c_t = math.sqrt(g) * batch.target[k] + math.sqrt(1 - g) * batch.noise[k]
        error = (math.sqrt(g) * c_t - batch.target[k]) / math.sqrt(max(1 - g, 0.02))
        expected.append(2 * ((1 + error.square().sum(0)).sqrt() - 1))
    torch.testing.assert_close(residual_loss(network(), batch), torch.stack(expected).mean())


def test_the_root_makes_the_loss_the_bands_mean_error_over_the_bases():
    g = torch.Generator().manual_seed(0)
    out_of = torch.randn((BANDS, 2), generator=g, dtype=torch.float64)
    coordinates = type("C", (), {"out_of": out_of})()
    missing = torch.randn((1, BANDS, 4, 4), generator=g, dtype=torch.float64)
    root = loss_root(coordinates, missing, 0.5).double()
    e = torch.randn(2, generator=g, dtype=torch.float64)
    energy = missing.square().mean(dim=(0, 2, 3))
    expected = float(((0.5 * out_of @ e).square() / energy).mean())
    assert float((root @ e).square().sum()) == pytest.approx(expected, rel=1e-4)


def test_the_learning_rate_rises_and_falls():
    options = ResidualTraining(steps=1000, learning_rate=1.0)
    assert learning_rate(0, options) == pytest.approx(1 / 50)
    assert learning_rate(500, options) == pytest.approx(0.505, abs=0.01)
    assert learning_rate(999, options) == pytest.approx(0.01, abs=1e-3)


@pytest.mark.parametrize("basis", ["scene", "sensors"])
def test_stopped_and_resumed_is_the_same_bit_for_bit(recipe, tmp_path, basis):
    own = "true" if basis == "sensors" else "false"
    changes = {
        "basis": basis,
        "data": f"[{{dataset='made-up', factors=[4], variants=2, own_guide={own}}}]",
    }
    whole = run_residual_recipe(recipe, tmp_path / "whole", progress=False, overrides=changes)
    part = run_residual_recipe(recipe, tmp_path / "part", progress=False, overrides=changes, stop_at=3)
    assert (whole.finished, part.finished, part.steps_done) == (True, False, 3)
    rest = run_residual_recipe(recipe, tmp_path / "part", progress=False, overrides=changes)
    one, two = load_file(whole.weights), load_file(rest.weights)
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert len((tmp_path / "part" / "log.jsonl").read_text().splitlines()) == 6
    model, card = load_residual(whole.weights)
    assert (card.steps, card.factors, card.recipe) == (6, [4], "mine")
    assert card.guide == (["low", "high"] if basis == "sensors" else [])
    scene = scene_of(plan(own_guide=True), 0)
    fused = HsrDiffResidual(weights=whole.weights).fuse(scene, generator=torch.Generator().manual_seed(0))
    assert torch.isfinite(fused.Z_hat).all()
    if basis == "sensors":
        R = scene.observation.spectral.matrix
        assert (R @ model.out_of.double()).abs().max() < 1e-6


def test_another_recipe_does_not_go_on(recipe, tmp_path):
    run_residual_recipe(recipe, tmp_path / "run", progress=False, stop_at=1)
    with pytest.raises(WeightsError, match="another recipe"):
        run_residual_recipe(recipe, tmp_path / "run", progress=False, overrides={"training.seed": "1"})


def test_the_loss_falls():
    rich = ResidualTraining(steps=60, batch=2, size=16, learning_rate=5e-3)
    one = pair()
    one.channels[:2] = one.target  # the answer lies in the condition
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    losses = []
    for step in range(60):
        loss = residual_loss(model, draw_batch([one], step, rich, signs=False))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-10:]) < 0.75 * sum(losses[:10])


def test_recipes_are_told_apart_and_checked(recipe, tmp_path):
    assert is_residual_recipe(recipe)
    assert all(is_residual_recipe(name) for name in shipped_residual_recipes())
    assert not is_residual_recipe("cave-x32-small")
    assert not is_residual_recipe("kriging-learned")
    for name in shipped_residual_recipes():
        loaded = load_residual_recipe(name)
        assert loaded.name == name
        assert loaded.summary
        assert loaded.model(31, 3).network.channels == loaded.network.channels
    with pytest.raises(RecipeError, match=r"unknown key 'network\.layer'"):
        load_residual_recipe(recipe, {"network.layer": "1"})


def test_the_job_takes_such_recipes(recipe, tmp_path):
    result = train(recipe, out=tmp_path / "run", overrides={"training.steps": "1"}, progress=False)
    assert result.finished
    assert result.weights.is_file()


def test_another_light_is_smooth_and_of_the_wanted_strength():
    g = torch.Generator().manual_seed(0)
    logs = torch.stack([tint(31, 0.3, g).log() for _ in range(400)])
    assert float(logs.square().mean().sqrt()) == pytest.approx(0.3, rel=0.1)
    assert float(logs.diff(dim=1).square().mean().sqrt()) < 0.05
    plain, lit = (scene_of(plan(2, own_guide=True, tint=t), 0) for t in (0.0, 0.3))
    untouched = (scene_of(plan(1, own_guide=True, tint=t), 0) for t in (0.0, 0.3))
    gain = lit.Z / plain.Z
    assert float(gain.std(dim=(2, 3)).max()) < 1e-5
    assert float(gain.std()) > 0.01
    assert torch.equal(*(scene.Z for scene in untouched))
