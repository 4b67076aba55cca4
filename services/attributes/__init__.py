"""What a point can be coloured and sized by."""
