"""LaMa (Suvorov et al. 2022): the ground behind people, painted by a network."""
