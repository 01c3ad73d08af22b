"""A pair of products from file to file: EnMAP sharpened by Sentinel-2, in their units and on their grids."""

import numpy as np
import pytest
from affine import Affine

from hsrdiff import check, fuse, quality
from hsrdiff.cubes import open_cube

PREFIX = "ENMAP01-____L2A-DT0000000001_20220724T104526Z_008_V010302_20230628T165614Z-"
IMAGE = "GRANULE/L2A_T33UUU_A037000_20220724T101559/IMG_DATA/R{1}m/T33UUU_20220724T101559_{0}_{1}m"
AT_20M = ("B05", "B06", "B07", "B8A", "B11", "B12")
CENTRES = (490.0, 560.0, 665.0, 830.0, *np.arange(860.0, 940.0, 10.0).tolist())
SIZE = 48


@pytest.fixture
def pair(tmp_path, write_tiff):
    """One material of twelve bands whose abundance varies; the four bands of Sentinel-2 see the first four."""
    abundance = 0.5 + 0.3 * np.sin(np.linspace(0, 9, SIZE))[:, None] * np.cos(np.linspace(0, 7, SIZE))
    truth = np.array([0.1, 0.2, 0.15, 0.4, *[0.45] * 8])[:, None, None] * abundance
    coarse = truth.reshape(12, SIZE // 3, 3, SIZE // 3, 3).mean(axis=(2, 4))
    write_tiff(
        tmp_path / "enmap" / f"{PREFIX}SPECTRAL_IMAGE.TIF", np.rint(coarse * 1e4).astype(np.int16), nodata=-32768,
        transform=Affine(30, 0, 300000, 0, -30, 5900040),
    )  # fmt: skip
    bands = "".join(
        f'<bandID number="{n}"><wavelengthCenterOfBand>{centre}</wavelengthCenterOfBand><FWHMOfBand>30</FWHMOfBand>'
        "<GainOfBand>0.0001</GainOfBand><OffsetOfBand>0</OffsetOfBand></bandID>"
        for n, centre in enumerate(CENTRES, 1)
    )
    (tmp_path / "enmap" / f"{PREFIX}METADATA.XML").write_text(
        f"<level_X><specific><bandCharacterisation>{bands}</bandCharacterisation></specific></level_X>"
    )
    safe = tmp_path / "S2B.SAFE"
    for name, values in zip(("B02", "B03", "B04", "B08"), truth, strict=False):
        raw = np.rint(values * 1e4 + 1000).astype(np.uint16)
        write_tiff(safe / f"{IMAGE.format(name, 10)}.tif", raw, transform=Affine(10, 0, 300000, 0, -10, 5900040))
    coarser = truth[4].reshape(SIZE // 2, 2, SIZE // 2, 2).mean(axis=(1, 3))
    for name in AT_20M:
        raw = np.rint(coarser * 1e4 + 1000).astype(np.uint16)
        write_tiff(safe / f"{IMAGE.format(name, 20)}.tif", raw, transform=Affine(20, 0, 300000, 0, -20, 5900040))
    named = [(name, 10) for name in ("B02", "B03", "B04", "B08")] + [(name, 20) for name in AT_20M]
    files = "".join(f"<IMAGE_FILE>{IMAGE.format(*each)}</IMAGE_FILE>" for each in named)
    (safe / "MTD_MSIL2A.xml").write_text(
        "<Level-2A_User_Product><PROCESSING_BASELINE>05.09</PROCESSING_BASELINE>"
        f"<Granule_List><Granule>{files}</Granule></Granule_List>"
        "<BOA_QUANTIFICATION_VALUE>10000</BOA_QUANTIFICATION_VALUE></Level-2A_User_Product>"
    )
    return tmp_path / "enmap", safe, truth


def test_enmap_is_sharpened_by_sentinel_2_as_delivered(pair, tmp_path):
    hsi, msi, truth = pair
    fuse(hsi, msi, out=tmp_path / "fused.tif", method="regression", psf=np.ones((3, 3)))
    cube = open_cube(tmp_path / "fused.tif")
    assert cube.rio.crs.to_epsg() == 32633
    assert tuple(cube.rio.transform())[:6] == (10.0, 0.0, 300000.0, 0.0, -10.0, 5900040.0)
    assert cube.wavelength.values.tolist() == list(CENTRES)
    # the spectra lie on a line, so regression on the guide is exact up to the rounding to 1e-4
    np.testing.assert_allclose(cube.values, truth, atol=5e-4)


def test_the_bands_of_20_m_are_sharpened_and_the_file_remembers_what_was_read(pair, tmp_path):
    hsi, msi, truth = pair
    out = tmp_path / "fused.tif"
    fuse(hsi, msi, out=out, method="regression", psf=np.ones((3, 3)), msi_variable="10m+20m unmasked", register=False)
    kept = open_cube(out)
    assert kept.attrs["hsrdiff_msi_variable"] == "10m+20m unmasked"
    assert "B5, B6, B7, B8A, B11, B12 were sharpened by 2" in kept.attrs["hsrdiff_note_grid"]
    np.testing.assert_allclose(kept.values, truth, atol=2e-3)
    told = {"psf": np.ones((3, 3))}
    assert len(quality(out, hsi, msi, **told).msi_bands) == 10
    assert len(quality(out, hsi, msi, msi_variable="10m", **told).msi_bands) == 4
    assert len(check(hsi, msi, msi_variable="10m+20m").bands) == 10
