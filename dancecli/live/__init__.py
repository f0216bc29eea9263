"""`dance live`: the stages on frames as they come.

camera.py     frames of a camera, a stream, or a file at its own rate
newest.py     a queue of one, in which the newest wins
stage.py      a dancer's skeleton as a picture of the target
screens.py    a window, a pipe
running.py    all of it, and how late it is
"""
