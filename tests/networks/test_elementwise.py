"""Functions of single numbers: what they stand for, and that nothing given is changed."""

import pytest
import torch

from hsrdiff.networks.elementwise import asinh, in_working_type


@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float32, 5e-7), (torch.float64, 1e-14)])
def test_asinh_is_that_of_torch(dtype, rtol):
    sizes = torch.logspace(-12, 8, 2001, dtype=dtype)
    x = torch.cat([-sizes, torch.zeros(1, dtype=dtype), sizes])
    kept = x.clone()
    torch.testing.assert_close(asinh(x), torch.asinh(x), rtol=rtol, atol=0)
    assert torch.equal(x, kept)
    assert torch.isnan(asinh(torch.tensor([float("nan")]))).all()


def test_asinh_is_odd_and_inverts_sinh():
    x = torch.linspace(-5, 5, 101, dtype=torch.float64)
    torch.testing.assert_close(asinh(torch.sinh(x)), x, rtol=1e-13, atol=1e-15)
    assert torch.equal(asinh(-x), -asinh(x))


def test_asinh_has_a_gradient():
    x = torch.tensor([0.5], requires_grad=True)
    asinh(x).backward()
    assert float(x.grad) == pytest.approx(1 / (1 + 0.25) ** 0.5)


def test_the_working_type_is_that_of_autocast():
    image = torch.ones(2)
    assert in_working_type(image) is image
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert in_working_type(image).dtype == torch.bfloat16
