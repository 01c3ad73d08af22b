"""Windows along an axis: the adjoint for every border, values by hand, and what is refused."""

import pytest
import torch

from hsrdiff.errors import InputError
from hsrdiff.observation.kernel_windows import BORDERS, KernelWindows, correlated


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize(("size", "axis"), [(4, -1), (8, -1), (6, -2)])
def test_fold_is_the_adjoint_of_split(border, size, axis):
    windows, g = KernelWindows(size, 4, border), torch.Generator().manual_seed(0)
    image = torch.rand((2, 8, 12), generator=g, dtype=torch.float64)
    split = windows.split(image, axis)
    other = torch.rand(split.shape, generator=g, dtype=torch.float64)
    inner = axis if axis == -1 else -2
    folded = windows.fold(other, inner, image.shape[axis])
    torch.testing.assert_close((split * other).sum(), (image * folded).sum())


def test_what_lies_beyond_the_border_by_hand():
    image = torch.tensor([1.0, 2.0, 3.0, 4.0])
    first = {border: KernelWindows(6, 2, border).split(image, -1)[0].tolist() for border in BORDERS}
    assert first["symmetric"] == [2, 1, 1, 2, 3, 4]
    assert first["circular"] == [3, 4, 1, 2, 3, 4]
    assert first["replicate"] == [1, 1, 1, 2, 3, 4]
    assert KernelWindows(6, 2, "symmetric").offset == 2


def test_an_unknown_border_is_refused():
    with pytest.raises(InputError, match="the border rule is 'symetric'"):
        KernelWindows(4, 2, "symetric")


@pytest.mark.parametrize("before", [0, 1, 3])
def test_correlated_in_strips_by_an_independent_convolution(before, monkeypatch):
    g = torch.Generator().manual_seed(0)
    sizes = (2, 1, 13, 11), (4, 2), (4, 2)
    images, columns, rows = (torch.rand(size, generator=g, dtype=torch.float64) for size in sizes)
    beyond = (before, 3 - before, before, 3 - before)
    expected = torch.nn.functional.conv2d(torch.nn.functional.pad(images, beyond), (columns @ rows.T)[None, None])
    torch.testing.assert_close(correlated(images, columns, rows, before), expected)
    for pixels in (1, 50, 110):  # one, two and five rows at a time
        monkeypatch.setattr("hsrdiff.observation.kernel_windows._STRIP_PIXELS", pixels)
        torch.testing.assert_close(correlated(images, columns, rows, before), expected)
