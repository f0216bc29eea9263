"""How synthetic people move: recorded clips, everyday stances, hands.

    BVH file ─► Clip ─► Motion (on the rig) ─► Performance (one person's) ─► RigPose at a time
    stance ─► RigPose

Read `performance`, `retarget`, `stances`, in that order.
"""

from dance_synth.motion.bvh import Clip, parse_bvh, read_bvh
from dance_synth.motion.performance import (
    Motion,
    Performance,
    clips,
    motion,
    perform,
    pose_at,
    prepare,
    rig_of,
    standing_pose,
)

__all__ = [
    "Clip", "Motion", "Performance", "clips", "motion", "parse_bvh", "perform", "pose_at",
    "prepare", "read_bvh", "rig_of", "standing_pose",
]  # fmt: skip
