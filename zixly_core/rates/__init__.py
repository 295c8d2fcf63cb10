"""How often somebody may ask: so many times in any minute, counted for all processes together where there is a Redis."""
