"""Every learned competitor by name: the one table to add a line to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hsrdiff.networks.competitors.base import Competitor, CompetitorConfig
from hsrdiff.networks.competitors.brresnet import BRResNet, BRResNetConfig


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
    "brresnet": CompetitorEntry(
        BRResNet,
        BRResNetConfig,
        "Jin, Deng, Zhang and Jin, BAM: Bilateral activation mechanism for image fusion, ACM MM 2021",
    ),
}
