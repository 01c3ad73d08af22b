"""The networks of the paper's ablation, and a U-Net: each a denoiser like CDFormer."""

from hsrdiff.networks.ablations.cnn import CDCNN
from hsrdiff.networks.ablations.regression import RegressionCDFormer
from hsrdiff.networks.ablations.unet import UNet, UNetConfig
from hsrdiff.networks.ablations.without_sr import CDFormerWithoutSR

__all__ = ["CDCNN", "CDFormerWithoutSR", "RegressionCDFormer", "UNet", "UNetConfig"]
