"""Blocks: the windows cover a scene once, what is local comes out as of the whole, masks and draws hold."""

import dataclasses

import pytest
import torch
from fuser_scenes import BANDS, FACTOR, small_scene

from hsrdiff.errors import InputError, InvalidValueError
from hsrdiff.fusers import Bicubic, Fusion, Needs, RegressionProjected, make_fuser
from hsrdiff.fusers.blocks import HALO, LEAST_CORE, Blocks, fuse_blocks
from hsrdiff.fusers.masking import mask_output, output_mask
from hsrdiff.fusers.spans import spans
from hsrdiff.observation import SpatialResponse
from hsrdiff.rng import generator


@pytest.fixture(scope="module")
def scene():
    return small_scene(3, 4 * 90, 4 * 70)


def draws():
    return generator(0, "blocks")


class Local:
    """A method whose result depends on X of the pixel alone, with a number of its own for each block."""

    name, needs = "local", Needs()

    def __init__(self, drawn=0.0):
        self.drawn, self.sizes, self.draws = drawn, [], []

    def fuse(self, scene, *, generator):
        self.sizes.append(tuple(scene.Y.shape[-2:]))
        own = self.drawn * float(torch.rand((), generator=generator))
        self.draws.append(own)
        Z = torch.cat([scene.X, scene.X**2], dim=1) + own
        return Fusion(mask_output(Z, output_mask(scene)), mask_output(2 * Z, output_mask(scene)), {"own": f"{own:.6f}"})


@pytest.mark.parametrize(("halo", "margin"), [(4, 0), (8, 2), (3, 5), (6, 10)])
@pytest.mark.parametrize("length", [1, 40, 77, 131, 400])
def test_what_the_windows_count_for_adds_up_to_one(length, halo, margin):
    total = torch.zeros(length * 3, dtype=torch.float64)
    parts = spans(length, 32, halo, margin)
    for span in parts:
        weights = span.weights(3)
        total[span.window[0] * 3 : span.window[1] * 3] += weights
        if span.window[0] > 0:
            assert (weights[: margin * 3] == 0).all()
        if span.window[1] < length:
            assert (weights[len(weights) - margin * 3 :] == 0).all()
    assert total == pytest.approx(torch.ones_like(total))
    assert [span.own[0] for span in parts] == [0, *(span.own[1] for span in parts[:-1])]
    assert parts[-1].own[1] == length


def test_a_block_is_as_large_as_asked_and_never_too_small(scene):
    assert len(Blocks.of(scene, 1)) == len(Blocks.of(scene, LEAST_CORE * FACTOR)) == 3 * 3
    assert len(Blocks.of(scene, 60 * FACTOR)) == 2 * 1
    assert len(Blocks.of(scene)) == 1  # such a scene is one block
    assert "3 x 3 blocks of up to 120 x 96 fine pixels" in Blocks.of(scene, 1).describe()


def test_the_margin_is_what_the_psf_reaches(scene):
    wide = dataclasses.replace(
        scene.observation, spatial=SpatialResponse.gaussian(FACTOR, size=FACTOR + 2 * 4 * FACTOR)
    )
    blocks = Blocks.of(dataclasses.replace(scene, observation=wide), 1)
    assert blocks.rows[0].margin == 5
    assert blocks.rows[0].window[1] - blocks.rows[0].own[1] == HALO + 5


def test_a_wide_psf_has_larger_blocks_and_one_that_goes_round_none(scene):
    tall = small_scene(1, 4 * 300, 8)
    spatial = SpatialResponse.gaussian(FACTOR, size=FACTOR + 2 * 30 * FACTOR)
    wide = dataclasses.replace(tall, observation=dataclasses.replace(tall.observation, spatial=spatial))
    rows = Blocks.of(wide, 1).rows
    assert len(rows) > 1
    total = torch.zeros(1200, dtype=torch.float64)
    for span in rows:
        total[span.window[0] * 4 : span.window[1] * 4] += span.weights(4)
    assert total == pytest.approx(torch.ones_like(total))
    circular = SpatialResponse.gaussian(FACTOR, border="circular")
    with pytest.raises(InputError, match="joins opposite edges"):
        Blocks.of(dataclasses.replace(tall, observation=dataclasses.replace(tall.observation, spatial=circular)))


def test_what_depends_on_a_pixel_alone_is_as_of_the_whole(scene):
    valid, valid_lr = torch.ones_like(scene.X[:, :1], dtype=torch.bool), torch.ones_like(scene.Y[:, :1]).bool()
    valid[..., 50:90, 20:200] = False
    valid_lr[..., 30:35, 40:50] = False
    masked = dataclasses.replace(scene, valid=valid, valid_lr=valid_lr)
    for given in (scene, masked):
        whole = Local().fuse(given, generator=draws())
        cut = fuse_blocks(Local(), given, Blocks.of(given, 1), generator=draws())
        torch.testing.assert_close(cut.Z_hat, whole.Z_hat, equal_nan=True)
        torch.testing.assert_close(cut.std, whole.std, equal_nan=True)
        assert cut.notes == {"own": "0.000000"}


def test_the_result_stays_consistent_and_as_good(scene):
    fuser, observation = RegressionProjected(), scene.observation
    whole = fuser.fuse(scene, generator=draws()).Z_hat
    cut = fuse_blocks(fuser, scene, Blocks.of(scene, 1), generator=draws()).Z_hat
    of_x, of_y = observation.residuals(cut.double(), scene.X.double(), scene.Y.double())
    assert of_x < 1e-6
    assert of_y < 1e-4  # where two blocks fade
    assert (cut - scene.Z).square().mean() < 1.2 * (whole - scene.Z).square().mean()


def test_away_from_the_cuts_a_block_is_the_method_on_that_part(scene):
    blocks = Blocks.of(scene, 1)
    cut = fuse_blocks(Bicubic(), scene, blocks, generator=draws()).Z_hat
    whole = Bicubic().fuse(scene, generator=draws()).Z_hat
    torch.testing.assert_close(cut, whole)  # its kernel reaches no further than the margin


def test_what_a_block_draws_depends_on_its_place_alone(scene):
    def drawn(given, seed=0):
        fuser = Local(1.0)
        fuse_blocks(fuser, given, Blocks.of(given, 1), generator=generator(seed, "blocks"))
        return fuser.draws

    every = drawn(scene)
    assert len(set(every)) == 9
    valid = torch.ones_like(scene.X[:, :1], dtype=torch.bool)
    valid[..., : 4 * 45, :] = False  # the upper three are not fused
    assert drawn(dataclasses.replace(scene, valid=valid)) == every[3:]
    assert not set(drawn(scene, seed=1)) & set(every)
    notes = fuse_blocks(Local(1.0), scene, Blocks.of(scene, 1), generator=draws()).notes
    assert notes["own"] == f"{every[0]:.6f} (one of 9 blocks; others differ)"


def test_a_block_without_a_valid_pixel_is_left_out(scene):
    valid = torch.ones_like(scene.X[:, :1], dtype=torch.bool)
    valid[..., : 4 * 45, :] = False
    masked, fuser, done = dataclasses.replace(scene, valid=valid), Local(), []
    fusion = fuse_blocks(fuser, masked, Blocks.of(masked, 1), generator=draws(), on_block=lambda *at: done.append(at))
    assert len(fuser.sizes) == 6  # the upper row of three is out
    assert done[-1] == (9, 9)
    assert torch.isnan(fusion.Z_hat[..., : 4 * 45, :]).all()
    assert torch.isfinite(fusion.Z_hat[..., 4 * 45 :, :]).all()


def test_a_block_with_few_valid_pixels_looks_further(scene):
    valid_lr = torch.zeros_like(scene.Y[:, :1], dtype=torch.bool)
    valid_lr[..., :4, :4] = True
    valid_lr[..., 60:, :] = True
    masked, fuser = dataclasses.replace(scene, valid_lr=valid_lr), Local()
    fusion = fuse_blocks(fuser, masked, Blocks.of(masked, 1), generator=draws())
    assert fuser.sizes[0] == (72, 65)  # no more than it takes
    torch.testing.assert_close(fusion.Z_hat, Local().fuse(masked, generator=draws()).Z_hat, equal_nan=True)
    # a method still says what it says where the whole has too little
    valid_lr[..., 60:, :] = False
    nothing = dataclasses.replace(masked, valid=~valid_lr.repeat_interleave(4, -1).repeat_interleave(4, -2))
    nothing.valid[..., 0, 0] = True  # a fine pixel of a coarse one
    with pytest.raises(InvalidValueError, match="overlap"):
        fuse_blocks(RegressionProjected(), nothing, Blocks.of(nothing, 1), generator=draws())


@pytest.mark.parametrize("method", ["regression", "regression-projected", "kriging"])
@pytest.mark.parametrize("level", [0.0, 0.3])
def test_a_block_that_shows_nothing_is_what_it_shows(method, level):
    scene = small_scene(3, 4 * 60, 4 * 16)
    Z = scene.Z.clone()
    Z[..., : 4 * 45, :] = level  # still water, or fill that the file does not declare
    X, Y = scene.observation.observe(Z)
    flat = dataclasses.replace(scene, X=X, Y=Y, Z=None)
    blocks = Blocks.of(flat, 1)
    assert len(blocks) == 2
    cut = fuse_blocks(make_fuser(method), flat, blocks, generator=draws())
    assert torch.isfinite(cut.Z_hat).all()
    torch.testing.assert_close(cut.Z_hat[..., : 4 * 20, :], Z[..., : 4 * 20, :], rtol=0, atol=1e-3)


def test_each_block_is_finished_before_it_takes_its_place(scene):
    def halved(fusion, part):
        assert part.Y.shape[-2] < 90
        return dataclasses.replace(fusion, Z_hat=fusion.Z_hat / 2)

    cut = fuse_blocks(Local(), scene, Blocks.of(scene, 1), generator=draws(), finish=halved)
    torch.testing.assert_close(cut.Z_hat, Local().fuse(scene, generator=draws()).Z_hat / 2)


def test_the_result_is_put_together_where_it_is_told(scene):
    made = []

    def canvas(shape):
        made.append(torch.zeros(shape))
        return made[-1]

    cut = fuse_blocks(Local(), scene, Blocks.of(scene, 1), generator=draws(), canvas=canvas)
    assert cut.Z_hat is made[0]
    assert cut.std is made[1]
    assert made[0].shape == (1, BANDS, 360, 280)
