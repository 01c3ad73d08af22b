import struct
import sys

import numpy as np
import pytest
import xarray as xr

from hsrdiff.errors import MissingExtraError, ShapeError, WriteError
from hsrdiff.report import figure as figure_module
from hsrdiff.report.figure import fusion_figure
from hsrdiff.report.spectra import band_axis, broken_at_gaps


def _cubes(truth=True):
    rng = np.random.default_rng(2)
    wavelengths = np.r_[np.linspace(420, 1300, 12), np.linspace(1500, 1800, 4)]

    def cube(b, size, axis=None):
        coords = {} if axis is None else {"wavelength": ("band", axis)}
        return xr.DataArray(rng.random((b, size, size), np.float32), dims=("band", "y", "x"), coords=coords)

    named = {"hsi": cube(16, 6, wavelengths), "msi": cube(3, 24), "fused": cube(16, 24, wavelengths)}
    if truth:
        named["truth"] = cube(16, 24, wavelengths)
    return named


def _png_width(path):
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">I", head[16:20])[0]


@pytest.mark.parametrize("truth", [True, False])
def test_figure_is_1600_wide_and_leaves_its_inputs_alone(tmp_path, truth):
    pytest.importorskip("matplotlib")
    cubes = _cubes(truth)
    before = {name: cube.copy(deep=True) for name, cube in cubes.items()}
    written = fusion_figure(tmp_path / "f.png", title="T", subtitle="s", unit="reflectance", **cubes)
    assert _png_width(written) == 1600
    assert [p.name for p in tmp_path.iterdir()] == ["f.png"]
    for name, cube in cubes.items():
        xr.testing.assert_identical(cube, before[name])


def test_error_map_by_hand():
    truth = xr.DataArray(np.zeros((2, 1, 2)), dims=("band", "y", "x"))
    fused = xr.DataArray(np.array([[[3.0, 1.0]], [[4.0, np.nan]]]), dims=("band", "y", "x"))
    error = figure_module._error(fused, truth)
    assert error[0, 0] == pytest.approx(np.sqrt(12.5))
    assert np.isnan(error[0, 1])


def test_line_stops_at_removed_bands_and_bands_come_in_order():
    axis, values = broken_at_gaps(np.array([500.0, 400, 410, 420, 510]), np.arange(5.0))
    np.testing.assert_array_equal(axis, [400, 410, 420, np.nan, 500, 510])
    np.testing.assert_array_equal(values, [1, 2, 3, np.nan, 0, 4])
    whole, _ = broken_at_gaps(np.array([1.0, 2.0, 3.0]), np.zeros(3))
    assert np.isfinite(whole).all()


def test_axis_without_wavelengths_counts_bands():
    axis, label = band_axis(xr.DataArray(np.zeros((3, 1, 1)), dims=("band", "y", "x")))
    np.testing.assert_array_equal(axis, [1, 2, 3])
    assert label == "Band"


def test_shapes_that_do_not_fit_are_said(tmp_path):
    pytest.importorskip("matplotlib")
    cubes = _cubes()
    with pytest.raises(ShapeError, match="truth"):
        fusion_figure(tmp_path / "f.png", **{**cubes, "truth": cubes["truth"][:, :-1]})
    with pytest.raises(ShapeError, match="bands"):
        fusion_figure(tmp_path / "f.png", **{**cubes, "hsi": cubes["hsi"][:-1]})
    assert not list(tmp_path.iterdir())


def test_full_disk_leaves_nothing(tmp_path, monkeypatch):
    figures = pytest.importorskip("matplotlib.figure")

    def full(self, target, **_):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figures.Figure, "savefig", full)
    with pytest.raises(WriteError, match="No space left on device"):
        fusion_figure(tmp_path / "f.png", **_cubes())
    assert not list(tmp_path.iterdir())


def test_missing_matplotlib_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"hsrdiff\[report\]"):
        fusion_figure(tmp_path / "f.png", **_cubes())
