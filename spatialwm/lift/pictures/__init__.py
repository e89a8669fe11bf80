"""Opening pictures as they are: upright pixels, what the camera wrote, exact reductions."""
