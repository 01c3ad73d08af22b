"""`benchmark`: rows, their means, and going on behind an interruption."""

import json
from pathlib import Path

import pytest
from job_scenes import material_cube

from hsrdiff import write_cube
from hsrdiff.datasets import IndianPines
from hsrdiff.errors import InputError
from hsrdiff.evaluation import Row
from hsrdiff.jobs.benchmark import benchmark

pytest.importorskip("tensorly")


def test_rows_and_means_of_a_named_data_set(tmp_path: Path) -> None:
    seen: list[Row] = []
    result = benchmark("indian-pines", ["bicubic", "regression"], out=tmp_path, on_row=seen.append)
    assert [(r.method, r.scene) for r in result.rows] == [
        ("bicubic", "indian-pines/northeast"),
        ("regression", "indian-pines/northeast"),
    ]
    bicubic, regression = result.means
    assert regression.psnr_db > bicubic.psnr_db + 5
    assert regression.sam_deg < bicubic.sam_deg
    assert len(seen) == 2
    for name in ("rows.jsonl", "rows.csv", "table.md"):
        assert (tmp_path / name).stat().st_size > 0
    assert "| regression | mean of 1 |" in (tmp_path / "table.md").read_text()


def test_a_run_goes_on_behind_its_rows(tmp_path: Path) -> None:
    """A kept row is returned as it stands; a line cut off by an interruption is computed again."""
    first = benchmark("indian-pines", ["bicubic"], out=tmp_path)
    path = tmp_path / "rows.jsonl"
    entry = json.loads(path.read_text())
    entry["row"]["psnr_db"] = 12.5
    path.write_text(json.dumps(entry) + "\n")
    assert benchmark("indian-pines", ["bicubic"], out=tmp_path).rows[0].psnr_db == 12.5
    path.write_text(json.dumps(entry)[:40])
    assert benchmark("indian-pines", ["bicubic"], out=tmp_path).rows[0].psnr_db == first.rows[0].psnr_db
    # the row went to a line of its own
    assert json.loads(path.read_text().splitlines()[-1])["row"]["psnr_db"] == first.rows[0].psnr_db


def test_rows_of_other_data_under_the_same_name_are_not_reused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = benchmark("indian-pines", ["bicubic"], out=tmp_path).rows[0]
    load = IndianPines.load
    monkeypatch.setattr(IndianPines, "load", lambda self, scene: load(self, scene) * 0.5)
    other = benchmark("indian-pines", ["bicubic"], out=tmp_path).rows[0]
    assert other.rmse == pytest.approx(0.5 * first.rmse, rel=1e-3)
    monkeypatch.undo()
    assert benchmark("indian-pines", ["bicubic"], out=tmp_path).rows[0] == first
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 2


def test_a_method_whose_file_has_changed_is_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    benchmark("indian-pines", ["bicubic"], out=tmp_path)
    (tmp_path / "changed.py").write_text("# another bicubic")
    monkeypatch.setattr("inspect.getfile", lambda kind: str(tmp_path / "changed.py"))
    benchmark("indian-pines", ["bicubic"], out=tmp_path)
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 2


def test_other_options_are_other_rows(tmp_path: Path) -> None:
    a = benchmark("indian-pines", ["regression"], out=tmp_path)
    b = benchmark("indian-pines", ["regression"], out=tmp_path, options={"regression": {"ridge": 1.0}})
    assert a.rows[0].psnr_db > b.rows[0].psnr_db
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 2


def test_another_factor_or_guide_is_another_row(tmp_path: Path) -> None:
    own = benchmark("indian-pines", ["regression"], out=tmp_path)
    coarse = benchmark("indian-pines", ["regression"], out=tmp_path, factor=8)
    narrow = benchmark("indian-pines", ["regression"], out=tmp_path, sensor="gaussian2")
    assert (own.rows[0].factor, coarse.rows[0].factor) == (4, 8)
    assert own.rows[0].psnr_db > max(coarse.rows[0].psnr_db, narrow.rows[0].psnr_db)
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 3


def test_mistakes_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown method 'bicubik'; use 'bicubic'"):
        benchmark("indian-pines", ["bicubik"])
    with pytest.raises(InputError, match="'nowhere' is not in the split 'test'"):
        benchmark("indian-pines", ["bicubic"], scenes=["nowhere"])
    with pytest.raises(InputError, match="has no option 'riddge'; use 'ridge'"):
        benchmark("indian-pines", ["regression"], options={"regression": {"riddge": 1}})
    with pytest.raises(InputError, match="no method"):
        benchmark("indian-pines", [])


def test_a_split_without_scenes_is_said_before_any_work(tmp_path: Path) -> None:
    folder, out = tmp_path / "mine", tmp_path / "rows"
    folder.mkdir()
    for name in ("a", "b"):
        write_cube(material_cube(size=16), folder / f"{name}.tif")
    given = {"factor": 4, "sensor": "gaussian4", "out": out}
    with pytest.raises(InputError, match=r"split 'test' of .* no scene.*--split \(with scenes: train, fit, validation"):
        benchmark(str(folder), ["bicubic"], **given)
    assert not out.exists()
    assert len(benchmark(str(folder), ["bicubic"], split="train", **given).rows) == 2


def test_a_method_that_lacks_an_option_says_how_to_give_it() -> None:
    with pytest.raises(InputError, match=r"with --set hsr-diff\.weights=VALUE"):
        benchmark("indian-pines", ["hsr-diff"])


@pytest.mark.parametrize("threads", [0, -1])
def test_threads_below_one_are_refused(threads: int) -> None:
    with pytest.raises(InputError, match=f"{threads} threads; expected at least 1"):
        benchmark("indian-pines", ["bicubic"], threads=threads)
