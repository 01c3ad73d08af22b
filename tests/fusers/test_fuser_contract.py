"""What every fuser of the catalog keeps to."""

import dataclasses

import pytest
import torch
from fuser_scenes import small_scene

from hsrdiff.errors import FactorError, InputError, InvalidValueError
from hsrdiff.fusers import FUSERS, make_fuser
from hsrdiff.fusers.masking import output_mask
from hsrdiff.networks.competitors import COMPETITORS


@pytest.fixture(params=FUSERS)
def make(request, weights, kernel_weights, residual_weights, competitor_weights):
    """Return a function msi_bands -> the fuser, with what its constructor needs."""

    # what a method is made with, where it needs anything: a new one with weights has a line here
    needed = {name: lambda b, name=name: {"weights": competitor_weights(name, b)} for name in COMPETITORS}
    needed |= {
        "ual": lambda b: {"weights": competitor_weights("ual", b), "steps": 2},
        "hsr-diff": lambda b: {"weights": weights(b), "steps": 3},
        "regression-cdformer": lambda b: {"weights": weights(b, "regression-cdformer")},
        "kriging-learned": lambda b: {"weights": kernel_weights},
        "hsr-diff-residual": lambda b: {"weights": residual_weights(), "base": kernel_weights},
    }

    def build(msi_bands=3):
        return make_fuser(request.param, **needed.get(request.param, lambda b: {})(msi_bands))

    build.name, build.trained = request.param, request.param in needed
    return build


def fuse(fuser, scene, seed=5):
    return fuser.fuse(scene, generator=torch.Generator().manual_seed(seed))


def masked_scene(hidden):
    """Return a scene whose masked pixels of X and Y hold the value `hidden`."""
    scene = small_scene()
    valid = torch.ones((1, 1, 16, 24), dtype=torch.bool)
    valid[..., 2, 7] = False
    valid[..., 8:, 20:] = False
    valid_lr = torch.ones((1, 1, 4, 6), dtype=torch.bool)
    valid_lr[..., 0, 0] = False
    valid_lr[..., 2, 3] = False
    value = torch.full((), hidden)
    return dataclasses.replace(
        scene,
        X=torch.where(valid, scene.X, value),
        Y=torch.where(valid_lr, scene.Y, value),
        valid=valid,
        valid_lr=valid_lr,
    )


def test_entry_describes_itself(make):
    entry, fuser = FUSERS[make.name], make()
    assert fuser.name == make.name
    assert entry.summary
    assert entry.citation
    assert str(fuser.needs)
    assert fuser.needs.weights == make.trained


@pytest.mark.parametrize("msi_bands", [1, 3])
@pytest.mark.parametrize("size", [(16, 24), (12, 20)])
def test_shape_type_and_finite_for_any_guide_and_size(make, msi_bands, size):
    scene = small_scene(msi_bands, *size)
    fuser = make(msi_bands)
    if FUSERS[make.name].std:
        fuser.std = True  # some do it only where it is asked for
    fusion = fuse(fuser, scene)
    assert fusion.Z_hat.shape == (1, 6, *size)
    assert fusion.Z_hat.dtype == scene.Y.dtype
    assert torch.isfinite(fusion.Z_hat).all()
    assert not fusion.Z_hat.requires_grad
    assert FUSERS[make.name].std == (fusion.std is not None)
    assert fusion.std is None or fusion.std.shape == fusion.Z_hat.shape


def test_same_generator_state_same_result_and_global_state_untouched(make):
    scene, fuser = small_scene(), make()
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = fuse(fuser, scene)
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(2)
    assert torch.equal(first.Z_hat, fuse(fuser, scene).Z_hat)


def test_inputs_untouched(make):
    scene = masked_scene(float("nan"))
    kept = {f.name: getattr(scene, f.name) for f in dataclasses.fields(scene)}
    copies = {name: value.clone() for name, value in kept.items() if isinstance(value, torch.Tensor)}
    fuse(make(), scene)
    for name, copy in copies.items():
        torch.testing.assert_close(kept[name], copy, rtol=0, atol=0, equal_nan=True)


def test_the_truth_is_never_looked_at(make):
    scene, fuser = small_scene(), make()
    blind = fuse(fuser, dataclasses.replace(scene, Z=None)).Z_hat
    assert torch.equal(blind, fuse(fuser, dataclasses.replace(scene, Z=1 - scene.Z)).Z_hat)


def test_masked_values_have_no_influence_and_come_out_as_nan(make):
    scene, fuser = masked_scene(float("nan")), make()
    result = fuse(fuser, scene).Z_hat
    mask = output_mask(scene).expand_as(result)
    assert mask[0, 0].sum() == 16 * 24 - 16 - 16 - 1 - 8 * 4
    assert torch.isnan(result[~mask]).all()
    assert torch.isfinite(result[mask]).all()
    for hidden in (1e6, -3.0, float("inf")):
        other = fuse(fuser, masked_scene(hidden)).Z_hat
        torch.testing.assert_close(other, result, rtol=0, atol=0, equal_nan=True)


def test_full_masks_change_nothing(make):
    scene, fuser = small_scene(), make()
    full = dataclasses.replace(
        scene,
        valid=torch.ones_like(scene.X[:, :1], dtype=torch.bool),
        valid_lr=torch.ones_like(scene.Y[:, :1], dtype=torch.bool),
    )
    assert torch.equal(fuse(fuser, scene).Z_hat, fuse(fuser, full).Z_hat)


def test_scenes_that_do_not_fit_together_are_refused(make):
    scene, fuser = small_scene(), make()
    with pytest.raises(FactorError):
        fuse(fuser, dataclasses.replace(scene, X=scene.X[..., :-1], Z=None))
    broken = scene.Y.clone()
    broken[0, 0, 0, 0] = torch.nan
    with pytest.raises(InvalidValueError):
        fuse(fuser, dataclasses.replace(scene, Y=broken))


def test_what_is_needed_is_asked_for_and_nothing_else(make):
    scene, fuser = dataclasses.replace(small_scene(), observation=None), make()
    if fuser.needs.psf or fuser.needs.response:
        with pytest.raises(InputError, match=f"'{make.name}' needs"):
            fuse(fuser, scene)
    else:
        assert torch.isfinite(fuse(fuser, scene).Z_hat).all()


def test_unknown_names_and_options_are_answered_with_the_nearest(make):
    with pytest.raises(InputError, match="has no option 'ridgee'"):
        make_fuser(make.name, ridgee=1)
    with pytest.raises(InputError, match="use 'ridge' if"):
        make_fuser("regression", ridgee=1)
    with pytest.raises(InputError, match="use 'bicubic' if"):
        make_fuser("bicubik")
    with pytest.raises(InputError, match="needs the option 'weights'"):
        make_fuser("hsr-diff", steps=3)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("regression", {"ridge": "much"}),
        ("hsr-diff", {"steps": "many"}),
        ("hsr-diff", {"device": "abacus"}),
    ],
)
def test_a_value_that_no_constructor_takes_is_named_in_a_sentence(weights, name, options):
    needed = {"weights": weights()} if name == "hsr-diff" else {}
    ((option, value),) = options.items()
    with pytest.raises(InputError) as caught:
        make_fuser(name, **needed, **options)
    assert f"{option}={value!r}" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [0, -1, 1.5, float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("name", "option"), [("hsr-diff", "steps"), ("hsr-diff-residual", "samples"), ("kriging", "landmarks")]
)
def test_what_is_no_whole_number_of_at_least_one_is_refused(weights, name, option, value):
    needed = {"weights": weights()} if name == "hsr-diff" else {}
    with pytest.raises(InputError, match=f"{option} {value}; expected a whole number of at least 1"):
        make_fuser(name, **needed, **{option: value})
