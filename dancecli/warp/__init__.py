"""The photo's pixels bent to a skeleton.

`cut` takes a photo's person apart once; `Puppet.pose` paints them in any pose.
"""

from dancecli.warp.blending import Warped
from dancecli.warp.cutting import cut
from dancecli.warp.puppet import Puppet

__all__ = ["Puppet", "Warped", "cut"]
