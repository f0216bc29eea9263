"""The graphs that are run, in MediaPipe's configuration language, from the wheel's own parts."""

from __future__ import annotations

from typing import NamedTuple


class Recipe(NamedTuple):
    """A graph: its text in MediaPipe's configuration language and its side packets.

    outputs: the streams that `Graph.collect` may return.
    constants: side packets, int or bool by name.
    """

    text: str
    outputs: tuple[str, ...]
    constants: dict[str, int | bool]


_FIRST_DETECTION = """
  node { calculator: "SplitDetectionVectorCalculator"
    input_stream: "detections" output_stream: "detection"
    options { [mediapipe.SplitVectorCalculatorOptions.ext] {
      ranges { begin: 0 end: 1 } element_only: true } } }"""

RECIPES = {
    "people": Recipe(
        """input_stream: "image" output_stream: "detections"
        node { calculator: "PoseDetectionCpu"
          input_stream: "IMAGE:image" output_stream: "DETECTIONS:detections" }""",
        ("detections",),
        {},
    ),
    "pose": Recipe(
        """input_stream: "image" input_stream: "roi"
        output_stream: "landmarks" output_stream: "auxiliary"
        output_stream: "world" output_stream: "mask"
        input_side_packet: "complexity" input_side_packet: "segment"
        node { calculator: "PoseLandmarkByRoiCpu"
          input_stream: "IMAGE:image" input_stream: "ROI:roi"
          input_side_packet: "MODEL_COMPLEXITY:complexity"
          input_side_packet: "ENABLE_SEGMENTATION:segment"
          output_stream: "LANDMARKS:landmarks" output_stream: "AUXILIARY_LANDMARKS:auxiliary"
          output_stream: "WORLD_LANDMARKS:world" output_stream: "SEGMENTATION_MASK:gpu_or_cpu" }
        node { calculator: "FromImageCalculator"
          input_stream: "IMAGE:gpu_or_cpu" output_stream: "IMAGE_CPU:mask" }""",
        ("landmarks", "auxiliary", "world", "mask"),
        {"complexity": 1, "segment": True},
    ),
    "hand": Recipe(
        """input_stream: "image" input_stream: "roi"
        output_stream: "landmarks" output_stream: "handedness"
        input_side_packet: "complexity"
        node { calculator: "HandRecropByRoiCpu"
          input_stream: "IMAGE:image" input_stream: "ROI:roi"
          output_stream: "HAND_ROI_FROM_RECROP:hand" }
        node { calculator: "HandLandmarkCpu"
          input_stream: "IMAGE:image" input_stream: "ROI:hand"
          input_side_packet: "MODEL_COMPLEXITY:complexity"
          output_stream: "LANDMARKS:landmarks" output_stream: "HANDEDNESS:handedness" }""",
        ("landmarks", "handedness"),
        {"complexity": 1},
    ),
    "face": Recipe(
        """input_stream: "image" output_stream: "landmarks" output_stream: "detections"
        input_side_packet: "iris"
        node { calculator: "FaceDetectionShortRangeCpu"
          input_stream: "IMAGE:image" output_stream: "DETECTIONS:detections" }"""
        + _FIRST_DETECTION
        + """
        node { calculator: "ImagePropertiesCalculator"
          input_stream: "IMAGE:image" output_stream: "SIZE:size" }
        node { calculator: "FaceDetectionFrontDetectionToRoi"
          input_stream: "DETECTION:detection" input_stream: "IMAGE_SIZE:size"
          output_stream: "ROI:roi" }
        node { calculator: "FaceLandmarkCpu"
          input_stream: "IMAGE:image" input_stream: "ROI:roi"
          input_side_packet: "WITH_ATTENTION:iris" output_stream: "LANDMARKS:landmarks" }""",
        ("landmarks", "detections"),
        {"iris": True},
    ),
    "faces": Recipe(
        """input_stream: "image" output_stream: "detections"
        node { calculator: "FaceDetectionFullRange"
          input_stream: "IMAGE:image" output_stream: "DETECTIONS:detections"
          node_options { [type.googleapis.com/mediapipe.FaceDetectionOptions] {
            delegate { xnnpack { } } } } }""",
        ("detections",),
        {},
    ),
    "selfie": Recipe(
        """input_stream: "image" output_stream: "mask" input_side_packet: "model"
        node { calculator: "SelfieSegmentationCpu"
          input_stream: "IMAGE:image" input_side_packet: "MODEL_SELECTION:model"
          output_stream: "SEGMENTATION_MASK:mask" }""",
        ("mask",),
        {"model": 0},
    ),
}
"""Name -> graph. All take "image"; "pose" and "hand" look at the whole of it ("roi" is fixed)."""
