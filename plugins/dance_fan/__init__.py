"""FAN for `dance`: 68 face landmarks by the face-alignment package, faces found by S3FD."""
