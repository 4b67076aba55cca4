"""What an input is made of, and how it is read and cut into tokens."""
