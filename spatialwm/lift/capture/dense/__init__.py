"""What dense depth is made of: working-size views, source choice, sweep kernels, agreement between views, holes."""
