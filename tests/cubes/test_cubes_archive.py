"""Archives and folders that are no cube: the sentence says what to open."""

import gzip
import tarfile
import zipfile

import numpy as np
import pytest

from hsrdiff.cubes import as_cube, open_cube, write_cube
from hsrdiff.errors import CubeFormatError

NUMBERS = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def _zip(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"some content" * 20)
    return path


@pytest.mark.parametrize(
    ("names", "inside"),
    [
        (["P.SAFE/MTD_MSIL2A.xml", "P.SAFE/a/b.jp2"], "P.SAFE"),
        (["P.he5"], "P.he5"),
        (["P/x.tif", "__MACOSX/P/x.tif"], "P"),
        (["x.tif", "x.xml"], "what comes out of it"),
    ],
)
def test_a_zip_says_what_it_unpacks_to(tmp_path, names, inside):
    # the ending does not matter, also not one of another format
    for name in ("product.zip", "product.img"):
        with pytest.raises(CubeFormatError, match=rf"{name} is a zip archive; .*unpack it and open {inside}\.$"):
            open_cube(_zip(tmp_path / name, *names))


def test_other_archives_are_known_by_their_first_bytes(tmp_path):
    inner = write_cube(as_cube(NUMBERS), tmp_path / "a.tif")
    with tarfile.open(tmp_path / "p.tar", "w") as archive:
        archive.add(inner, "a.tif")
    (tmp_path / "p.tif.gz").write_bytes(gzip.compress(inner.read_bytes()))
    for name, kind in (("p.tar", "tar"), ("p.tif.gz", "gzip")):
        with pytest.raises(CubeFormatError, match=rf"{name} is a {kind} archive; .*open what comes out of it"):
            open_cube(tmp_path / name)


def test_a_download_cut_short_is_to_be_got_again(tmp_path):
    path = _zip(tmp_path / "p.zip", "P.SAFE/MTD_MSIL2A.xml")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CubeFormatError, match=r"damaged or cut short; .*download or copy it again"):
        open_cube(path)


def test_a_folder_says_what_in_it_may_be_meant(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(CubeFormatError, match=r"folder is empty; .*check the path"):
        open_cube(folder)
    (folder / "readme.txt").write_text("text")
    with pytest.raises(CubeFormatError, match=r"no known product; .* with their description\.$"):
        open_cube(folder)
    _zip(folder / "p.zip", "P.SAFE/x")
    with pytest.raises(CubeFormatError, match=r"unpack p\.zip in it if that was meant"):
        open_cube(folder)
    # a product's own folder one level further down, as it is unpacked
    write_cube(as_cube(NUMBERS), folder / "image.zarr").rename(folder / "image")
    with pytest.raises(CubeFormatError, match="open image in it if that was meant"):
        open_cube(folder)
