"""What stands beside the map: one tab a file."""
