"""Plates: b of equation 7, what the person is put in front of."""

from dancecli.plate.background import BackgroundSpec, parse_background
from dancecli.plate.clean import CleanPlate, Sample, build_clean_plate, sample_indices
from dancecli.plate.driving import DrivingPlate
from dancecli.plate.holes import WIDE, body_region, person_hole
from dancecli.plate.plates import (
    FrameSource,
    Plate,
    StillPlate,
    VideoPlate,
    colour_plate,
    fitted,
)

__all__ = [
    "WIDE",
    "BackgroundSpec",
    "CleanPlate",
    "DrivingPlate",
    "FrameSource",
    "Plate",
    "Sample",
    "StillPlate",
    "VideoPlate",
    "body_region",
    "build_clean_plate",
    "colour_plate",
    "fitted",
    "parse_background",
    "person_hole",
    "sample_indices",
]
