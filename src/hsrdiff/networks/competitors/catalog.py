"""Every learned competitor by name: the one table to add a line to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hsrdiff.networks.competitors.base import Competitor, CompetitorConfig
from hsrdiff.networks.competitors.brresnet import BRResNet, BRResNetConfig
from hsrdiff.networks.competitors.cmhf_net import CMHFNet, CMHFNetConfig
from hsrdiff.networks.competitors.fusformer import Fusformer, FusformerConfig
from hsrdiff.networks.competitors.ual import UAL, UALConfig


@dataclass(frozen=True)
class CompetitorEntry:
    """One line of the catalog.

    Attributes:
        network: The class, called with bands, msi_bands, factor and configuration.
        config: Class of the configuration; its defaults are the published sizes.
        citation: Who published the method.
    """

    network: Callable[..., Competitor]
    config: type[CompetitorConfig]
    citation: str

    def build(self, bands: int, msi_bands: int, factor: int, config: CompetitorConfig | None = None) -> Competitor:
        """Make the network.

        Args:
            bands: B.
            msi_bands: b.
            factor: H / h.
            config: Its shape; the published one when None.

        Returns:
            The network with random weights from torch's global generator.

        Raises:
            FactorError: If the method cannot be built for this factor.
        """
        return self.network(bands, msi_bands, factor, config)


COMPETITORS: dict[str, CompetitorEntry] = {
    "ual": CompetitorEntry(
        UAL,
        UALConfig,
        "Zhang, Nie, Wei, Zhang, Liao and Shao, Unsupervised adaptation learning for hyperspectral imagery "
        "super-resolution, CVPR 2020",
    ),
    "brresnet": CompetitorEntry(
        BRResNet,
        BRResNetConfig,
        "Jin, Deng, Zhang and Jin, BAM: Bilateral activation mechanism for image fusion, ACM MM 2021",
    ),
    "cmhf-net": CompetitorEntry(
        CMHFNet,
        CMHFNetConfig,
        "Xie, Zhou, Zhao, Xu and Meng, MHF-Net: An interpretable deep network for multispectral and hyperspectral "
        "image fusion, IEEE TPAMI 2022",
    ),
    "fusformer": CompetitorEntry(
        Fusformer,
        FusformerConfig,
        "Hu, Huang, Deng, Dou, Hong and Vivone, Fusformer: A transformer-based fusion network for hyperspectral image "
        "super-resolution, IEEE GRSL 2022",
    ),
}
