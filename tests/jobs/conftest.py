import pytest
from job_scenes import material_cube

from hsrdiff.jobs.simulate import simulate


@pytest.fixture
def truth():
    return material_cube()


@pytest.fixture
def pair(truth):
    return simulate(truth, sensor="sentinel2:B2,B3,B4,B8", factor=4)
