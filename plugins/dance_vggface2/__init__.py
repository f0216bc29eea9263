"""VGGFace2's ResNet-50 (Cao et al. 2018): the face embedding of equations 5 and 19."""
