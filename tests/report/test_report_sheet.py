"""Where the parts of a sheet stand, in inches."""

import numpy as np
import pytest

from hsrdiff.report.sheet import Sheet, name_picture, picture_height

pytest.importorskip("matplotlib")


def test_columns_are_equal_and_keep_the_margins():
    sheet = Sheet(3, picture=2.0, gap=0.25, margin=0.5, height=4.0)
    assert sheet.width == 7.5
    boxes = [sheet.axes(column, 1.0, 1.5).get_position() for column in range(3)]
    np.testing.assert_allclose([box.x0 * 7.5 for box in boxes], [0.5, 2.75, 5.0])
    np.testing.assert_allclose([box.width * 7.5 for box in boxes], 2.0)
    # 1 inch down and 1.5 tall of 4 inches
    np.testing.assert_allclose([(box.y0 * 4.0, box.y1 * 4.0) for box in boxes], [(1.5, 3.0)] * 3)


@pytest.mark.parametrize(("shape", "tall"), [((20, 40), 1.0), ((10, 100, 3), 0.8), ((100, 10), 4.0)])
def test_a_picture_keeps_its_shape_within_what_a_line_has_room_for(shape, tall):
    assert picture_height(np.zeros(shape), 2.0) == pytest.approx(tall)


def test_lines_stand_where_they_are_put_and_a_name_above_its_words():
    sheet = Sheet(1, picture=2.0, gap=0.0, margin=0.5, height=4.0)
    sheet.headline("title", "subtitle", down=(0.4, 0.8), sizes=(19, 12))
    sheet.footnote("note", up=0.2, size=11)
    assert [text.get_text() for text in sheet.figure.texts] == ["title", "subtitle", "note"]
    places = [text.get_position() for text in sheet.figure.texts]
    np.testing.assert_allclose(places, [(1 / 6, 0.9), (1 / 6, 0.8), (1 / 6, 0.05)])
    axes = sheet.axes(0, 1.0, 2.0)
    name_picture(axes, "name", "words", up=(20, 6), sizes=(12, 10))
    assert [(text.get_text(), text.xyann) for text in axes.texts] == [("name", (0, 20)), ("words", (0, 6))]
