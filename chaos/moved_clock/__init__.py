"""What a Python finds on its path whose clock is moved."""
