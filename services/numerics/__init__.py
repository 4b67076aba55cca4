"""Plain numerical pieces that know nothing of atlases."""
