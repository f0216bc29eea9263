"""Motion: follow one person through the driving video, mend and smooth the track, put it on the
target's body.

Read `tracking` (per frame), `pieces` (several frames at a time), `track` (per clip), `retargeting`
(onto the target), in that order.
"""

from dancecli.motion.closer import Closer
from dancecli.motion.dense import warp_dense
from dancecli.motion.live import LiveMotion
from dancecli.motion.observation import Observation
from dancecli.motion.people import left_to_right
from dancecli.motion.pieces import follow_in_pieces
from dancecli.motion.poses import read_poses, write_poses
from dancecli.motion.retargeting import retarget
from dancecli.motion.track import State, Track, build_track, scaled
from dancecli.motion.tracking import Tracker

__all__ = [
    "Closer", "LiveMotion", "Observation", "State", "Track", "Tracker", "build_track",
    "follow_in_pieces", "left_to_right", "read_poses", "retarget", "scaled", "warp_dense",
    "write_poses",
]  # fmt: skip
