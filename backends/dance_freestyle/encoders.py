"""The networks that see appearance: VGG-19, VGGFace2's ResNet-50, and small ones of our own.

The published two keep the names and layout of their published files, so that those load as they
are. All take RGB (N, 3, S, S) in [0, 1] and prepare it in their own way.
"""

# ruff: noqa: N812 (the paper's and torch's notation)
from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dance_freestyle import weight_files
from dance_freestyle.blocks import conv

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
VGGFACE2_MEAN = (91.4953, 103.8827, 131.0912)
"""Blue, green, red, 0-255 [ox-vgg/vgg_face2]."""

_VGG19 = (
    64,
    64,
    0,
    128,
    128,
    0,
    256,
    256,
    256,
    256,
    0,
    512,
    512,
    512,
    512,
    0,
    512,
    512,
    512,
    512,
    0,
)
"""Outputs of each convolution of VGG-19, 0 for a pooling [39]."""

_VGG19_TAPS = (1, 6, 11, 20, 29)
"""Positions of relu1_1, relu2_1, relu3_1, relu4_1 and relu5_1."""


class Vgg19(nn.Module):
    """VGG-19's convolutions [39] with torchvision's names: `features.0.weight`, ..."""

    size = 512

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for outputs in _VGG19:
            if outputs:
                layers += [conv(inputs, outputs), nn.ReLU()]
                inputs = outputs
            else:
                layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """relu1_1, relu2_1, relu3_1, relu4_1, relu5_1: what equation 16 compares.

        (N, 64, S, S) to (N, 512, S/16, S/16), each level half the size of the one before.
        """
        x, taps = _imagenet_normalised(rgb), list[Tensor]()
        for position, layer in enumerate(self.features):
            x = layer(x)
            if position in _VGG19_TAPS:
                taps.append(x)
            if position == _VGG19_TAPS[-1]:
                break
        return taps

    def embed(self, rgb: Tensor) -> Tensor:
        """(N, 512): the last convolutions' output, averaged over the picture (equation 5)."""
        out: Tensor = self.features(_imagenet_normalised(rgb)).mean((2, 3))
        return out


class Bottleneck(nn.Module):
    """ResNet's block of 1×1, 3×3 and 1×1 convolutions."""

    def __init__(
        self, inputs: int, width: int, stride: int, dilation: int = 1, first: bool = True
    ) -> None:
        """first: the stride is on the first convolution, as Caffe has it, else on the second."""
        super().__init__()
        one, two = (stride, 1) if first else (1, stride)
        self.conv1 = nn.Conv2d(inputs, width, 1, one, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, two, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = None
        if stride != 1 or inputs != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) to (N, 4·width, h/stride, w/stride)."""
        shortcut = self.downsample(x) if self.downsample else x
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return F.relu(shortcut + self.bn3(self.conv3(x)))


class VggFace2(nn.Module):
    """VGGFace2's ResNet-50 [3] in the layout of its Caffe release (cydonia999/VGGFace2-pytorch)."""

    size = 2048

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _stage(64, 64, 3, 1)
        self.layer2 = _stage(256, 128, 4, 2)
        self.layer3 = _stage(512, 256, 6, 2)
        self.layer4 = _stage(1024, 512, 3, 2)

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """Activations 112², 56², 28², 7² and 1² of a 224² face: what equation 18 compares."""
        x112 = F.relu(self.bn1(self.conv1(_vggface2_normalised(rgb))))
        x56 = self.layer1(F.max_pool2d(x112, 3, 2, ceil_mode=True))
        x28 = self.layer2(x56)
        x7 = self.layer4(self.layer3(x28))
        return [x112, x56, x28, x7, x7.mean((2, 3), keepdim=True)]

    def embed(self, rgb: Tensor) -> Tensor:
        """(N, 2048): VGGFace2(t1) of equation 5, the penultimate layer."""
        features: list[Tensor] = self(rgb)
        return features[-1].flatten(1)


def _stage(inputs: int, width: int, count: int, stride: int) -> nn.Sequential:
    rest = [Bottleneck(4 * width, width, 1) for _ in range(count - 1)]
    return nn.Sequential(Bottleneck(inputs, width, stride), *rest)


class SmallEncoder(nn.Module):
    """Four halvings and a mean: an encoder to be trained with the network it serves."""

    def __init__(self, size: int, widths: tuple[int, ...] = (16, 32, 64, 96)) -> None:
        super().__init__()
        self.size = size
        inputs = (3, *widths)
        self.layers = nn.ModuleList(
            nn.Sequential(conv(a, b, stride=2), nn.GroupNorm(8, b), nn.SiLU())
            for a, b in zip(inputs, widths, strict=False)
        )
        self.last = nn.Linear(widths[-1], size)

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """The activations of every halving, (N, widths[k], S/2, S/2) first."""
        x, taps = rgb * 2 - 1, []
        for layer in self.layers:
            x = layer(x)
            taps.append(x)
        return taps

    def embed(self, rgb: Tensor) -> Tensor:
        """(N, size)."""
        out: Tensor = self.last(self(rgb)[-1].mean((2, 3)))
        return out


def _imagenet_normalised(rgb: Tensor) -> Tensor:
    """RGB (N, 3, S, S) in [0, 1] less ImageNet's mean, over its deviation."""
    return (rgb - _channels(IMAGENET_MEAN, rgb)) / _channels(IMAGENET_STD, rgb)


def _vggface2_normalised(rgb: Tensor) -> Tensor:
    """RGB (N, 3, S, S) in [0, 1] as blue, green, red 0-255 less the mean."""
    return rgb.flip(1) * 255 - _channels(VGGFACE2_MEAN, rgb)


def _channels(values: tuple[float, ...], like: Tensor) -> Tensor:
    return torch.tensor(values, device=like.device, dtype=like.dtype).view(3, 1, 1)


def vgg19() -> Vgg19:
    """VGG-19 with its published weights, frozen.

    Raises WeightsError when the file is missing or is not VGG-19's.
    """
    network = Vgg19()
    _load(network, "vgg19", ignored="classifier.")
    return network


def vggface2() -> VggFace2:
    """VGGFace2's ResNet-50 with its published weights, frozen.

    Raises WeightsError when the file is missing or is not that network's.
    """
    network = VggFace2()
    _load(network, "vggface2", ignored="fc.")
    return network


def _load(network: nn.Module, name: str, ignored: str) -> None:
    path, state = weight_files.published(name)
    kept = {key: value for key, value in state.items() if not key.startswith(ignored)}
    expected = network.state_dict()
    whole = weight_files.with_counters(kept, expected)
    weight_files.check_state(path, expected, whole)
    network.load_state_dict(whole)
    network.eval().requires_grad_(False)
