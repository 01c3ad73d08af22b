"""Noise and synthetic mixtures of residual trainings: told noise of the wanted size, convex mixtures, old hashes."""

import math

import pytest
import torch
from made_up import TEXT, MadeUp

from hsrdiff.errors import RecipeError
from hsrdiff.fusers.residual import load_residual
from hsrdiff.rng import generator
from hsrdiff.training.residual import load_residual_recipe, run_residual_recipe
from hsrdiff.training.residual import pairs as pairs_module
from hsrdiff.training.residual import run as run_module
from hsrdiff.training.residual.mixtures import apart, mixed, random_field
from hsrdiff.training.residual.pairs import PairPlan, make_scene, plan_pairs
from hsrdiff.training.residual.recipe import ResidualData

ANY = "any-residual"


@pytest.fixture(autouse=True)
def made_up(monkeypatch):
    monkeypatch.setattr(pairs_module, "make_dataset", lambda name, data=None, factor=None: MadeUp(factor))


def scene(variant=0, seed=0, **section):
    return make_scene(PairPlan(ResidualData(dataset="made-up", **section), "a", 4, variant), seed)[0]


def test_noise_of_the_wanted_size_is_in_both_images_and_told():
    loud, clean = scene(1, snr_db=(20.0, 20.0)), scene(1)
    torch.testing.assert_close(loud.Z, clean.Z)
    for noisy, image, told in ((loud.X, clean.X, loud.sigma_x), (loud.Y, clean.Y, loud.sigma_y)):
        found = (noisy - image).double().square().mean().sqrt()
        assert float(found) == pytest.approx(told, rel=0.15)
        level = image.double().square().mean().sqrt()
        assert 20 * math.log10(float(level) / told) == pytest.approx(20.0, abs=1e-3)


def test_the_first_variant_has_no_noise_and_levels_are_drawn_between_the_bounds():
    assert scene(0, snr_db=(20.0, 40.0)).sigma_x == 0.0
    levels = set()
    for variant in (1, 2, 3):
        loud, clean = scene(variant, snr_db=(20.0, 40.0)), scene(variant)
        for image, told in ((clean.X, loud.sigma_x), (clean.Y, loud.sigma_y)):
            snr = 20 * math.log10(float(image.double().square().mean().sqrt()) / told)
            assert 20.0 <= snr <= 40.0
            levels.add(round(snr, 3))
    assert len(levels) == 6


def test_noise_does_not_move_the_place_nor_the_guide():
    loud, clean = scene(1, snr_db=(30.0, 30.0)), scene(1)
    torch.testing.assert_close(loud.observation.spectral.matrix, clean.observation.spectral.matrix)
    torch.testing.assert_close(loud.observation.spatial.kernel, clean.observation.spatial.kernel)


def test_a_mixture_by_hand_without_shade_lies_in_the_hull(monkeypatch):
    monkeypatch.setattr("hsrdiff.training.residual.mixtures._SHADE", 0.0)
    two = torch.tensor([[1.0, 0.0], [0.0, 1.0]])[None, :, :, None].expand(1, 2, 2, 8)  # a row of either spectrum
    Z = mixed(two, 2, generator(0, "mixture"))
    assert Z.shape == two.shape
    torch.testing.assert_close(Z.sum(dim=1), torch.ones(1, 2, 8))
    assert float(Z.min()) >= 0.0
    assert float(Z.std()) > 0.1


def test_a_mixture_is_shaded_and_its_contrast_tells_soft_from_nearly_pure(monkeypatch):
    two = torch.tensor([[1.0, 0.0], [0.0, 1.0]])[None, :, :, None].expand(1, 2, 2, 32).repeat(1, 1, 16, 1)
    shade = mixed(two, 2, generator(0, "mixture")).sum(dim=1).double().log()
    assert float(shade.std()) == pytest.approx(0.25, rel=0.02)
    monkeypatch.setattr("hsrdiff.training.residual.mixtures._SHADE", 0.0)
    purest = []
    for contrast in (0.0, 2.0, 50.0):
        monkeypatch.setattr("hsrdiff.training.residual.mixtures._CONTRAST", (contrast, contrast))
        purest.append(float(mixed(two, 2, generator(0, "mixture")).max(dim=1).values.mean()))
    assert purest[0] == pytest.approx(0.5)
    assert 0.55 < purest[1] < 0.9
    assert purest[2] > 0.97


def test_a_mixture_spans_as_many_spectra_as_it_is_made_of():
    pixels = torch.rand((1, 8, 20, 20), generator=generator(0, "pixels"))
    values = torch.linalg.svdvals(mixed(pixels, 5, generator(0, "mixture"))[0].flatten(1).double())
    assert values[4] > 1e-4 * values[0]
    assert values[5] < 1e-6 * values[0]


def test_spectra_that_lie_apart_are_pixels_and_not_near_each_other():
    near = torch.tensor([1.0, 0.0, 0.0]) + 0.01 * torch.rand((500, 3), generator=generator(0, "near"))
    pixels = torch.cat([near, torch.eye(3)[1:].repeat(40, 1)]).double()
    found = apart(pixels, 3, generator(0, "apart"))
    assert all(any(torch.equal(row, pixel) for pixel in pixels) for row in found)
    assert float(torch.linalg.det(found).abs()) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("size", [(12, 16), (9, 7), (64, 2)])
def test_a_random_field_has_unit_variance_and_smooth_neighbours(size):
    field = random_field(size, generator(0, "field"))
    assert field.shape == size
    assert float(field.mean()) == pytest.approx(0.0, abs=1e-9)
    assert float(field.square().mean()) == pytest.approx(1.0)
    assert float((field[1:] * field[:-1]).mean()) > 0.2


def test_mixtures_are_functions_of_plan_and_seed_and_kept_apart_from_the_scenes():
    torch.testing.assert_close(scene(1, materials=4).Z, scene(1, materials=4).Z)
    assert not torch.equal(scene(1, materials=4).Z, scene(1, seed=1, materials=4).Z)
    assert not torch.equal(scene(1, materials=4).Z, scene(2, materials=4).Z)
    plain = PairPlan(ResidualData(dataset="made-up"), "a", 4, 0)
    made = PairPlan(ResidualData(dataset="made-up", materials=4), "a", 4, 0)
    assert plain.file_name != made.file_name
    assert plain.title != made.title


def test_pairs_of_two_sections_are_kept_apart_whatever_tells_the_sections_apart():
    """Else a noisy section would train on the clean pairs of another."""
    changes = ({}, {"snr_db": (20.0, 20.0)}, {"tint": 0.3}, {"materials": 4}, {"materials": 4, "snr_db": (20.0, 20.0)})
    data = tuple(ResidualData(dataset="made-up", factors=(4, 8), variants=3, **change) for change in changes)
    plans = plan_pairs(load_residual_recipe(ANY).model_copy(update={"data": data}))
    assert len(plans) == len(changes) * 2 * 2 * 3
    for distinct in ({plan.file_name for plan in plans}, {plan.title for plan in plans}):
        assert len(distinct) == len(plans)
    clean, noisy = (next(p for p in plans if p.section is section and p.variant == 1) for section in data[:2])
    assert make_scene(clean, 0)[0].sigma_y == 0.0 < make_scene(noisy, 0)[0].sigma_y


def test_pairs_of_sections_that_share_no_factor_have_the_names_of_one_section():
    data = (ResidualData(dataset="made-up", factors=(4,)), ResidualData(dataset="made-up", factors=(8,)))
    plans = plan_pairs(load_residual_recipe(ANY).model_copy(update={"data": data}))
    assert [plan.file_name for plan in plans] == [f"made-up-{s}-x{f}-0.safetensors" for f in (4, 8) for s in "ab"]


def test_hashes_of_recipes_without_noise_and_mixtures_are_as_before():
    """Runs and prepared pairs of earlier versions go on."""
    assert load_residual_recipe("cave-x32-residual").pairs_digest() == "4a424d5f05360661"


def test_noise_and_mixtures_count_in_hashes():
    recipe = load_residual_recipe(ANY)
    clean = recipe.data[1].model_copy(update={"snr_db": None})
    last = recipe.data[-1].model_copy(update={"materials": 9})
    for data in ((recipe.data[0], clean, *recipe.data[2:]), (*recipe.data[:-1], last)):
        other = recipe.model_copy(update={"data": data})
        assert other.digest() != recipe.digest()
        assert other.pairs_digest() != recipe.pairs_digest()


def test_a_training_with_noise_and_mixtures_says_so_on_its_card(tmp_path):
    mixtures = '[[data]]\ndataset = "made-up"\nvariants = 2\nsnr_db = [20.0, 40.0]\nmaterials = 4\n'
    (tmp_path / "mine.toml").write_text(f"{TEXT}{mixtures}[[data]]\ndataset = 'made-up'\nshare = 2.0\n")
    result = run_residual_recipe(tmp_path / "mine.toml", tmp_path / "run", progress=False)
    card = load_residual(result.weights)[1]
    assert card.data == "made-up train; made-up train, mixtures of 4 spectra, noise of 20 to 40 dB"
    kept = {file.stem for file in (tmp_path / "run").glob("pairs-*/*")}
    made = {f"made-up-{s}-x4-{v}{m}" for s in "ab" for v in (0, 1) for m in ("", "-4-materials")}
    assert kept == made | {f"made-up-{s}-x4-0-section-2" for s in "ab"}


@pytest.mark.parametrize(("snr_db", "words"), [((20.0, 20.0), "20 dB"), ((20.0, 40.0), "20 to 40 dB")])
def test_noise_of_one_level_is_named_once(snr_db, words):
    section = ResidualData(dataset="made-up", variants=2, snr_db=snr_db)
    assert run_module._data_in_words(section) == f"made-up train, noise of {words}"
    assert run_module._data_in_words(section.model_copy(update={"variants": 1})) == "made-up train"


def test_a_scene_without_any_data_is_named(monkeypatch):
    class Empty(MadeUp):
        def load(self, name):
            return super().load(name) * float("nan")

    monkeypatch.setattr(pairs_module, "make_dataset", lambda name, data=None, factor=None: Empty(factor))
    with pytest.raises(RecipeError, match="'a' of made-up has no pixel that is valid"):
        scene()


@pytest.mark.parametrize(
    "wrong", ["snr_db=[40.0, 20.0]", "snr_db=[-1.0, 20.0]", "snr_db=[20.0, 900.0]", "materials=1", "materials=101"]
)
def test_impossible_noise_and_mixtures_are_refused(wrong):
    with pytest.raises(RecipeError):
        load_residual_recipe(ANY, {"data": f"[{{dataset='cave', {wrong}}}]"})
