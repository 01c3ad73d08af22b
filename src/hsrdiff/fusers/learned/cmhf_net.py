"""CMHF-Net as a fuser."""

from __future__ import annotations

from hsrdiff.fusers.learned.competitor import CompetitorFuser


class CMHFNetFuser(CompetitorFuser):
    """Unrolled proximal gradient steps (Xie et al., TPAMI 2022), whole images; see `networks.competitors.cmhf_net`."""

    name = "cmhf-net"
