"""The published chart models that the paper's tables need, as settings of detectron2.

detectron2's DensePose project installs without its configuration files; these are the settings of
theirs that inference depends on (projects/DensePose/configs), checked against the files in
docs/plugins-verified-dense.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Settings = dict[str, Any]
"""Name of detectron2's setting -> value."""

_SHARED: Settings = {
    "MODEL.BACKBONE.NAME": "build_resnet_fpn_backbone",
    "MODEL.RESNETS.OUT_FEATURES": ["res2", "res3", "res4", "res5"],
    "MODEL.FPN.IN_FEATURES": ["res2", "res3", "res4", "res5"],
    "MODEL.ANCHOR_GENERATOR.SIZES": [[32], [64], [128], [256], [512]],
    "MODEL.RPN.IN_FEATURES": ["p2", "p3", "p4", "p5", "p6"],
    "MODEL.RPN.PRE_NMS_TOPK_TEST": 1000,
    "MODEL.RPN.POST_NMS_TOPK_TEST": 1000,
    "MODEL.ROI_HEADS.NAME": "DensePoseROIHeads",
    "MODEL.ROI_HEADS.IN_FEATURES": ["p2", "p3", "p4", "p5"],
    "MODEL.ROI_HEADS.NUM_CLASSES": 1,
    "MODEL.ROI_BOX_HEAD.NAME": "FastRCNNConvFCHead",
    "MODEL.ROI_BOX_HEAD.NUM_FC": 2,
    "MODEL.ROI_BOX_HEAD.POOLER_RESOLUTION": 7,
    "MODEL.ROI_BOX_HEAD.POOLER_SAMPLING_RATIO": 2,
    "MODEL.ROI_BOX_HEAD.POOLER_TYPE": "ROIAlign",
    "MODEL.ROI_DENSEPOSE_HEAD.NAME": "DensePoseV1ConvXHead",
    "MODEL.ROI_DENSEPOSE_HEAD.POOLER_TYPE": "ROIAlign",
    "MODEL.ROI_DENSEPOSE_HEAD.NUM_COARSE_SEGM_CHANNELS": 2,
}

_OURS: Settings = {"MODEL.ROI_HEADS.SCORE_THRESH_TEST": 0.5, "TEST.DETECTIONS_PER_IMAGE": 20}
"""One person is wanted: what is hardly a person need not have its charts computed."""


@dataclass(frozen=True, eq=False)
class Model:
    """One published model.

    name: in detectron2's table. weights: for `dancecli.weights`.
    depth: layers of the ResNet. head: settings of the DensePose head.
    """

    name: str
    weights: str
    depth: int
    head: Settings

    def settings(self) -> Settings:
        """All that differs from detectron2's and DensePose's defaults."""
        return {**_SHARED, "MODEL.RESNETS.DEPTH": self.depth, **self.head, **_OURS}


R101_DL = Model(
    "R_101_FPN_DL_s1x",
    "densepose_r101_dl",
    101,
    {"MODEL.ROI_DENSEPOSE_HEAD.NAME": "DensePoseDeepLabHead"},
)

R50 = Model("R_50_FPN_s1x", "densepose_r50", 50, {})

R50_LEGACY = Model(
    "R_50_FPN_s1x_legacy",
    "densepose_r50_legacy",
    50,
    {
        "MODEL.ROI_DENSEPOSE_HEAD.NUM_COARSE_SEGM_CHANNELS": 15,
        "MODEL.ROI_DENSEPOSE_HEAD.POOLER_RESOLUTION": 14,
        "MODEL.ROI_DENSEPOSE_HEAD.HEATMAP_SIZE": 56,
        "MODEL.ROI_DENSEPOSE_HEAD.DECODER_ON": False,
    },
)
"""Trained by the schedule of the first DensePose: the paper's "no accurate DP", Figure 12c."""
