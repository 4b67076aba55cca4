"""What a patch looks like: colour, contrast, and the frequency and direction of its strongest grating.

Colours are means of the sRGB values that the model was given. Hue, saturation and brightness are those of the mean
colour (HSV, Smith 1978). Contrast is the standard deviation of luma (Rec. 709 weights on sRGB values, 0 … 1: RMS
contrast, Peli 1990). The spectrum is that of luma without its mean under a Hann window, padded with zeros; its largest
entry gives frequency (cycles a patch, along the longer side) and direction.
"""

from dataclasses import dataclass

import numpy as np

_LUMA = np.array([0.2126, 0.7152, 0.0722])
_PADDED = 64  # points of the spectrum a side: steps of a quarter cycle for a patch of 16 pixels
FLAT = 0.01  # contrast below which a patch has no grating worth naming
GREY = 0.08  # saturation below which a patch has no hue worth naming


@dataclass(frozen=True)
class Features:
    """All float32 [patches], but colour: uint8 [patches, 3].

    hue, orientation: degrees; orientation is the direction across the stripes, 0 for upright ones, 0 … 180; both are
    NaN where a patch has none · saturation, brightness, contrast: 0 … 1 · frequency: cycles a patch, 0 for flat ones
    """

    colour: np.ndarray
    hue: np.ndarray
    saturation: np.ndarray
    brightness: np.ndarray
    contrast: np.ndarray
    frequency: np.ndarray
    orientation: np.ndarray


def features(patches: np.ndarray) -> Features:
    """Features of patches, uint8 [patches, height, width, 3]."""
    values = patches.astype(np.float64) / 255
    mean = values.mean(axis=(1, 2))
    hue, saturation, brightness = _hsv(mean)
    luma = values @ _LUMA
    contrast = luma.std(axis=(1, 2))
    frequency, orientation = _grating(luma)
    flat = contrast < FLAT
    return Features(
        colour=np.rint(mean * 255).astype(np.uint8),
        hue=np.where(saturation < GREY, np.nan, hue).astype(np.float32),
        saturation=saturation.astype(np.float32),
        brightness=brightness.astype(np.float32),
        contrast=contrast.astype(np.float32),
        frequency=np.where(flat, 0, frequency).astype(np.float32),
        orientation=np.where(flat, np.nan, orientation).astype(np.float32),
    )


def _hsv(colours: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hue in degrees, saturation and value of colours [n, 3] in 0 … 1."""
    red, green, blue = colours.T
    high, low = colours.max(axis=1), colours.min(axis=1)
    span = high - low
    safe = np.where(span > 0, span, 1)
    sector = np.select(
        [high == red, high == green], [((green - blue) / safe) % 6, (blue - red) / safe + 2], (red - green) / safe + 4
    )
    return np.where(span > 0, sector * 60, 0), np.where(high > 0, span / np.where(high > 0, high, 1), 0), high


def _grating(luma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cycles a patch and direction in degrees of the strongest wave of luma [n, height, width]."""
    count, height, width = luma.shape
    window = np.hanning(height + 2)[1:-1, None] * np.hanning(width + 2)[None, 1:-1]
    weighted = luma * window
    centred = weighted - window * (weighted.sum(axis=(1, 2)) / window.sum())[:, None, None]
    side = max(_PADDED, 1 << (max(height, width) - 1).bit_length())
    power = np.abs(np.fft.rfft2(centred, s=(side, side))) ** 2
    down = np.fft.fftfreq(side)[:, None] * height  # cycles a patch
    across = np.fft.rfftfreq(side)[None, :] * width
    # Below one cycle a patch the window cannot tell a wave from a slope.
    power[:, np.hypot(down, across) < 1] = 0
    place = power.reshape(count, -1).argmax(axis=1)
    down, across = (np.broadcast_to(axis, power.shape[1:]).ravel()[place] for axis in (down, across))
    per_pixel = np.hypot(down / height, across / width)
    return per_pixel * max(height, width), np.degrees(np.arctan2(down / height, across / width)) % 180
