"""Pictures with a magnified part: the part with most detail, lines of five, refusals."""

import numpy as np
import pytest

from hsrdiff.errors import InvalidValueError, ShapeError
from hsrdiff.report import details as module
from hsrdiff.report.details import COLUMNS, busiest_window, detail_comparison

pytest.importorskip("matplotlib")


@pytest.mark.parametrize("shape", [(30, 40), (30, 40, 3)])
@pytest.mark.parametrize("side", [5, 6])
@pytest.mark.parametrize("place", [(0, 0), (7, 21), (24, 33)])
def test_the_busiest_window_holds_the_only_detail(shape, side, place):
    picture = np.zeros(shape)
    row, column = place
    picture[row + 2 : row + 4, column + 2 : column + 4] = 1.0
    found = busiest_window(picture, side)
    assert all(0 <= at <= length - side for at, length in zip(found, shape, strict=False))
    # changes lie from one pixel before the square to its last pixel
    assert all(at <= p + 1 and p + 3 < at + side for at, p in zip(found, place, strict=True))


def test_a_window_larger_than_the_picture_is_the_picture():
    assert busiest_window(np.random.default_rng(0).random((4, 6)), 9) == (0, 0)


def draw(path, count, **changed):
    pictures = {str(i): np.full((20, 30, 3), i / 10) for i in range(count)}
    return detail_comparison(path, pictures, {}, **{"row": 4, "column": 6, "side": 5} | changed)


def test_a_sixth_picture_begins_a_new_line(tmp_path):
    from matplotlib.image import imread

    five, six = (imread(draw(tmp_path / f"{n}.png", n)) for n in (COLUMNS, COLUMNS + 1))
    assert five.shape[1] == six.shape[1]
    # names 0.52, a picture of 2.0, a gap of 0.14, a detail of 3.0 and 0.32 between lines, in inches
    assert six.shape[0] - five.shape[0] == pytest.approx(598, abs=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["5.png", "6.png"]


def test_every_picture_has_its_own_part_below_it(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(module, "save_figure", lambda figure, path: figures.append(figure) or path)
    picture = np.random.default_rng(0).random((20, 30, 3))
    detail_comparison(tmp_path / "f.png", {"a": picture}, {"a": "words"}, row=4, column=6, side=5)
    upper, lower = figures[0].axes
    np.testing.assert_array_equal(lower.images[0].get_array(), picture[4:9, 6:11])
    x, y = upper.lines[0].get_data()
    assert (min(x), max(x), min(y), max(y)) == (5.5, 10.5, 3.5, 8.5)
    assert [text.get_text() for text in upper.texts] == ["a", "words"]


def test_what_does_not_fit_is_refused(tmp_path):
    with pytest.raises(InvalidValueError, match="without a picture"):
        draw(tmp_path / "f.png", 0)
    pictures = {"a": np.zeros((4, 5, 3)), "b": np.zeros((4, 6, 3))}
    with pytest.raises(ShapeError, match=r"the picture of b has shape \(4, 6, 3\)"):
        detail_comparison(tmp_path / "f.png", pictures, {}, row=0, column=0, side=2)
    assert not list(tmp_path.iterdir())
