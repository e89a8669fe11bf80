"""Light: rays, baking, tone."""
