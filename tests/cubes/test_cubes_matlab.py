"""MATLAB files of both kinds: which array, which axis, and the layout that MATLAB itself expects."""

import h5py
import numpy as np
import pytest
import scipy.io
from affine import Affine

from hsrdiff.cubes import as_cube, open_cube, write_cube
from hsrdiff.cubes.array_choice import band_axis
from hsrdiff.cubes.georeference import georeference_of
from hsrdiff.cubes.matlab73 import lazy_array
from hsrdiff.errors import CubeFormatError

CUBE = np.arange(60, dtype=np.int16).reshape(3, 4, 5)  # rows x columns x bands


def save5(folder, **variables):
    scipy.io.savemat(folder / "a.mat", variables)
    return folder / "a.mat"


def save73(folder, **variables):
    """Write as MATLAB does: reversed axes and a class for each array."""
    with h5py.File(folder / "a.mat", "w", userblock_size=512) as file:
        for name, value in variables.items():
            file.create_dataset(name, data=np.atleast_2d(value).T).attrs["MATLAB_class"] = np.bytes_(b"double")
    with open(folder / "a.mat", "r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    return folder / "a.mat"


BOTH = pytest.mark.parametrize("save", [save5, save73])


@BOTH
def test_rows_columns_bands(tmp_path, save):
    cube = open_cube(save(tmp_path, data=CUBE, map=np.zeros((3, 4))))
    np.testing.assert_array_equal(cube.values, CUBE.transpose(2, 0, 1))
    assert cube.encoding["dtype"] == np.int16
    assert cube.attrs["variable"] == "data"


@BOTH
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_wavelengths_decide_the_axis_of_the_bands(tmp_path, save, axis):
    stored = np.moveaxis(CUBE, 2, axis)
    path = save(tmp_path, data=stored, wl=np.linspace(400, 800, 5), fwhm_nm=np.full(5, 7.0))
    cube = open_cube(path)
    np.testing.assert_array_equal(cube.values, CUBE.transpose(2, 0, 1))
    assert cube.wavelength.values.tolist() == [400, 500, 600, 700, 800]
    assert cube.fwhm.values.tolist() == [7.0] * 5
    assert "nm was assumed" in cube.attrs["wavelength_note"]


@pytest.mark.parametrize(
    ("shape", "lengths", "convention", "axis"),
    [
        ((610, 340, 103), [], 2, 2),
        ((100, 100, 205), [], 2, 2),
        ((31, 512, 512), [], 2, 0),
        ((512, 31, 512), [], 2, 2),  # bands in the middle are not guessed, only read from wavelengths
        ((512, 31, 512), [31], 2, 1),
        ((5, 5, 5), [5], 2, 2),
        ((5, 5, 5), [], 2, 2),
        ((218, 64, 128), [], 0, 0),
        ((64, 64, 218), [], 0, 2),
        ((64, 128, 218), [218], 0, 2),
    ],
)
def test_the_axis_of_the_bands(shape, lengths, convention, axis):
    assert band_axis(shape, lengths, convention) == axis


@BOTH
def test_micrometres_by_name_and_by_value(tmp_path, save):
    for name in ("wavelength_um", "lambda"):
        cube = open_cube(save(tmp_path, data=CUBE, **{name: np.linspace(0.4, 0.8, 5)}))
        assert cube.wavelength.values == pytest.approx([400, 500, 600, 700, 800])


@BOTH
def test_a_file_without_a_cube_lists_what_it_holds(tmp_path, save):
    with pytest.raises(CubeFormatError, match=r"Y \(5, 12\).*rows \(1, 1\).*three dimensions"):
        open_cube(save(tmp_path, Y=np.zeros((5, 12)), rows=[[3.0]]))


@BOTH
def test_an_unfolded_cube_beside_a_small_one_is_not_mistaken(tmp_path, save):
    variables = {"Y": np.zeros((5, 12)), "abundances": np.ones((3, 4, 2))}
    with pytest.raises(CubeFormatError, match="'Y', a matrix, is larger"):
        open_cube(save(tmp_path, **variables))
    assert open_cube(tmp_path / "a.mat", variable="abundances").shape == (2, 3, 4)


@BOTH
def test_several_cubes_are_chosen_by_name(tmp_path, save):
    path = save(tmp_path, HSim=CUBE, MSim=CUBE[:, :, :2], PCim=CUBE[:, :, 0], gain=[[2.0]])
    with pytest.raises(CubeFormatError, match=r"2 cubes.*variable='HSim'"):
        open_cube(path)
    assert open_cube(path, variable="MSim").shape == (2, 3, 4)
    np.testing.assert_array_equal(open_cube(path, variable="PCim").values, CUBE[None, :, :, 0])
    with pytest.raises(CubeFormatError, match="MSim"):
        open_cube(path, variable="msim2")
    with pytest.raises(CubeFormatError, match=r"'gain'.*\(1, 1\)"):
        open_cube(path, variable="gain")


@pytest.mark.parametrize("name", ["matlab5", "matlab73"])
def test_what_scipy_and_h5py_see(tmp_path, full, name):
    path = write_cube(full, tmp_path / "a.mat", format=name)
    if name == "matlab5":
        loaded = scipy.io.loadmat(path)
    else:
        with h5py.File(path) as file:
            loaded = {key: item[()].T for key, item in file.items()}
            classes = {key: item.attrs["MATLAB_class"] for key, item in file.items()}
        assert classes["cube"] == b"single"
        assert classes["wavelength_nm"] == b"double"
        assert classes["good_band"] == b"logical"
        assert classes["crs_wkt"] == b"char"
        head = path.read_bytes()[:128]
        assert head.startswith(b"MATLAB 7.3 MAT-file")
        assert head[124:] == b"\x00\x02IM"
    np.testing.assert_array_equal(loaded["cube"], full.values.transpose(1, 2, 0))
    assert loaded["wavelength_nm"].shape == (1, 31)
    np.testing.assert_array_equal(loaded["wavelength_nm"][0], full.wavelength)
    np.testing.assert_array_equal(loaded["good_band"][0].astype(bool), full.good_band)


def test_cells_structs_and_text_are_passed_over(tmp_path):
    cells = np.empty((2, 3, 4), object)
    cells[:] = "x"
    path = save5(tmp_path, data=CUBE, cells=cells, options={"a": 1}, note="text")
    np.testing.assert_array_equal(open_cube(path).values, CUBE.transpose(2, 0, 1))
    with pytest.raises(CubeFormatError, match="cell"):
        open_cube(path, variable="cells")


def test_a_variable_larger_than_the_format_allows(tmp_path, bare, monkeypatch):
    monkeypatch.setattr("hsrdiff.cubes.matlab5._LARGEST_VARIABLE", 1000)
    with pytest.raises(CubeFormatError, match="matlab73"):
        write_cube(bare, tmp_path / "a.mat")
    assert list(tmp_path.iterdir()) == []


def test_a_v73_file_reads_in_chunks_in_the_order_of_matlab(tmp_path):
    path = save73(tmp_path, data=CUBE)
    lazy = open_cube(path, chunks={"y": 2, "x": 2})
    np.testing.assert_array_equal(lazy[:, 1:, 1:3].values, CUBE.transpose(2, 0, 1)[:, 1:, 1:3])


def test_a_named_array_is_read_where_it_is_sliced_in_the_order_of_matlab(tmp_path):
    path = save73(tmp_path, data=CUBE, map=np.zeros((3, 4)))
    array = lazy_array(path, "data")
    assert array.shape == CUBE.shape
    np.testing.assert_array_equal(array[1:3, 0:2, 2:5], CUBE[1:3, 0:2, 2:5])
    np.testing.assert_array_equal(array.transpose((2, 0, 1))[0:1, 1:2, :], CUBE.transpose(2, 0, 1)[0:1, 1:2])
    with pytest.raises(CubeFormatError, match="no variable 'cube'"):
        lazy_array(path, "cube")
    with pytest.raises(CubeFormatError, match="three dimensions"):
        lazy_array(path, "map")
    with pytest.raises(CubeFormatError, match="damaged"):
        lazy_array(save5(tmp_path, data=CUBE), "data")


def test_the_same_cube_gives_the_same_file(tmp_path, monkeypatch):
    """No time of writing stands in the header, which other programs read as a text."""
    cube = as_cube(np.arange(24.0, dtype=np.float32).reshape(2, 3, 4))
    first = write_cube(cube, tmp_path / "a.mat").read_bytes()
    monkeypatch.setattr("time.asctime", lambda *_: "another time")
    assert write_cube(cube, tmp_path / "b.mat").read_bytes() == first
    assert first.startswith(b"MATLAB 5.0 MAT-file, written by hsrdiff ")
    assert scipy.io.loadmat(tmp_path / "a.mat")["cube"].shape == (3, 4, 2)


@pytest.mark.parametrize("format", ["matlab5", "matlab73"])
@pytest.mark.parametrize("told", [{}, {"crs": "EPSG:32633", "transform": Affine(10, 0, 400000, 0, -10, 5000000)}])
@pytest.mark.parametrize(
    "shape", [(8, 12, 8), (8, 8, 12), (12, 8, 8), (8, 8, 8), (1, 1, 1), (5, 1, 1), (1, 5, 1), (1, 1, 5), (3, 1, 7)]
)
def test_a_cube_without_wavelengths_comes_back_as_it_was(tmp_path, format, told, shape):
    cube = as_cube(np.random.default_rng(0).random(shape, np.float32), **told)
    for variable in (None, "cube"):
        again = open_cube(write_cube(cube, tmp_path / "a.mat", format=format), variable=variable)
        np.testing.assert_array_equal(again.values, cube.values)
        assert georeference_of(again) == georeference_of(cube)


@pytest.mark.parametrize("format", ["matlab5", "matlab73"])
def test_wavelengths_as_many_as_rows_do_not_turn_a_cube_that_was_written_here(tmp_path, format):
    cube = as_cube(np.random.default_rng(0).random((3, 3, 4), np.float32), wavelengths_nm=[500, 600, 700])
    again = open_cube(write_cube(cube, tmp_path / "a.mat", format=format))
    np.testing.assert_array_equal(again.values, cube.values)
