"""Rows: the truth stays hidden, the score is that of the masked images, the mean is a mean, text round trips."""

import csv
import dataclasses
import io
import json
import math

import numpy as np
import pytest
import torch

from hsrdiff.cubes import as_cube
from hsrdiff.datasets import DATASETS
from hsrdiff.errors import InputError
from hsrdiff.evaluation import (
    PUBLISHED,
    PublishedRow,
    Row,
    evaluate_fuser,
    mean_row,
    simulate_scene,
    to_csv,
    to_json,
    to_markdown,
)
from hsrdiff.fusers import Bicubic, Fusion, Needs, Regression
from hsrdiff.metrics import score
from hsrdiff.observation import Observation, SpatialResponse, SpectralResponse

OBSERVATION = Observation(SpectralResponse(np.array([[0.5, 0.5, 0.0], [0.0, 0.25, 0.75]])), SpatialResponse.gaussian(4))


@pytest.fixture
def scene():
    values = np.random.default_rng(0).random((3, 32, 32)) * 0.8 + 0.1
    return simulate_scene(as_cube(values.astype(np.float32)), OBSERVATION, name="made up")


class Answer:
    """A fuser that returns a given image and keeps the scene it was shown."""

    name = "answer"
    needs = Needs(psf=True, weights=True)

    def __init__(self, Z_hat):
        self.Z_hat = Z_hat

    def fuse(self, scene, *, generator):
        self.shown = scene
        return Fusion(self.Z_hat, notes={"topic": "text"})


def test_the_truth_is_not_shown_to_the_fuser(scene):
    fuser = Answer(scene.Z)
    row, _ = evaluate_fuser(fuser, scene, generator=torch.Generator())
    assert fuser.shown.Z is None
    assert fuser.shown.X is scene.X
    assert row.rmse == 0.0
    assert row.sam_deg == pytest.approx(0.0, abs=1e-5)
    assert (row.method, row.scene, row.factor) == ("answer", "made up", 4)
    assert row.told == "D, training data"
    assert row.notes == {"topic": "text"}


def test_psnr_by_hand(scene):
    # a constant error of 0.1 in every band is 20 dB
    row, _ = evaluate_fuser(Answer(scene.Z.clamp(0.1, 0.9) - 0.1), scene, generator=torch.Generator())
    assert row.psnr_db == pytest.approx(20.0, abs=1e-4)
    assert row.rmse == pytest.approx(0.1, abs=1e-6)


def test_row_is_the_score_with_its_convention(scene):
    row, fusion = evaluate_fuser(Regression(), scene, generator=torch.Generator())
    direct = score(fusion.Z_hat, scene.Z, factor=4)
    for metric in ("psnr_db", "ssim", "sam_deg", "ergas", "rmse", "valid_share"):
        assert getattr(row, metric) == getattr(direct, metric)
    assert row.convention == direct.protocol
    assert row.seconds > 0


def test_masked_pixels_do_not_count(scene):
    cube = as_cube(scene.Z[0].numpy().copy())
    cube[:, 3, 3] = np.nan
    masked = simulate_scene(cube, OBSERVATION)
    row, fusion = evaluate_fuser(Bicubic(), masked, generator=torch.Generator())
    assert torch.isnan(fusion.Z_hat).any()
    assert math.isfinite(row.psnr_db)
    assert math.isfinite(row.ergas)
    assert row.valid_share == pytest.approx(float(torch.isfinite(fusion.Z_hat).double().mean()))
    assert mean_row([row, dataclasses.replace(row, valid_share=1.0)]).valid_share > row.valid_share


def test_without_truth_there_is_no_score(scene):
    with pytest.raises(InputError, match="no known Z"):
        evaluate_fuser(Bicubic(), dataclasses.replace(scene, Z=None), generator=torch.Generator())


def rows():
    common = {"method": "m", "factor": 4, "told": "D", "convention": "peak 1"}
    return [
        Row(scene="a", psnr_db=30, ssim=0.9, sam_deg=2, ergas=1, rmse=0.03, seconds=1, notes={"k": "v"}, **common),
        Row(
            scene="b",
            psnr_db=40,
            ssim=0.7,
            sam_deg=4,
            ergas=3,
            rmse=0.01,
            seconds=3,
            notes={"k": "v", "j": "w"},
            **common,
        ),
    ]


def test_mean_by_hand():
    mean = mean_row(rows())
    assert (mean.scene, mean.method, mean.factor) == ("mean of 2", "m", 4)
    found = [mean.psnr_db, mean.ssim, mean.sam_deg, mean.ergas, mean.rmse, mean.seconds]
    assert found == pytest.approx([35, 0.8, 3, 2, 0.02, 2])
    assert mean.notes == {"k": "v"}


def test_mean_of_unlike_rows_is_refused():
    first, second = rows()
    for change in ({"method": "n"}, {"factor": 8}, {"convention": "peak 255"}):
        with pytest.raises(InputError, match="different"):
            mean_row([first, dataclasses.replace(second, **change)])
    with pytest.raises(InputError, match="no row"):
        mean_row([])


def test_json_and_csv_keep_every_number():
    exact = dataclasses.replace(rows()[0], psnr_db=math.inf, ssim=1 / 3)
    loaded = json.loads(to_json([exact, rows()[1]]))
    assert loaded[0]["psnr_db"] is None
    assert loaded[0]["ssim"] == 1 / 3
    assert Row(**loaded[1]) == rows()[1]
    table = list(csv.DictReader(io.StringIO(to_csv([exact, rows()[1]]))))
    assert float(table[0]["ssim"]) == 1 / 3
    assert table[1]["notes"] == "k: v; j: w"


def test_markdown_has_ours_then_the_papers_then_the_convention():
    published = PublishedRow("Theirs", 44.33, 0.9951, 3.71, 0.179)
    ours = [dataclasses.replace(rows()[0], valid_share=0.97599), rows()[1]]
    lines = to_markdown([*ours, dataclasses.replace(mean_row(rows()), seconds=math.nan)], [published]).splitlines()
    assert lines[0].startswith("| method | scene | PSNR dB")
    assert lines[2] == "| m | a | 30.00 | 0.9000 | 2.00 | 1.000 | 0.0300 | 1.0 | D |"
    assert lines[4] == "| m | mean of 2 | 35.00 | 0.8000 | 3.00 | 2.000 | 0.0200 |  | D |"
    assert lines[5] == "| Theirs | paper, Table 1 | 44.33 | 0.9951 | 3.71 | 0.179 |  |  |  |"
    assert lines[6:] == ["", "peak 1; 97.5 % of pixels valid"]
    assert len({line.count("|") for line in lines[:6]}) == 1


def test_published_numbers_belong_to_data_sets_and_rank_as_in_the_paper():
    assert set(PUBLISHED) <= set(DATASETS)
    for table in PUBLISHED.values():
        best = max(table, key=lambda row: row.psnr_db)
        assert best.method == "HSR-Diff"
        assert best.sam_deg == min(row.sam_deg for row in table)
