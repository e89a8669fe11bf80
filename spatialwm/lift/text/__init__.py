"""A sentence becomes a furnished, lit place: parse, imply, build, arrange, light, splat."""
