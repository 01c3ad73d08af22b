"""CSV tables of responses: both kinds read, comments kept, every malformed file one sentence."""

import numpy as np
import pytest

from hsrdiff.errors import SensorError
from hsrdiff.sensors import load_sensor, read_table


def write(folder, text, name="my.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_measured_table(tmp_path):
    path = write(
        tmp_path,
        "# source: lab, 2020\n# licence: CC0\n# group visible: Red\n# a note\n"
        "wavelength_nm, red ,nir\n600,0.5,-0.0002\n\n610,1,0\n630,0,1e-1\n",
    )
    sensor = read_table(path)
    assert (sensor.name, sensor.bands) == ("my", ("red", "nir"))
    assert (sensor.source, sensor.licence) == ("lab, 2020", "CC0")
    np.testing.assert_array_equal(sensor.wavelengths_nm, [600.0, 610.0, 630.0])
    np.testing.assert_array_equal(sensor.response, [[0.5, 1.0, 0.0], [0.0, 0.0, 0.1]])  # clipped at 0
    # Trapezoids by hand: 7.5 + 10 and 1
    np.testing.assert_allclose(sensor.integrals_nm, [17.5, 1.0])
    assert load_sensor(f"{path}:visible").bands == ("red",)
    assert load_sensor(f"{path}:nir,red").bands == ("nir", "red")


def test_round_trip_of_a_sensor_through_a_measured_table(tmp_path):
    sensor = load_sensor("superdove")
    rows = [",".join(["wavelength_nm", *sensor.bands])]
    rows += [
        ",".join(repr(float(v)) for v in (nm, *values))
        for nm, values in zip(sensor.wavelengths_nm, sensor.response.T, strict=True)
    ]
    again = load_sensor(write(tmp_path, "\n".join(rows)))
    assert again.bands == sensor.bands
    np.testing.assert_array_equal(again.response, sensor.response)


def test_band_lists_by_centre_and_by_edges_agree(tmp_path):
    centre = read_table(write(tmp_path, "band,shape,centre_nm,width_nm\na,box,550,20\nb,Gaussian,700,30\n", "c.csv"))
    edges = read_table(write(tmp_path, "band,shape,low_nm,high_nm\na,box,540,560\nb,gaussian,685,715\n", "e.csv"))
    np.testing.assert_array_equal(centre.response, edges.response)
    np.testing.assert_allclose(centre.centroids_nm, [550, 700], atol=1e-3)
    assert centre.source == "file c.csv"


def test_byte_order_mark_and_quotes_are_read(tmp_path):
    path = tmp_path / "bom.csv"
    path.write_bytes(b'\xef\xbb\xbfwavelength_nm,"red, deep"\r\n600,1\r\n610,1\r\n')
    assert read_table(path).bands == ("red, deep",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("# only a comment\n", "is empty"),
        ("nm,red\n600,1\n610,1\n", "columns 'nm,red'.*wavelength_nm"),
        ("600,1\n610,1\n", "columns '600,1'.*name the first column"),
        ("wavelength_nm\n600\n610\n", "no band column"),
        ("wavelength_nm,red,\n600,1,2\n610,1,2\n", "without a name"),
        ("wavelength_nm,red\n600,1\n", "1 rows.*at least 2"),
        ("# note\nwavelength_nm,red\n600,1\n610,high\n", "line 4 .*'high'.*number"),
        ("wavelength_nm,red\n600,1\n610,nan\n", "line 3 .*'nan'"),
        ("wavelength_nm,red\n600,1\n610,\n", "line 3 .*''"),
        ("wavelength_nm,red\n600,1\n610,1,1\n", "line 3 .*3 cells.*2"),
        ("wavelength_nm,red\n600,1\n\n590,1\n", "line 4 .*590 nm after 600 nm.*sort"),
        ("wavelength_nm,red\n600,1\n600,1\n", "600 nm after 600 nm"),
        ("wavelength_nm,red\n0.6,1\n0.7,1\n", "micrometres.*1000"),
        ("wavelength_nm,red,nir\n600,1,-1\n610,1,0\n", "band nir .*zero"),
        ("wavelength_nm,red,Red\n600,1,1\n610,1,0\n", "twice"),
        ("band,shape,low_nm,high_nm\n", "lists no band"),
        ("band,shape,low_nm,high_nm\na,box,560,540\n", "line 2 .*560 and 540.*lower edge first"),
        ("band,shape,centre_nm,width_nm\na,box,560\n", "line 2 .*3 cells"),
        ("band,shape,centre_nm,width_nm\na,cone,560,20\n", "'cone'.*gaussian or box"),
        ("band,shape,centre_nm,width_nm\na,box,560,-20\n", "-20 nm wide"),
        ("# group x: red blue\nwavelength_nm,red\n600,1\n610,1\n", "names a band 'blue'"),
    ],
)
def test_malformed_tables_are_one_sentence(tmp_path, text, words):
    with pytest.raises(SensorError, match=words) as caught:
        read_table(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_unreadable_files(tmp_path):
    with pytest.raises(SensorError, match="no file"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(SensorError, match="cannot be read as text"):
        read_table(tmp_path)
    binary = tmp_path / "binary.csv"
    binary.write_bytes(bytes(range(256)))
    with pytest.raises(SensorError, match="cannot be read as text"):
        read_table(binary)
