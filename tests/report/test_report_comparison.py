"""One band of several methods: the figure is whole, its scale the same for all, and what does not fit is refused."""

import numpy as np
import pytest

from hsrdiff.errors import InvalidValueError, ShapeError
from hsrdiff.report import comparison as module
from hsrdiff.report.comparison import band_comparison, compare_pictures

pytest.importorskip("matplotlib")


@pytest.fixture
def truth():
    return np.linspace(0.0, 1.0, 24 * 16).reshape(24, 16)


def test_the_file_is_a_png_of_as_many_columns_as_methods_and_the_truth(truth, tmp_path):
    from matplotlib.image import imread

    one = imread(band_comparison(tmp_path / "one.png", truth, {"a": truth + 0.1}))
    two = imread(band_comparison(tmp_path / "two.png", truth, {"a": truth + 0.1, "b": truth}))
    assert two.shape[0] == one.shape[0]
    assert two.shape[1] - one.shape[1] == pytest.approx(217, abs=1)  # a picture of 2.05 inches and a gap of 0.12
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["one.png", "two.png"]


def test_every_heat_map_has_the_same_scale(truth, tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(module, "save_figure", lambda figure, path: figures.append(figure) or path)
    far, near = truth + 0.3, truth + 0.1
    band_comparison(tmp_path / "f.png", truth, {"far": far, "near": near})
    maps = [axes.images[0] for axes in figures[0].axes if axes.images and axes.images[0].get_cmap().name == "inferno"]
    assert [m.get_clim() for m in maps] == [(0.0, pytest.approx(0.05))] * 2  # the median of 0.09 and 0.01
    assert np.allclose(maps[1].get_array(), 0.01)
    texts = [text.get_text() for axes in figures[0].axes for text in axes.texts]
    assert "MSE 9.00e-02" in texts
    assert "MSE 1.00e-02" in texts


def test_one_method_that_is_far_off_does_not_leave_the_others_black(truth, tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(module, "save_figure", lambda figure, path: figures.append(figure) or path)
    band_comparison(tmp_path / "f.png", truth, {"far": truth + 9.0, "near": truth + 0.1, "nearer": truth + 0.05})
    maps = [axes.images[0] for axes in figures[0].axes if axes.images and axes.images[0].get_cmap().name == "inferno"]
    np.testing.assert_allclose([m.get_clim() for m in maps], [(0.0, 0.01)] * 3)


@pytest.mark.parametrize(("pictures", "columns", "lines"), [(1, 1, 1), (7, 7, 1), (8, 4, 2), (14, 7, 2), (15, 5, 3)])
def test_many_pictures_are_wrapped_into_even_lines(truth, tmp_path, monkeypatch, pictures, columns, lines):
    figures = []
    monkeypatch.setattr(module, "save_figure", lambda figure, path: figures.append(figure) or path)
    names = [f"m{n}" for n in range(pictures)]
    compare_pictures(tmp_path / "f.png", dict.fromkeys(names, truth), {names[0]: truth}, {})
    uppers = [a for a in figures[0].axes if a.images and a.images[0].get_cmap().name == "gray"]
    boxes = [axes.get_position() for axes in uppers]
    assert len({round(box.x0, 6) for box in boxes}) == columns
    assert len({round(box.y0, 6) for box in boxes}) == lines
    assert all(box.x0 >= 0 and box.x1 <= 1 and box.y0 >= 0 and box.y1 <= 1 for box in boxes)
    every = [axes.get_position() for axes in figures[0].axes]
    assert not any(a.overlaps(b) for n, a in enumerate(every) for b in every[:n])


def test_the_last_part_of_a_long_name_stands_below_it(truth, tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(module, "save_figure", lambda figure, path: figures.append(figure) or path)
    band_comparison(tmp_path / "f.png", truth, {"HSR-Diff, paper mode, 25 of 100 steps": truth + 0.1})
    texts = [text.get_text() for axes in figures[0].axes for text in axes.texts]
    assert [text for text in texts if text] == ["HSR-Diff, paper mode", "MSE 1.00e-02", "25 of 100 steps", "Truth"]


def test_invalid_pixels_do_not_count(truth, tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(module, "save_figure", lambda figure, path: figures.append(figure) or path)
    holes = truth + 0.1
    holes[0, 0] = np.nan
    band_comparison(tmp_path / "f.png", truth, {"a": holes})
    assert "MSE 1.00e-02" in [text.get_text() for axes in figures[0].axes for text in axes.texts]


def test_what_does_not_fit_is_refused(truth, tmp_path):
    with pytest.raises(ShapeError, match=r"the estimate of a has shape \(24, 15\)"):
        band_comparison(tmp_path / "f.png", truth, {"a": truth[:, 1:]})
    with pytest.raises(InvalidValueError, match="without a picture"):
        compare_pictures(tmp_path / "f.png", {}, {}, {})
    with pytest.raises(InvalidValueError, match="without numbers"):
        band_comparison(tmp_path / "f.png", np.full_like(truth, np.nan), {"a": truth})
    assert not list(tmp_path.iterdir())
