"""Ablations of residual mode: each trains, keeps what it is with its weights, and breaks the law that it leaves out."""

from functools import cache

import pytest
import torch
from made_up import BANDS, TEXT, MadeUp
from safetensors.torch import load_file

from hsrdiff.errors import RecipeError
from hsrdiff.fusers import Bicubic, RegressionProjected
from hsrdiff.fusers.kriging.learned import KrigingLearned
from hsrdiff.fusers.residual import HsrDiffResidual, load_residual
from hsrdiff.fusers.residual.parts import Parts
from hsrdiff.training.residual import load_residual_recipe, run_residual_recipe
from hsrdiff.training.residual import pairs as pairs_module
from hsrdiff.training.residual import run as run_module
from hsrdiff.training.residual.loss import residual_loss
from hsrdiff.training.residual.pairs import PairPlan, PreparedPair, make_scene
from hsrdiff.training.residual.patches import draw_batch
from hsrdiff.training.residual.recipe import ResidualData, ResidualTraining

WITHOUT = ("embedding", "projection", "subspace", "residual", "kriging", "base")
KRIGED = "kriging-learned with the kernel kriging-learned"


@pytest.fixture(autouse=True)
def made_up(monkeypatch):
    monkeypatch.setattr(pairs_module, "make_dataset", lambda name, data=None, factor=None: MadeUp(factor))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("parts")
    (path / "mine.toml").write_text(TEXT)
    return path


def changes(without, **more):
    """The shipped recipe's basis and parts, on made-up scenes."""
    shipped = load_residual_recipe(f"cave-x32-without-{without}")
    found = {f"parts.{key}": value for key, value in shipped.parts.model_dump().items()}
    found["basis"] = shipped.basis
    if shipped.basis == "bands":
        found["network.coordinates"] = str(BANDS)
    found["data"] = "[{dataset='made-up', scenes=['a'], factors=[4], own_guide=true}]"
    return found | {"training.steps": "2"} | more


@pytest.fixture
def trained(folder):
    """Weights without a part, trained once."""

    def train(without):
        return run_residual_recipe(
            folder / "mine.toml",
            folder / without,
            progress=False,
            overrides=changes(without),
            pairs=folder / "pairs",
        ).weights

    return train


@cache
def base(name):
    """What a base says by itself."""
    fuser = {"base": Bicubic(), "kriging": RegressionProjected()}.get(name) or KrigingLearned(std=False)
    return fuser.fuse(scene(), generator=torch.Generator().manual_seed(0)).Z_hat


def scene():
    return make_scene(PairPlan(ResidualData(dataset="made-up", own_guide=True), "a", 4, 0), 0)[0]


def fused(weights, answer, **options):
    """The result of a network whose last layer is replaced: by nothing, or by something far from trained."""
    fuser = HsrDiffResidual(weights=weights, **options)
    network = fuser._loaded[0].network
    network.direct.weight.zero_()
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network.reconstruct.weight.normal_(0.0, 0.3 * answer) if answer else network.reconstruct.weight.zero_()
    network.reconstruct.bias.zero_()
    return fuser.fuse(scene(), generator=torch.Generator().manual_seed(0)).Z_hat


@pytest.mark.parametrize("without", WITHOUT)
def test_weights_say_what_they_are(trained, without):
    model, card = load_residual(trained(without))
    shipped = load_residual_recipe(f"cave-x32-without-{without}")
    assert model.config.parts == shipped.parts != Parts()
    assert model.config.basis == "sensors"
    assert card.base == {"kriging": "regression-projected", "base": "Y upsampled"}.get(without, KRIGED)
    assert (model.config.network.coordinates == BANDS) == (shipped.basis == "bands")
    said = HsrDiffResidual(weights=trained(without)).fuse(scene(), generator=torch.Generator().manual_seed(0)).notes
    assert f"evidence {shipped.parts.evidence}, diffused {shipped.parts.diffused}" in said["parts"]
    assert ("not made consistent" in said["parts"]) == (without != "embedding")
    assert not Parts().note()


# which images a result still agrees with
@pytest.mark.parametrize(
    ("without", "with_X", "with_Y"),
    [
        ("embedding", True, True),
        ("projection", True, False),
        ("subspace", False, False),
        ("residual", False, False),
        ("kriging", False, False),
        ("base", False, False),
    ],
)
def test_consistency_is_lost_with_projection_and_with_the_subspace(trained, without, with_X, with_Y):
    pair = scene()
    Z_hat = fused(trained(without), 1.0, steps=3)
    assert torch.isfinite(Z_hat).all()
    X, Y = pair.observation.observe(Z_hat)
    assert (float((X - pair.X).abs().max()) < 5e-6) == with_X
    assert (float((Y - pair.Y).abs().max()) < 5e-6) == with_Y
    assert with_X or float((X - pair.X).abs().max()) > 1e-4
    assert with_Y or float((Y - pair.Y).abs().max()) > 1e-4


@pytest.mark.parametrize(("without", "steps"), [(name, 3) for name in WITHOUT] + [("residual", 1)])
def test_an_answer_of_zero_is_the_base(trained, without, steps):
    expected = base(without if without in ("kriging", "base") else "whole")
    torch.testing.assert_close(fused(trained(without), 0.0, steps=steps), expected, atol=2e-5, rtol=0)


def test_a_prepared_pair_gives_the_truth_back(trained, folder):
    """base + unit S target is Z where all bands are diffused: nothing is cut off."""
    trained("subspace")
    recipe = load_residual_recipe(folder / "mine.toml", changes("subspace"))
    kept = next((folder / "pairs").glob(f"pairs-{recipe.pairs_digest()}-*"))
    tensors = load_file(str(kept / "made-up-a-x4-0.safetensors"))
    pair, model = scene(), load_residual(trained("subspace"))[0]
    levels = model.out_of.diagonal()
    missing = tensors["target"].float() * levels[:, None, None]
    wanted = (pair.Z - base("whole"))[0]
    unit = float((wanted * missing).sum() / missing.square().sum())
    assert unit > 0
    # the two bases differ a little, as they draw other landmarks
    assert float((unit * missing - wanted).square().mean() / wanted.square().mean()) < 0.05


def test_noise_is_added_to_the_image_where_that_is_diffused():
    g = torch.Generator().manual_seed(0)
    channels, target = torch.randn((5 * 2 + 7, 16, 16), generator=g), torch.randn((2, 16, 16), generator=g)
    one = PreparedPair(
        channels, torch.zeros((0, 16, 16)), target, torch.eye(2), 1.0, torch.tensor([0.5, 0.1])[:, None, None]
    )
    options = ResidualTraining(steps=1, batch=3, size=8)
    plain, image = (draw_batch([one], 3, options, signs=False, image=on) for on in (False, True))
    assert torch.equal(plain.noise, image.noise)
    seen = {}

    def network(channels, z_t, gamma, optics):
        seen[len(seen)] = z_t
        return torch.zeros_like(z_t)

    losses = [float(residual_loss(network, batch)) for batch in (plain, image)]
    signal = image.gamma.sqrt().float()[:, None, None, None]
    own, ratio = image.channels[:, 8:10], torch.tensor([0.5, 0.1])[:, None, None]
    torch.testing.assert_close(seen[1] - seen[0], signal * (own + (ratio - 1.0) * image.target), atol=1e-5, rtol=0)
    # the answer is held against the same c; noise that hides an image hides its small residual all the more
    assert losses[1] < losses[0]
    zero = PreparedPair(channels, one.optics, target, one.root, 1.0, torch.ones((2, 1, 1)))
    same = draw_batch([zero], 3, options, signs=False, image=True)
    assert float(residual_loss(network, same)) == pytest.approx(losses[0], rel=1e-6)


def test_a_finished_run_is_not_prepared_again_and_leaves_its_weights(trained, folder, monkeypatch):
    weights = trained("embedding")
    before = weights.read_bytes()

    def never(*args, **more):
        raise AssertionError("prepared again")

    monkeypatch.setattr(run_module, "_prepare", never)
    assert trained("embedding") == weights
    assert weights.read_bytes() == before
    with pytest.raises(AssertionError, match="prepared again"):
        run_residual_recipe(
            folder / "mine.toml", folder / "other", progress=False, overrides=changes("embedding"), pairs=folder
        )


def test_runs_share_pairs_where_only_the_network_differs(folder):
    plain = {"basis": "sensors", "data": changes("embedding")["data"]}
    recipes = {name: load_residual_recipe(folder / "mine.toml", changes(name)) for name in WITHOUT}
    digests = {name: recipe.pairs_digest() for name, recipe in recipes.items()}
    assert load_residual_recipe(folder / "mine.toml", plain).pairs_digest() == digests["embedding"]
    assert digests["subspace"] == digests["residual"]
    assert len(set(digests.values())) == 5
    assert len({recipe.digest() for recipe in recipes.values()}) == 6


@pytest.mark.parametrize(
    ("name", "digest", "pairs"),
    [
        ("cave-x32-residual", "03e696ebecf2cc14", "4a424d5f05360661"),
        ("cave-x32-residual-16", "9e1fe040a7a966a0", "29e05d10625a931e"),
    ],
)
def test_runs_from_before_there_were_parts_go_on(name, digest, pairs):
    recipe = load_residual_recipe(name)
    assert (recipe.digest(), recipe.pairs_digest()) == (digest, pairs)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"parts.evidence": "regression"}, "kriging"),
        ({"basis": "sensors", "parts.diffused": "image", "parts.embedding": "gamma"}, "'bands'"),
        ({"basis": "bands", "parts.diffused": "image"}, "'gamma'"),
        ({"parts.base": "x"}, r"unknown key 'parts\.base'"),
    ],
)
def test_parts_that_do_not_fit_are_refused(folder, wrong, said):
    with pytest.raises(RecipeError, match=said):
        load_residual_recipe(folder / "mine.toml", wrong)


def test_every_band_needs_a_coordinate(folder, tmp_path):
    with pytest.raises(RecipeError, match="3 coordinates for the basis 'bands' and 8 bands"):
        run_residual_recipe(
            folder / "mine.toml",
            tmp_path,
            progress=False,
            overrides=changes("subspace", **{"network.coordinates": "3"}),
        )
