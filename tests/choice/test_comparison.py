"""The method that must win wins, equals go to the preferred, and the record says why."""

import dataclasses
import json
import math

import pytest
import torch

from hsrdiff.choice import PREFERRED, Choice, candidates, choose
from hsrdiff.choice.comparison import TIE, relative_error
from hsrdiff.errors import InvalidValueError, WeightsError
from hsrdiff.fusers import FUSERS, Bicubic, FuserEntry, Fusion, Needs, Regression, RegressionProjected
from hsrdiff.jobs.json_report import to_json
from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse

BANDS = 6
METHODS = {"regression-projected": RegressionProjected, "regression": Regression, "bicubic": Bicubic}


def observed(Z, *, told=None):
    """A pair of Z at factor 2; `told` is the response that methods are told, where it is another."""
    matrix = torch.rand((2, BANDS), generator=torch.Generator().manual_seed(7), dtype=torch.float64) + 0.1
    D = SpatialResponse.gaussian(2)
    X, Y = Observation(SpectralResponse(matrix), D).observe(Z)
    return Scene(X=X, Y=Y, observation=Observation(SpectralResponse(matrix if told is None else told), D))


def two_materials(size=64):
    """Rough mixtures of two spectra: linear in a guide of two bands."""
    g = torch.Generator().manual_seed(0)
    shares = torch.rand((1, 2, size, size), generator=g, dtype=torch.float64)
    return torch.einsum("nkhw,kb->nbhw", shares, torch.rand((2, BANDS), generator=g, dtype=torch.float64))


def smooth(size=64):
    rows, columns = torch.meshgrid(torch.arange(size) / 20.0, torch.arange(size) / 20.0, indexing="ij")
    return torch.stack([2.0 + torch.sin(rows + b) * torch.cos(columns - b) for b in range(BANDS)])[None].double()


def test_the_guide_is_used_where_it_explains_everything():
    choice = choose(observed(two_materials()), {"bicubic": Bicubic, "regression": Regression})
    assert choice.method == "regression"
    assert choice.runner_up == "bicubic"
    assert choice.loss > 1


def test_the_guide_is_left_alone_where_it_shows_something_else():
    scene = observed(smooth())
    noise = torch.rand(scene.X.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    choice = choose(dataclasses.replace(scene, X=noise), METHODS)
    assert choice.method == "bicubic"
    assert choice.errors[0][0] == "bicubic"


def test_a_method_that_is_told_a_wrong_response_loses():
    wrong = torch.rand((2, BANDS), generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    assert choose(observed(two_materials(), told=wrong), METHODS).method == "regression"


@dataclasses.dataclass
class Off:
    """A method that is off the truth by a share of it, both told by its test."""

    truth: torch.Tensor
    share: float
    name: str = "off"
    needs: Needs = dataclasses.field(default_factory=Needs)

    def fuse(self, scene, *, generator):
        assert scene.Z is None
        return Fusion(self.truth * (1.0 + self.share))


def off(scene, **shares):
    return {name: lambda share=share: Off(scene.Y, share) for name, share in shares.items()}


def test_equals_go_to_the_first_and_others_to_the_least():
    scene = observed(smooth())
    equal = choose(scene, off(scene, a=0.1005, b=0.1, c=0.2))
    assert (equal.method, equal.runner_up) == ("a", "b")
    assert equal.loss == pytest.approx(0.1 / 0.1005 - 1)
    assert [name for name, _ in equal.errors] == ["b", "a", "c"]
    assert dict(equal.errors)["c"] == pytest.approx(0.2, rel=1e-6)
    within, beyond = (
        choose(scene, off(scene, a=0.1 * (1 + apart), b=0.1, c=0.2)) for apart in (0.99 * TIE, 1.01 * TIE)
    )
    assert (within.method, within.runner_up) == ("a", "b")
    assert (beyond.method, beyond.runner_up) == ("b", "a")
    assert beyond.loss == pytest.approx(1.01 * TIE, rel=1e-3)


def test_masked_pixels_do_not_count():
    scene = observed(smooth())
    valid_lr = torch.ones((1, 1, 32, 32), dtype=torch.bool)
    valid_lr[..., :5, :] = False
    masked = dataclasses.replace(scene, valid_lr=valid_lr)
    worse = scene.Y.clone()
    worse[..., :5, :] = 1e3
    methods = {"a": lambda: Off(worse, 0.0), "b": lambda: Off(scene.Y, 0.1)}
    assert choose(masked, methods).method == "a"
    assert choose(scene, methods).method == "b"


def test_what_cannot_be_compared_is_named_and_left_out():
    class Broken(Off):
        def fuse(self, scene, *, generator):
            raise InvalidValueError("nothing to see")

    scene = observed(smooth())
    methods = {"broken": lambda: Broken(scene.Y, 0.0), "void": lambda: Off(scene.Y * math.nan, 0.0)}
    choice = choose(scene, methods | off(scene, good=0.3))
    assert choice.method == "good"
    assert choice.failed == {"broken": "nothing to see.", "void": "its result has pixels without a number"}
    assert "broken: nothing to see." in choice.record()["hsrdiff_auto_failed"]
    none = choose(scene, methods)
    assert (none.method, none.errors) == ("broken", ())
    assert "no method could be compared" in none.record()["hsrdiff_auto"]


def test_too_small_a_pair_falls_back_and_says_so():
    scene = observed(smooth(28))
    choice = choose(scene, METHODS)
    assert choice == Choice(
        "regression-projected", remarks=("the degraded pair would have fewer than 64 valid pixels",)
    )
    assert choice.record() == {
        "hsrdiff_auto": "regression-projected; nothing was compared: the degraded pair would have fewer than 64 valid "
        "pixels"
    }
    assert choose(scene, METHODS, fallback="bicubic").method == "bicubic"


def test_the_same_pair_and_seed_give_the_same_choice():
    scene = observed(two_materials(48))
    methods = {name: make for name, make in candidates().items() if name in ("kriging", "regression")}
    one, two = choose(scene, methods, seed=3), choose(scene, methods, seed=3)
    assert one == two
    assert set(dict(one.errors)) == {"kriging", "regression"}


def test_the_record_and_the_report_by_hand():
    errors = (("kriging", 0.01), ("regression", 0.0123), ("bicubic", 0.2))
    choice = Choice("kriging", errors, "regression", 0.23, 4, 144)
    assert choice.record() == {
        "hsrdiff_auto": "kriging, the least error of 3 methods on the pair degraded by 4 once more (144 coarse pixels)",
        "hsrdiff_auto_errors": "kriging 1 %, regression 1.23 %, bicubic 20 %",
        "hsrdiff_auto_runner_up": "regression, estimated to lose 23 %",
    }
    tied = dataclasses.replace(
        choice, method="regression", runner_up="kriging", loss=-0.1, tie=0.17, remarks=("a part",)
    )
    assert tied.record()["hsrdiff_auto"].startswith(
        "regression, first in order of those within 17 % of the least error, that of kriging, of 3 methods on the pair"
    )
    assert tied.record()["hsrdiff_auto"].endswith("(144 coarse pixels); a part")
    assert tied.record()["hsrdiff_auto_runner_up"] == (
        "kriging, than which regression has 11 % more error there, too little to tell"
    )
    near = dataclasses.replace(choice, loss=0.1, tie=0.17)
    assert near.record()["hsrdiff_auto_runner_up"] == ("regression, estimated to lose 10 %, too little to tell")
    report = json.loads(to_json(choice.as_dict()))
    assert report["method"] == "kriging"
    assert report["errors"] == dict(errors)
    assert report["loss"] == 0.23


def test_relative_error_by_hand():
    truth = torch.tensor([[[[2.0, 2.0]], [[10.0, 10.0]], [[0.0, 0.0]]]])
    estimate = torch.tensor([[[[2.2, 1.8]], [[14.0, 6.0]], [[0.0, 0.0]]]])
    counted = torch.ones((1, 1, 1, 2), dtype=torch.bool)
    # 10 % and 40 %; the empty band is neither right nor wrong
    by_hand = (0.1 * 0.4 * 1.0) ** (1 / 3)
    assert relative_error(estimate, truth, counted) == pytest.approx(by_hand, rel=1e-5)
    assert relative_error(7 * estimate, 7 * truth, counted) == pytest.approx(by_hand, rel=1e-5)
    estimate[..., 1] = torch.nan
    assert math.isnan(relative_error(estimate, truth, counted))
    counted[..., 1] = False
    assert relative_error(estimate[:, :2], truth[:, :2], counted) == pytest.approx(0.2, rel=1e-5)


def test_candidates_are_the_catalogs_in_the_preferred_order(monkeypatch):
    found = candidates()
    assert list(found) == [name for name in PREFERRED if name in FUSERS]
    assert {"kriging", "regression-projected", "regression", "bicubic"} <= set(found)
    assert all(make().name == name for name, make in found.items())
    assert not found["kriging"]().std
    assert list(candidates({"hsr-diff": Bicubic}))[-1] == "hsr-diff"

    def without_weights():
        raise WeightsError("no weights")

    monkeypatch.setitem(FUSERS, "kriging", FuserEntry(without_weights, "", ""))
    assert "kriging" not in candidates()
