"""Cutting a feature map into windows, shifted or not, and attending inside them."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import nn
from torch.nn import functional as F

_WINDOWS = 128  # that attend at a time


def partition(features: torch.Tensor, window: int) -> torch.Tensor:
    """Cut a map into windows of tokens.

    Args:
        features: Shape (n, H, W, C); H and W are multiples of `window`.
        window: Side M of a window in pixels.

    Returns:
        Tokens, shape (n, H/M, W/M, M*M, C).
    """
    return rearrange(features, "n (i p) (j q) c -> n i j (p q) c", p=window, q=window)


def merge(tokens: torch.Tensor, window: int) -> torch.Tensor:
    """Undo `partition`: (n, H/M, W/M, M*M, C) to (n, H, W, C)."""
    return rearrange(tokens, "n i j (p q) c -> n (i p) (j q) c", p=window, q=window)


def relative_index(window: int) -> torch.Tensor:
    """Return for each pair of tokens of a window the row of the relative-position table.

    Args:
        window: Side M.

    Returns:
        int64, shape (M*M, M*M), entries ``(dy + M - 1) * (2M - 1) + (dx + M - 1)``.
    """
    y, x = torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")
    place = torch.stack([y.flatten(), x.flatten()])
    delta = place[:, :, None] - place[:, None, :] + window - 1
    return delta[0] * (2 * window - 1) + delta[1]


class RelativePositionBias(nn.Module):
    """A learnt bias for each head and each displacement inside a window, as in Swin.

    Args:
        window: Side M.
        heads: Number of heads.
    """

    index: torch.Tensor

    def __init__(self, window: int, heads: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty((2 * window - 1) ** 2, heads))
        self.register_buffer("index", relative_index(window), persistent=False)

    def forward(self) -> torch.Tensor:
        """Return the bias, shape (heads, M*M, M*M)."""
        return rearrange(self.table[self.index], "p q k -> k p q")


def distance_bias(window: int, heads: int) -> torch.Tensor:
    """Return a fixed bias that favours near pixels, from head to head less: ``-4 / 4**head * distance`` in pixels.

    Args:
        window: Side M.
        heads: Number of heads; the first one looks at its own pixel almost only, the last ones nearly everywhere.

    Returns:
        Shape (heads, M*M, M*M).
    """
    y, x = torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")
    place = torch.stack([y.flatten(), x.flatten()], dim=-1).float()
    slopes = 4.0 / 4.0 ** torch.arange(heads)
    return -slopes[:, None, None] * torch.cdist(place, place)


def shift_mask(window: int, *, last_row: bool, last_column: bool) -> torch.Tensor:
    """Return True where two tokens of a shifted window may see each other.

    After rolling a map by -M/2 the last row and column of windows hold pixels of both sides of the image, which must
    not meet.

    Args:
        window: Side M.
        last_row: The window lies in the last row.
        last_column: The window lies in the last column.

    Returns:
        bool, shape (M*M, M*M).
    """
    far = torch.arange(window) >= window - window // 2
    none = torch.zeros(window, dtype=torch.bool)
    y, x = torch.meshgrid(far if last_row else none, far if last_column else none, indexing="ij")
    side = 2 * y.flatten().int() + x.flatten().int()
    return side[:, None] == side[None, :]


def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Attend inside each window: softmax(q kᵀ / sqrt(d) + bias) v in each head.

    Args:
        q: Queries, shape (n, I, J, M*M, C).
        k: Keys, the same shape.
        v: Values, the same shape.
        bias: Added to the logits, shape (heads, M*M, M*M).

    Returns:
        Shape of q.
    """
    qs, ks, vs = (t.reshape(-1, *t.shape[3:]) for t in (q, k, v))
    if q.device.type != "cpu":
        return _fused(qs, ks, vs, bias).view(q.shape)
    # Numerics: so many windows at a time that their logits stay in the cache. On a processor the fused kernel is no
    # faster than this in float32, and several times slower in bfloat16 and where a gradient is asked for.
    some = zip(*(torch.split(t, _WINDOWS) for t in (qs, ks, vs)), strict=True)
    return torch.cat([_by_products(qw, kw, vw, bias) for qw, kw, vw in some]).view(q.shape)


def _fused(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Attend by torch's kernel; tokens of shape (windows, M*M, C)."""
    qs, ks, vs = (rearrange(t, "w t (k d) -> w k t d", k=len(bias)) for t in (q, k, v))
    mask = bias.to(q.dtype).contiguous()[None].expand(len(q), -1, -1, -1)
    return F.scaled_dot_product_attention(qs, ks, vs, attn_mask=mask).transpose(1, 2).reshape(q.shape)


def _by_products(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Attend by two matrix products a head; tokens of shape (windows, M*M, C)."""
    out = []
    heads = (t.chunk(len(bias), dim=-1) for t in (q, k, v))
    for added, qh, kh, vh in zip(bias.to(q.dtype), *heads, strict=True):
        logits = torch.baddbmm(added, qh, kh.transpose(1, 2), alpha=qh.shape[-1] ** -0.5)
        out.append(torch.bmm(logits.softmax(-1), vh))
    return torch.cat(out, dim=-1)


def attend_shifted(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor, window: int) -> torch.Tensor:
    """Attend inside windows of a rolled map, keeping apart what lay on opposite sides of the image.

    Args:
        q: Queries of the rolled map, shape (n, I, J, M*M, C).
        k: Keys, the same shape.
        v: Values, the same shape.
        bias: Relative-position bias, shape (heads, M*M, M*M).
        window: Side M.

    Returns:
        Shape of q.
    """

    # Only the last row and column of windows need a mask: four calls with a small mask each instead of one with a
    # mask per window, which at 512 x 512 would be larger than the features.
    def part(rows: slice, columns: slice, last_row: bool, last_column: bool) -> torch.Tensor:
        qs, ks, vs = (t[:, rows, columns] for t in (q, k, v))
        if qs.shape[1] == 0 or qs.shape[2] == 0:
            return qs
        allowed = shift_mask(window, last_row=last_row, last_column=last_column).to(bias.device)
        logits = bias if bool(allowed.all()) else bias.masked_fill(~allowed, float("-inf"))
        return attend(qs, ks, vs, logits)

    head, tail = slice(None, -1), slice(-1, None)
    upper = torch.cat([part(head, head, False, False), part(head, tail, False, True)], dim=2)
    lower = torch.cat([part(tail, head, True, False), part(tail, tail, True, True)], dim=2)
    return torch.cat([upper, lower], dim=1)
