"""Scene graph and models to poses: where everything stands."""
