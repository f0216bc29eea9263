"""DensePose (Güler et al. 2018) by detectron2: DP of equation 2.

Read `dense.py` for the plugins, `charts.py` for how a person's charts come into the frame, and
`network.py` for what is asked of detectron2 and its DensePose project.
"""
