"""Scenes painted anew, and bands drawn off each other: brightness, hulls, edges, shifts by hand."""

import pytest
import torch
from made_up import MadeUp

from hsrdiff.rng import generator
from hsrdiff.training.residual import pairs as pairs_module
from hsrdiff.training.residual.displaced import displaced
from hsrdiff.training.residual.pairs import PairPlan, make_scene
from hsrdiff.training.residual.recipe import ResidualData
from hsrdiff.training.residual.repainted import likeness, repainted

LEFT, RIGHT = torch.tensor([3.0, 0.0, 4.0]), torch.tensor([0.0, 2.0, 0.0])


@pytest.fixture
def halves():
    """Two materials, left and right, the lower rows half as bright."""
    image = torch.where(torch.arange(8) < 5, LEFT[:, None], RIGHT[:, None])[None, :, None].repeat(1, 1, 6, 1)
    image[:, :, 3:] /= 2
    return image


def paint(image, seed, materials=2):
    return repainted(image, materials, generator(seed, "paint"))


def test_two_materials_keep_their_places_or_change_them_and_their_brightness_stays(halves):
    """By hand: with one map for each of two materials there are two paintings, and both are drawn."""
    bright = torch.linalg.vector_norm(halves, dim=1, keepdim=True)
    directions = torch.stack([LEFT / 5, RIGHT / 2])
    swapped = torch.where(torch.arange(8) < 5, directions[1][:, None], directions[0][:, None])[None, :, None]
    found = set()
    for seed in range(40):
        Z = paint(halves, seed)
        for name, expected in (("kept", halves), ("swapped", bright * swapped)):
            if torch.allclose(Z, expected, atol=1e-3 * 5):
                found.add(name)
    assert found == {"kept", "swapped"}


def test_maps_are_convex_and_follow_the_scene(halves):
    pixels = halves[0].flatten(1).double().T
    maps = likeness(pixels, 4, generator(0, "maps"))
    torch.testing.assert_close(maps.sum(dim=1), torch.ones(48, dtype=torch.float64))
    assert float(maps.min()) >= 0.0
    # pixels of one direction have one map, however bright; the darker half is told apart by the floor alone
    one = maps.reshape(6, 8, 4)
    torch.testing.assert_close(one[0, :5], one[0, :1].expand(5, 4))
    assert float((one[0, 0] - one[0, 7]).abs().max()) > 0.5


def test_a_painting_has_as_many_spectra_as_materials_and_is_a_function_of_the_draw():
    image = torch.rand((1, 8, 20, 20), generator=generator(0, "pixels"))
    Z = paint(image, 1, 5)
    assert Z.shape == image.shape
    assert Z.dtype == image.dtype
    flat = Z[0].flatten(1).double()
    values = torch.linalg.svdvals(flat / torch.linalg.vector_norm(flat, dim=0))
    assert values[4] > 1e-3 * values[0]
    assert values[5] < 1e-6 * values[0]
    torch.testing.assert_close(paint(image, 1, 5), Z)
    assert not torch.equal(paint(image, 2, 5), Z)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_scenes_without_contrast_are_painted_too(value):
    assert torch.isfinite(paint(torch.full((1, 3, 4, 5), value), 0)).all()


def test_bands_are_moved_by_smooth_curves_of_the_wanted_size():
    """On a plane a shift d adds its slope times d, exactly: rows give one curve, columns the other."""
    rows, columns = torch.meshgrid(torch.arange(9.0), torch.arange(7.0), indexing="ij")
    curves = []
    for seed in range(200):
        moved = []
        for plane in (rows, columns):
            Z = plane.double().expand(1, 40, -1, -1)
            change = (displaced(Z, 0.2, generator(seed, "shift")) - Z)[0, :, 1:-1, 1:-1]
            torch.testing.assert_close(change, change[:, :1, :1].expand_as(change))
            moved.append(change[:, 0, 0])
        assert float((moved[0] - moved[1]).abs().max()) > 0
        curves.append(torch.stack(moved))
    every = torch.stack(curves)
    assert float(every.diff(dim=2).abs().max()) < 0.1 * float(every.abs().max())
    # the spread is even between 0 and the largest: its mean square is a third of the largest one's
    assert float(every.square().mean().sqrt()) == pytest.approx(0.2 / 3**0.5, rel=0.15)


def test_no_shift_changes_nothing():
    Z = torch.rand((1, 3, 5, 5), generator=generator(0, "Z"))
    torch.testing.assert_close(displaced(Z, 0.0, generator(0, "shift")), Z)


def test_sections_say_how_their_scenes_are_made(monkeypatch):
    monkeypatch.setattr(pairs_module, "make_dataset", lambda name, data=None, factor=None: MadeUp(factor))

    def truth(**section):
        return make_scene(PairPlan(ResidualData(dataset="made-up", **section), "a", 4, 0), 0)[0].Z

    plain, mixture, scene = truth(), truth(materials=4), truth(materials=4, maps="scene")
    torch.testing.assert_close(
        torch.linalg.vector_norm(scene, dim=1).mean(), torch.linalg.vector_norm(plain, dim=1).mean(), rtol=0.2, atol=0
    )
    shifted = truth(materials=4, maps="scene", shift_px=0.3)
    several = (plain, mixture, scene, shifted)
    assert all(not torch.equal(a, b) for i, a in enumerate(several) for b in several[:i])
