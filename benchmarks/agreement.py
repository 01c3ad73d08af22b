"""Do the networks of the competitors give what their authors' own programs give, with the same weights? On the CPU.

FOLDER holds the authors' files under the names that `FILES` gives; none of them comes with this package. They are run
in float64 with random weights, which are then copied into ours.

Usage: python -m benchmarks.agreement FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from hsrdiff.networks.competitors import COMPETITORS, Competitor
from hsrdiff.networks.competitors.ual_adaptor import Adaptor

# name in FOLDER -> where it is published
FILES = {
    "brresnet.py": "liangjiandeng/BAM:HISR/CAVE/model.py",
    "ual.py": "JiangtaoNie/UAL:ThreeBranch_3.py",
    "ual_adaptor.py": "JiangtaoNie/UAL:function.py",
    "fusformer.py": "J-FHu/Fusformer:model.py",
}
BANDS, MSI_BANDS, FACTOR, SIDE = 31, 3, 4, 64  # of the authors' programs


def theirs(folder: Path, name: str) -> Any:
    """Run a file of the authors, without what only a graphics card has."""
    module = ModuleType(name)
    text = (folder / name).read_text(encoding="utf-8").replace(".cuda()", "")
    exec(compile(text, str(folder / name), "exec"), module.__dict__)
    return module


def ours(name: str) -> Competitor:
    return COMPETITORS[name].build(BANDS, MSI_BANDS, FACTOR).double().eval()


def copy(source: Sequence[nn.Module], target: Sequence[nn.Module]) -> int:
    """Copy parameters in order; return how many numbers they are."""
    pairs = zip(
        (p for module in source for p in module.parameters()),
        (p for module in target for p in module.parameters()),
        strict=True,
    )
    with torch.no_grad():
        return sum(own.copy_(given).numel() for given, own in pairs)


def brresnet(folder: Path, X: torch.Tensor, Y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, int]:
    given, own = theirs(folder, "brresnet.py").BRResNet().double(), ours("brresnet")
    count = copy([given], [own])
    return given(X, Y), own(X, Y), count


def ual(folder: Path, X: torch.Tensor, Y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, int]:
    given, own = theirs(folder, "ual.py").ThreeBranch_Net().double(), ours("ual")
    stems = [getattr(given, f"layerIn{branch}_{part}") for branch in (1, 2, 3) for part in (1, 2)]
    stages = [getattr(given, f"branch{branch}_{stage}") for stage in (1, 2) for branch in (1, 2, 3)]
    exchange = [getattr(given, f"layer{branch}_{part}") for part in "GMB" for branch in "XYZ"]
    tail = [given.layerOut1, given.layerOut2, given.layerOut3]
    shared: Any = own
    into = [shared.stems, shared.first, shared.second, shared.exchange, shared.tail]
    count = copy([*stems, *stages, given.Infor, *exchange, *tail], into)
    U = F.interpolate(Y, size=X.shape[-2:], mode="bilinear")
    return given(X, torch.cat([U, X], dim=1), U), own(X, Y), count


def ual_adaptor(folder: Path, X: torch.Tensor, Y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, int]:
    given, own = theirs(folder, "ual_adaptor.py").FineNet_SelfAtt().double(), Adaptor(BANDS).double()
    count = copy([given], [own])
    return given(Y), own(Y), count


def fusformer(folder: Path, X: torch.Tensor, Y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, int]:
    given, own = theirs(folder, "fusformer.py").MainNet().double(), ours("fusformer")
    layers = [part for stream in (given.T_E, given.T_D) for layer in stream.layers for part in layer]
    shared: Any = own
    into = [shared.embed, shared.layers, shared.refine_in, shared.refine_out]
    count = copy([given.Embedding, *layers, given.refine], into)
    return given(Y, X)[0], own(X, Y), count


def main(folder: Path) -> None:
    torch.manual_seed(0)
    X = torch.rand(1, MSI_BANDS, SIDE, SIDE, dtype=torch.float64)
    Y = torch.rand(1, BANDS, SIDE // FACTOR, SIDE // FACTOR, dtype=torch.float64)
    for compare in (brresnet, ual, ual_adaptor, fusformer):
        with torch.no_grad():
            a, b, count = compare(folder, X, Y)
        worst = float((a - b).abs().max())
        print(f"{compare.__name__}: {count:,} parameters, largest difference {worst:.1e} of {float(a.abs().max()):.2g}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
