"""Numbers of a head: how far its map can be believed, what its attention does, and notes made of them."""
