"""The only source of randomness: generators keyed by a seed and names.

The same seed and keys give the same numbers whatever else was drawn before, so that a resumed run, a second
process or another tile sees what it would have seen.
"""

from __future__ import annotations

import hashlib

import torch


def derive_seed(seed: int, *keys: int | str) -> int:
    """Hash a seed and keys to a 63-bit seed, the same on every machine.

    Args:
        seed: The run's seed.
        *keys: What the numbers are for, such as ``"crop"`` and a step.

    Returns:
        An integer in [0, 2**63).
    """
    text = "\x1f".join([str(int(seed)), *(f"{type(k).__name__}:{k}" for k in keys)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *keys: int | str, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a torch generator for `seed` and `keys`.

    Args:
        seed: The run's seed.
        *keys: What the numbers are for.
        device: Where the generator lives.

    Returns:
        A generator that depends on nothing but the arguments.
    """
    return torch.Generator(device=device).manual_seed(derive_seed(seed, *keys))


def normal_like(reference: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw N(0, 1) with the shape, type and device of `reference`.

    Args:
        reference: Gives shape, dtype and device; its values are not used.
        generator: Source of the numbers; may live on the CPU while `reference` does not.

    Returns:
        A new tensor like `reference`.
    """
    drawn = torch.randn(reference.shape, generator=generator, dtype=reference.dtype, device=generator.device)
    return drawn.to(reference.device)
