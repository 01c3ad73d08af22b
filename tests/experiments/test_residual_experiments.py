"""The experiments on residual mode: their trials share what they draw, their reports say the right numbers."""

import dataclasses
from types import SimpleNamespace

import pytest
import torch

from hsrdiff.evaluation import Row
from hsrdiff.experiments import base as base_module
from hsrdiff.experiments.base import fusion_trials
from hsrdiff.experiments.cave_x32 import BASE, OURS, CaveX32, fusers
from hsrdiff.experiments.residual_seeds import ResidualSeeds
from hsrdiff.experiments.residual_steps import DRAWS, ONE, SPREAD, WITHIN, ResidualSteps, _Shared, spread, variants
from hsrdiff.fusers import Bicubic, Fusion
from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse


def row(method, scene, psnr_db, rmse, seconds=1.0):
    return Row(method, scene, 32, psnr_db, 0.99, 3.0, 0.2, rmse, seconds, "R, D")


@pytest.fixture
def scene():
    Z = torch.rand((1, 5, 16, 16), generator=torch.Generator().manual_seed(0))
    observation = Observation(SpectralResponse(torch.full((1, 5), 0.2)), SpatialResponse.gaussian(4))
    X, Y = observation.observe(Z)
    return Scene(X=X, Y=Y, observation=observation, Z=Z)


def test_the_table_pairs_our_method_with_its_base():
    rows = {
        ("a", BASE): row(BASE, "a", 40.0, 0.010),
        ("a", OURS): row(OURS, "a", 41.0, 0.009),
        ("b", BASE): row(BASE, "b", 50.0, 0.004),
        ("b", OURS): row(OURS, "b", 49.9, 0.0042),
    }
    text = CaveX32().report(rows)
    assert f"| {OURS} | 45.45 | 0.9900 | 3.00 | 0.200 | 66.0 |" in text
    assert "| HSR-Diff, as published | 44.33 | 0.9951 | 3.71 | 0.179 |" in text
    assert "paired: mean 0.975, from 0.900 to 1.050; above 1 on 1 of 2 scenes." in text
    assert "| b | 50.00 | 49.90 | -0.10 | 1.050 |" in text


def test_the_steps_are_held_against_the_base():
    rows = {("a", "base"): row("base", "a", 40.0, 0.010), ("a", ONE): row(ONE, "a", 41.0, 0.0095)}
    assert "| 1 step | 41.00 | 3.000 | 0.2000 | 95.00 | 0.950 | 1.0 |" in ResidualSteps().report(rows)


def test_draws_of_the_truth_s_own_distribution_are_calibrated(scene):
    draw = torch.Generator().manual_seed(0)
    Z = torch.randn((1, 5, 64, 64), generator=draw)
    draws = torch.randn((DRAWS, 5, 64, 64), generator=draw)
    fusion = Fusion(draws.mean(dim=0, keepdim=True), draws.std(dim=0, keepdim=True))
    notes = spread("any", fusion, dataclasses.replace(scene, Z=Z))
    assert float(notes[SPREAD]) == pytest.approx(1.0, abs=0.02)
    one, two = map(float, notes[WITHIN].split())
    # an error over a deviation from eight draws has Student's distribution with seven degrees of freedom
    assert (one, two) == pytest.approx((65.0, 91.4), abs=1.0)
    half = dataclasses.replace(fusion, std=fusion.std / 2)
    assert float(spread("any", half, dataclasses.replace(scene, Z=Z))[SPREAD]) == pytest.approx(2.0, abs=0.04)
    assert spread("any", Fusion(fusion.Z_hat), scene) == {}
    rows = {
        ("a", "base"): row("base", "a", 40.0, 0.010),
        ("a", "draws"): dataclasses.replace(
            row("draws", "a", 41.0, 0.0095), notes={SPREAD: "1.254", WITHIN: "65.0 91.4"}
        ),
    }
    assert "| draws | a | 1.25 | 65.0 % | 91.4 % |" in ResidualSteps().report(rows)


def test_the_spread_of_the_seeds():
    rows = {}
    for k, psnr_db in enumerate((41.0, 41.2, 41.4)):
        rows["a", f"{OURS}, seed {k}"] = row(OURS, "a", psnr_db, 0.009 - 0.0005 * k)
    rows["a", BASE] = row(BASE, "a", 40.0, 0.010)
    text = ResidualSeeds().report(rows)
    assert f"| {BASE} | 40.00 | 0.9900 | 3.00 | 0.200 | 1.000 | 1.000 |" in text
    assert "| 41.20 ± 0.20 | 0.9900 ± 0.0000 | 3.00 ± 0.00 | 0.200 ± 0.000 | 0.850 ± 0.050 |" in text


def test_the_ways_to_sample_are_many_and_named_once():
    ways = list(variants("x"))
    assert len(ways) == len(set(ways)) == 3 + 3 * (6 + 5 + 5) + 2
    assert sum("100 steps" in way for way in ways) == 3
    assert list(fusers())[-3:-1] == [BASE, OURS]


def test_paired_methods_draw_alike(scene, monkeypatch):
    keys = []

    def keyed(seed, *names):
        keys.append(names)
        return torch.Generator()

    monkeypatch.setattr(base_module, "generator", keyed)
    for paired in (True, False):
        methods = {"one": Bicubic, "two": Bicubic}
        for trial in fusion_trials(("here",), lambda: scene, methods, 0, paired=paired):
            assert dataclasses.is_dataclass(trial.run())
    assert keys == [("fuse", "here")] * 2 + [("fuse", "one", "here"), ("fuse", "two", "here")]


def test_methods_that_come_one_by_one_look_at_a_scene_once(scene):
    made = []

    def make():
        made.append(scene)
        return scene

    digests, contents = {}, []
    for method in ("one", "two"):
        for label in ("a", "b"):
            (trial,) = fusion_trials((label,), make, {method: Bicubic}, 0, digests=digests)
            contents.append(trial.content())
    assert len(made) == 2  # once for each label, not for each method
    assert len(set(contents)) == 1  # both labels hold the same scene
    assert contents[0] == next(iter(fusion_trials(("c",), make, {"one": Bicubic}, 0))).content()


def test_all_ways_to_sample_share_the_evidence_of_a_scene(scene):
    gathered = []

    class Way:
        name, needs = "way", Bicubic.needs

        def gather(self, scene, *, generator):
            gathered.append(scene)
            return SimpleNamespace(scene=scene)

        def sample(self, evidence, *, generator):
            return Bicubic().fuse(evidence.scene, generator=generator)

    ways = {name: lambda: _Shared(Way()) for name in ("one", "two", "three")}
    for label in ("a", "b"):  # another scene is gathered anew
        made = dataclasses.replace(scene, X=scene.X.clone())
        for trial in fusion_trials((label,), lambda made=made: made, ways, 0, paired=True):
            trial.run()
    assert len(gathered) == 2
    _Shared.kept.clear()
