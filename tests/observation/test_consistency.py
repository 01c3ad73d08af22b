"""Consistency with X and Y: residuals, nearest point, limits of the noise levels; dense solves as oracle."""

import math

import pytest
import torch

from hsrdiff.errors import InputError, ShapeError
from hsrdiff.observation import JointProjection, LRGram, Observation, SoftConsistency, SpatialResponse, SpectralResponse

BORDERS = ("symmetric", "circular", "replicate")
BANDS, SIZE = 5, (12, 8)


def full(count, value):
    return torch.full((count,), value, dtype=torch.float64)


def draw(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def spatial_response(kind, border="symmetric"):
    if kind == "separable":
        return SpatialResponse.gaussian(4, border=border)
    if kind == "general":
        return SpatialResponse.from_kernel(draw(6, 6, seed=9).abs() + 0.2, 4, border)
    if kind == "narrow":
        return SpatialResponse.gaussian(4, size=2, border=border)
    return SpatialResponse.gaussian(4, sigma=1.5, size=4, border=border)  # "disjoint"


KINDS = ("disjoint", "narrow", "separable", "general")


def observation(kind="separable", border="symmetric", msi_bands=2):
    R = draw(msi_bands, BANDS, seed=3).abs() + 0.1
    return Observation(SpectralResponse(R / R.sum(1, keepdim=True)), spatial_response(kind, border))


def dense(observed):
    """R and D as matrices, D of shape (HW, hw) with Y = Z D."""
    height, width = SIZE
    units = torch.eye(height * width, dtype=torch.float64).reshape(height * width, 1, height, width)
    return observed.spectral.matrix, observed.spatial.apply(units).flatten(1)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("kind", KINDS)
def test_gram_is_that_of_d(kind, border):
    observed = observation(kind, border)
    gram = LRGram(observed.spatial, SIZE)
    assert gram.form == {"separable": "separable", "general": "iterative"}.get(kind, "scalar")
    _, D = dense(observed)
    G = D.T @ D
    T = draw(2, 3, 3, 2)
    torch.testing.assert_close(gram.apply(T).flatten(2), T.flatten(2) @ G, rtol=0, atol=1e-13)
    eye = torch.eye(6, dtype=torch.float64)
    for shift in (0.0, 0.3):
        expected = torch.linalg.solve(shift * eye + G, T.flatten(2), left=False)
        torch.testing.assert_close(gram.solve(T, shift).flatten(2), expected, rtol=1e-9, atol=1e-10)
    shifts = torch.tensor([0.1, math.inf, 2.0])
    solved = gram.solve(T, shifts)
    assert not solved[:, 1].any()
    torch.testing.assert_close(solved[:, 2:], gram.solve(T[:, 2:], 2.0))
    if kind != "general":
        share = gram.explained(torch.tensor([0.2], dtype=torch.float64)).flatten()
        torch.testing.assert_close(
            share, (D @ torch.linalg.inv(0.2 * eye + G) @ D.T).diagonal(), rtol=1e-10, atol=1e-12
        )


def test_directions_that_d_does_not_see_are_left_alone():
    spatial = SpatialResponse.gaussian(4, sigma=200.0, size=40)  # all LR pixels see the same mean
    gram = LRGram(spatial, SIZE)
    T = torch.ones((1, 1, 3, 2), dtype=torch.float64)
    torch.testing.assert_close(gram.apply(gram.solve(T)), T, rtol=1e-6, atol=1e-8)
    assert gram.solve(draw(1, 1, 3, 2)).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("kind", KINDS)
def test_one_pass_satisfies_both_images(kind, border, dtype):
    observed = observation(kind, border)
    truth = draw(2, BANDS, *SIZE, dtype=dtype)
    X, Y = observed.observe(truth)
    Z = JointProjection(observed, SIZE).project(draw(2, BANDS, *SIZE, seed=1, dtype=dtype), X, Y)
    assert Z.dtype == dtype
    assert max(observed.residuals(Z, X, Y)) < (1e-10 if dtype == torch.float64 else 1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_projection_laws(kind):
    observed = observation(kind)
    projection = JointProjection(observed, SIZE)
    truth, start = draw(2, BANDS, *SIZE), draw(2, BANDS, *SIZE, seed=1)
    X, Y = observed.observe(truth)
    Z = projection.project(start, X, Y)
    torch.testing.assert_close(projection.project(Z, X, Y), Z, rtol=0, atol=1e-10)  # idempotent
    torch.testing.assert_close(projection.project(truth, X, Y), truth, rtol=0, atol=1e-10)
    # the move is orthogonal to every direction that neither image sees, so no allowed point is nearer
    zero_x, zero_y = torch.zeros_like(X), torch.zeros_like(Y)
    unseen = projection.project(draw(2, BANDS, *SIZE, seed=2), zero_x, zero_y)
    assert unseen.norm() > 1
    assert abs(((Z - start) * unseen).sum()) < 1e-9 * unseen.norm() * start.norm()
    # Pythagoras: never further from the truth, in any scene of the batch
    left = (start - truth).square().sum((1, 2, 3))
    right = (Z - truth).square().sum((1, 2, 3)) + (Z - start).square().sum((1, 2, 3))
    torch.testing.assert_close(left, right)


@pytest.mark.parametrize("kind", ["disjoint", "separable", "general"])
def test_a_pair_that_disagrees_is_moved_to_the_nearest_that_agrees(kind):
    observed = observation(kind)
    R, D = dense(observed)
    X, Y = draw(1, 2, *SIZE, seed=4), draw(1, BANDS, 3, 2, seed=5)
    sigma_x, sigma_y = 0.5, 0.2
    projection = JointProjection(observed, SIZE, sigma_x, sigma_y)
    near_x, near_y = projection.reconcile(X, Y)
    torch.testing.assert_close(observed.spectral.apply(near_y), observed.spatial.apply(near_x), rtol=0, atol=1e-10)
    # dense oracle: weighted projection of the stacked pair on the null space of (X, Y) -> R Y - X D
    eye_x, eye_y = torch.eye(2, dtype=torch.float64), torch.eye(6, dtype=torch.float64)
    A = torch.cat([-torch.kron(eye_x, D.T.contiguous()), torch.kron(R.contiguous(), eye_y)], dim=1)
    pair = torch.cat([X.flatten(), Y.flatten()])
    C = torch.cat([full(X.numel(), sigma_x**2), full(Y.numel(), sigma_y**2)])
    expected = pair - C * (A.T @ torch.linalg.solve(A @ (C[:, None] * A.T), A @ pair))
    torch.testing.assert_close(torch.cat([near_x.flatten(), near_y.flatten()]), expected, rtol=0, atol=1e-9)
    Z = projection.project(draw(1, BANDS, *SIZE), X, Y)
    assert max(observed.residuals(Z, near_x, near_y)) < 1e-10


def test_the_image_without_noise_is_kept():
    observed = observation()
    X, Y = draw(1, 2, *SIZE, seed=4), draw(1, BANDS, 3, 2, seed=5)
    near_x, near_y = JointProjection(observed, SIZE, 0.0, 1.0).reconcile(X, Y)
    assert torch.equal(near_x, X)
    torch.testing.assert_close(observed.spectral.apply(near_y), observed.spatial.apply(X), rtol=0, atol=1e-12)
    near_x, near_y = JointProjection(observed, SIZE, 1.0, 0.0).reconcile(X, Y)
    assert torch.equal(near_y, Y)
    torch.testing.assert_close(observed.spatial.apply(near_x), observed.spectral.apply(Y), rtol=0, atol=1e-12)


def dense_soft(observed, Z, X, Y, sigma_x, sigma_y, prior):
    """The normal equations of the weighted least squares, solved whole."""
    R, D = dense(observed)
    pixels = torch.eye(D.shape[0], dtype=torch.float64)
    A_x, A_y = torch.kron(R.contiguous(), pixels), torch.kron(torch.eye(BANDS, dtype=torch.float64), D.T.contiguous())
    W_x = (1 / sigma_x.square()).repeat_interleave(D.shape[0])
    W_y = (1 / sigma_y.square()).repeat_interleave(D.shape[1])
    W_z = torch.kron(torch.linalg.inv(prior).contiguous(), pixels)
    matrix = A_x.T @ (W_x[:, None] * A_x) + A_y.T @ (W_y[:, None] * A_y) + W_z
    right = A_x.T @ (W_x * X.flatten()) + A_y.T @ (W_y * Y.flatten()) + W_z @ Z.flatten()
    return torch.linalg.solve(matrix, right).reshape(Z.shape), torch.linalg.inv(matrix).diagonal().reshape(Z.shape)


@pytest.mark.parametrize("kind", ["disjoint", "separable", "general"])
def test_sylvester_form_agrees_with_a_dense_solve(kind):
    observed = observation(kind)
    Z, X, Y = draw(1, BANDS, *SIZE), draw(1, 2, *SIZE, seed=1), draw(1, BANDS, 3, 2, seed=2)
    root = draw(BANDS, BANDS, seed=6)
    eye = torch.eye(BANDS, dtype=torch.float64)
    covariance = root @ root.T + 0.1 * eye
    x = torch.tensor([0.3, 0.5], dtype=torch.float64)
    y = torch.linspace(0.1, 0.4, BANDS, dtype=torch.float64)
    cases = [
        (0.3, 0.2, 0.7, full(2, 0.3), full(BANDS, 0.2), 0.49 * eye),
        (0.3, 0.2, y, full(2, 0.3), full(BANDS, 0.2), torch.diag(y.square())),
        (x, y, covariance, x, y, covariance),
    ]
    for sigma_x, sigma_y, prior, dense_x, dense_y, T in cases:
        expected, variance = dense_soft(observed, Z, X, Y, dense_x, dense_y, T)
        soft = SoftConsistency(observed, SIZE, sigma_x, sigma_y, prior)
        torch.testing.assert_close(soft.project(Z, X, Y), expected, rtol=0, atol=1e-9)
        if kind != "general":
            share = variance[0] / T.diagonal()[:, None, None]
            torch.testing.assert_close(soft.variance_share(), share, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_limits_of_the_noise_levels(kind):
    observed = observation(kind)
    start, X, Y = draw(2, BANDS, *SIZE), draw(2, 2, *SIZE, seed=1), draw(2, BANDS, 3, 2, seed=2)
    ratio = JointProjection(observed, SIZE, 2.0, 1.0).project(start, X, Y)
    near = SoftConsistency(observed, SIZE, 2e-5, 1e-5, 1.0).project(start, X, Y)
    torch.testing.assert_close(near, ratio, rtol=0, atol=1e-6)
    X, Y = observed.observe(draw(2, BANDS, *SIZE, seed=7))
    hard = JointProjection(observed, SIZE).project(start, X, Y)
    exact = SoftConsistency(observed, SIZE, 0.0, 0.0, 3.0)
    torch.testing.assert_close(exact.project(start, X, Y), hard, rtol=0, atol=1e-9)
    far = SoftConsistency(observed, SIZE, 1e8, 1e8, 1.0)
    torch.testing.assert_close(far.project(start, X, Y), start, rtol=0, atol=1e-9)
    certain = SoftConsistency(observed, SIZE, 0.1, 0.1, 0.0)
    assert torch.equal(certain.project(start, X, Y), start)
    if kind != "general":
        # as many variances vanish in sum as there are independent observations: b HW + (B - b) hw
        left = float(exact.variance_share().sum())
        assert left == pytest.approx((BANDS - 2) * (12 * 8 - 3 * 2), rel=1e-9)
        assert float(far.variance_share().min()) == pytest.approx(1.0, abs=1e-9)


def test_noise_is_where_the_soft_form_pays():
    observed = observation()
    truth = draw(1, BANDS, *SIZE)
    X, Y = observed.observe(truth)
    X, Y = X + 0.5 * draw(*X.shape, seed=1), Y + 0.5 * draw(*Y.shape, seed=2)
    start = truth + 0.3 * draw(*truth.shape, seed=3)
    error = {
        "start": start,
        "hard": JointProjection(observed, SIZE).project(start, X, Y),
        "soft": SoftConsistency(observed, SIZE, 0.5, 0.5, 0.3).project(start, X, Y),
    }
    error = {name: float((Z - truth).norm()) for name, Z in error.items()}
    assert error["soft"] < error["start"] < error["hard"]


@pytest.mark.parametrize("kind", ["disjoint", "separable", "general"])
def test_gradients(kind):
    size = (8, 4)
    observed = observation(kind)
    Z, X, Y = draw(1, BANDS, *size), draw(1, 2, *size, seed=1), draw(1, BANDS, 2, 1, seed=2)
    inputs = tuple(t.requires_grad_() for t in (Z, X, Y))
    for consistency in (JointProjection(observed, size), SoftConsistency(observed, size, 0.3, 0.2, 0.5)):
        assert torch.autograd.gradcheck(consistency.project, inputs, fast_mode=True)


def test_refusals():
    observed = observation()
    with pytest.raises(InputError, match="both noise levels are 0"):
        JointProjection(observed, SIZE, 0.0, 0.0)
    with pytest.raises(InputError, match="noise level of X is -1"):
        JointProjection(observed, SIZE, -1.0)
    with pytest.raises(InputError, match="noise level of Y"):
        SoftConsistency(observed, SIZE, 0.1, math.nan, 1.0)
    with pytest.raises(InputError, match="some bands"):
        SoftConsistency(observed, SIZE, 0.1, torch.tensor([0.0, 1, 1, 1, 1]), 1.0)
    with pytest.raises(ShapeError, match="prior covariance"):
        SoftConsistency(observed, SIZE, 0.1, 0.1, torch.eye(3))
    with pytest.raises(ShapeError, match="multiples of the factor"):
        JointProjection(observed, (13, 8))
    projection = JointProjection(observed, SIZE)
    with pytest.raises(ShapeError, match="Y has shape"):
        projection.project(draw(1, BANDS, *SIZE), draw(1, 2, *SIZE), draw(1, BANDS, 3, 3))
