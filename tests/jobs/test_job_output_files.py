"""No output of a job takes the place, the ENVI header or the data of an input or of another output."""

import shutil

import pytest

from hsrdiff import check, evaluate, fuse, quality, simulate
from hsrdiff.cubes import open_cube, write_cube
from hsrdiff.errors import InputError, WriteError
from hsrdiff.jobs.output_files import check_output, check_report_file, files_of

SENSOR = "sentinel2:B2,B3,B4,B8"


def bare(cube, folder):
    """AVIRIS style: `scene` and `scene.hdr`."""
    write_cube(cube, folder / "scene.img").rename(folder / "scene")
    return folder / "scene"


@pytest.mark.parametrize("out", ["scene.hdr", "scene.img", "scene.bil"])
def test_the_header_of_an_input_without_an_ending_is_kept(pair, tmp_path, out):
    hsi = bare(pair.hsi, tmp_path)
    before = (tmp_path / "scene.hdr").read_bytes()
    for given in (hsi, tmp_path / "scene.hdr"):
        with pytest.raises(InputError, match="the input"):
            fuse(given, pair.msi, out=tmp_path / out, method="bicubic")
        with pytest.raises(InputError, match="the input"):
            check(given, pair.msi, map_out=tmp_path / out)
        with pytest.raises(InputError, match="the input"):
            simulate(given, sensor=SENSOR, factor=4, out_hsi=tmp_path / out, out_msi=tmp_path / "m.tif")
    assert (tmp_path / "scene.hdr").read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["scene", "scene.hdr"]


def test_reports_keep_the_headers_of_inputs_and_outputs(pair, tmp_path):
    hsi, report = bare(pair.hsi, tmp_path), tmp_path / "scene.hdr"
    for job in (
        lambda: fuse(hsi, pair.msi, json_out=report, method="bicubic"),
        lambda: fuse(pair.hsi, pair.msi, out=tmp_path / "f.bsq", json_out=tmp_path / "f.hdr", method="bicubic"),
        lambda: check(hsi, pair.msi, json_out=report),
        lambda: evaluate(hsi, pair.hsi, json_out=report),
        lambda: quality(hsi, pair.hsi, pair.msi, json_out=report),
    ):
        with pytest.raises(InputError, match="would replace the header or the data of"):
            job()
    check_report_file(tmp_path / "scene.json", hsi)


@pytest.mark.parametrize(("first", "second"), [("f.bsq", "f.bil"), ("f.dat", "f.hdr"), ("f.hdr", "f.raw")])
def test_two_outputs_of_one_stem_are_refused(pair, tmp_path, first, second):
    with pytest.raises(InputError, match="both have one ENVI header; expected two names that differ before the ending"):
        fuse(pair.hsi, pair.msi, out=tmp_path / first, std_out=tmp_path / second, method="kriging", sensor=SENSOR)
    with pytest.raises(InputError, match="both have one ENVI header"):
        simulate(pair.hsi, sensor=SENSOR, factor=4, out_hsi=tmp_path / first, out_msi=tmp_path / second)
    assert not list(tmp_path.iterdir())


def test_an_output_is_refused_before_the_work_where_other_data_have_its_header(tmp_path):
    (tmp_path / "f").write_text("notes")
    with pytest.raises(WriteError, match=r"'f\.hdr' of 'f\.img' would be taken"):
        fuse("nowhere.tif", "nor here.tif", out=tmp_path / "f.hdr")


def test_a_link_has_the_header_beside_it_and_the_one_beside_the_file(pair, tmp_path):
    (tmp_path / "there").mkdir()
    write_cube(pair.hsi, tmp_path / "there" / "scene.bsq")
    (tmp_path / "linked.bsq").symlink_to(tmp_path / "there" / "scene.bsq")
    shutil.copy(tmp_path / "there" / "scene.hdr", tmp_path / "linked.hdr")
    for out in ("linked.img", "there/scene.img"):
        with pytest.raises(InputError, match="share an ENVI header"):
            check_output(tmp_path / out, tmp_path / "linked.bsq")


def test_files_of_other_formats_and_folders_stand_alone(pair, tmp_path):
    write_cube(pair.hsi, tmp_path / "scene.tif")
    (tmp_path / "product").mkdir()
    check_output(tmp_path / "scene.hdr", tmp_path / "scene.tif")
    check_output(tmp_path / "product.hdr", tmp_path / "product")
    assert files_of(tmp_path / "scene.nc") == {tmp_path / "scene.nc"}
    fuse(tmp_path / "scene.tif", pair.msi, out=tmp_path / "scene.hdr", method="bicubic")
    assert open_cube(tmp_path / "scene.hdr").shape == (len(pair.hsi), *pair.msi.shape[1:])
