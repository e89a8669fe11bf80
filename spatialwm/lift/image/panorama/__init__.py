"""One panorama becomes geometry: start reading at estimate.py."""

from spatialwm.lift.image.panorama.estimate import PanoramaDepth as PanoramaDepth
