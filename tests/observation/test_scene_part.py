"""The part of a scene that estimates are made on: the middle, or where the masks leave most."""

import dataclasses

import pytest
import torch

from hsrdiff.observation import Scene, SpatialResponse, scene_part
from hsrdiff.observation.scene_part import estimated_part, most_seen


@pytest.fixture(autouse=True)
def few_pixels_are_enough(monkeypatch):
    monkeypatch.setattr(scene_part, "_FEW", 4)


D = SpatialResponse.gaussian(2)  # reaches one LR pixel further


def scene(**masks):
    Y = torch.arange(24.0 * 18).reshape(1, 1, 24, 18)
    return Scene(X=Y.repeat_interleave(2, -1).repeat_interleave(2, -2), Y=Y, **masks)


def test_a_scene_that_is_no_larger_stays_as_it_is():
    whole = scene()
    assert estimated_part(whole, D, 24) is whole


def test_the_middle_of_a_scene_without_masks():
    part = estimated_part(scene(), D, 10)
    torch.testing.assert_close(part.Y, scene().Y[..., 7:17, 4:14])
    torch.testing.assert_close(part.X, scene().X[..., 14:34, 8:28])


def test_the_place_with_the_most_pixels_that_both_see():
    valid_lr = torch.zeros((1, 1, 24, 18), dtype=torch.bool)
    valid_lr[..., 12:, :9] = True
    assert estimated_part(scene(valid_lr=valid_lr), D, 10).Y[0, 0, 0, 0] == 9 * 18 + 2  # off its edge all count
    valid = torch.ones((1, 1, 48, 36), dtype=torch.bool)
    valid[..., :20, :] = False
    part = estimated_part(scene(valid=valid), D, 10)
    assert part.Y[0, 0, 0, 0] == 7 * 18 + 4
    assert not part.valid.all()
    assert part.valid[part.valid_lr.repeat_interleave(2, -1).repeat_interleave(2, -2)].all()


def test_a_side_that_is_longer_than_the_image_is_cut_to_it():
    assert most_seen(torch.ones((5, 40), dtype=torch.bool), 10) == (slice(0, 5), slice(15, 25), 50)
    assert most_seen(torch.ones((5, 40), dtype=torch.bool), 10, 2) == (slice(0, 5), slice(15, 25), 30)


def test_pixels_that_see_beyond_the_part_do_not_count():
    whole = scene()
    seen = dataclasses.replace(whole, Y=D.apply(whole.X))
    part = estimated_part(seen, D, 16)
    assert part.Y.shape[-2:] == (16, 16)
    apart = (D.apply(part.X) - part.Y).abs()[0, 0]
    assert apart.max() > 0.1  # the part's own border is mirrored
    assert apart[part.valid_lr[0, 0]].max() < 1e-4
    assert int(part.valid_lr.sum()) == (16 - 6) * (16 - 6)
    # an edge of the image is none of the part
    left = dataclasses.replace(seen, X=seen.X[..., :32], Y=seen.Y[..., :16])
    assert int(estimated_part(left, D, 16).valid_lr.sum()) == (16 - 6) * 16


def test_a_small_area_in_much_that_is_not_seen_is_found_wherever_it_is():
    Y = torch.arange(80.0 * 80).reshape(1, 1, 80, 80)
    X = Y.repeat_interleave(2, -1).repeat_interleave(2, -2)
    for top, left in ((18, 18), (61, 3), (40, 50)):
        valid_lr = torch.zeros((1, 1, 80, 80), dtype=torch.bool)
        valid_lr[..., top : top + 8, left : left + 8] = True
        part = estimated_part(Scene(X=X, Y=Y, valid_lr=valid_lr), D, 16)
        assert int(part.valid_lr.sum()) == 64
        assert part.Y[part.valid_lr].min() == 80 * top + left
    # what no part holds enough of is taken as a whole
    valid_lr = torch.zeros((1, 1, 80, 80), dtype=torch.bool)
    valid_lr[..., ::12, ::12] = True
    thin = Scene(X=X, Y=Y, valid_lr=valid_lr)
    assert estimated_part(thin, D, 16) is thin
