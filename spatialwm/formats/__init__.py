"""Splat files: one module a format, each between its own frame and ours."""

from spatialwm.formats.registry import READABLE, WRITABLE, encode_spz, read_splats, write_splats
from spatialwm.formats.splat_file import SplatFile

__all__ = ["READABLE", "WRITABLE", "SplatFile", "encode_spz", "read_splats", "write_splats"]
