"""Where an image lies in the frame of its camera: what a lens and a sensor do depends on it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

EDGES = 4  # maps: top, bottom, left and right
_NEAR = 2.0  # pixels in which a map falls to 1/e: the defects known of CAVE's camera are four columns wide


@dataclass(frozen=True)
class Frame:
    """A camera's frame, and the place of an image in it.

    Attributes:
        size: Rows and columns of the whole frame, in pixels.
        place: Row and column of the image's first pixel in it.
    """

    size: tuple[int, int]
    place: tuple[int, int] = (0, 0)

    @property
    def axis(self) -> tuple[float, float]:
        """Where the optical axis meets the image, row and column in pixels: the middle of the frame."""
        return (self.size[0] - 1) / 2 - self.place[0], (self.size[1] - 1) / 2 - self.place[1]

    def edges(self, height: int, width: int) -> torch.Tensor:
        """Tell how near each pixel is to each edge of the frame, ``exp(-d / 2)`` of the distance d in pixels.

        Args:
            height: H of the image.
            width: W of the image.

        Returns:
            Maps of the top, bottom, left and right edge, 1 on the outermost pixels, shape (1, 4, H, W), float32.
        """
        maps = []
        for dim, length in ((0, height), (1, width)):
            place = torch.arange(length, dtype=torch.float32) + self.place[dim]
            for far in (place, self.size[dim] - 1 - place):
                near = torch.exp(-far / _NEAR)
                maps.append((near[:, None] if dim == 0 else near[None, :]).expand(height, width))
        return torch.stack(maps)[None]


def whole_frame(camera: tuple[int, int] | None, size: tuple[int, int]) -> Frame | None:
    """Return the frame of an image as large as its camera's; an image of another size may be any part of it.

    Args:
        camera: Size of the camera's frame, where one is known.
        size: (H, W) of the image.

    Returns:
        The frame, or None where the image's place is not known.
    """
    return Frame(size) if camera == size else None


def frame_note(camera: tuple[int, int] | None, size: tuple[int, int]) -> dict[str, str]:
    """Say where a network that knows its camera's frame meets an image of another size.

    Args:
        camera: Size of the camera's frame, where one is known.
        size: (H, W) of the image.

    Returns:
        One note, or none.
    """
    if camera is None or camera == size:
        return {}
    height, width = camera
    return {
        "frame": f"the image has {size[0]} x {size[1]} pixels, the frame of the weights' camera {height} x {width}: "
        "it is taken for some part of it, with the optical axis in its middle and without the frame's edges"
    }
