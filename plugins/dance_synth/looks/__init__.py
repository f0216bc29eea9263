"""How synthetic people look: textures of skin, hair, eyes and cloth."""
