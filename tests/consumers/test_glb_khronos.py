"""The Khronos glTF validator finds nothing to say about our GLB files."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from spatialwm.export import write_glb
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.mesh import Mesh
from spatialwm.geometry.se3 import Pose
from spatialwm.scene import Scene, SceneObject

VALIDATOR = "gltf-validator@2.0.0-dev.3.10"
CHECK = """
const validator = require('gltf-validator');
validator.validateBytes(new Uint8Array(require('fs').readFileSync(process.argv[2]))).then((r) => console.log(JSON.stringify(r)));
"""


@pytest.fixture(scope="module")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the validator installed; skips without npm or network."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("no Node on this machine")
    folder = tmp_path_factory.mktemp("validator")
    (folder / "package.json").write_text("{}")
    try:
        done = subprocess.run([npm, "install", "--no-audit", "--no-fund", VALIDATOR], cwd=folder, capture_output=True, timeout=90)
    except subprocess.TimeoutExpired:
        pytest.skip("npm could not fetch the glTF validator in time")
    if done.returncode:
        pytest.skip(f"npm could not fetch the glTF validator: {done.stderr.decode(errors='replace')[-200:]}")
    (folder / "check.cjs").write_text(CHECK)
    return folder


@pytest.mark.parametrize("light", ["baked", "albedo"])
def test_the_khronos_validator_finds_no_issue(validator: Path, tmp_path: Path, light: str) -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(2000, 3))
    points *= 0.3 / np.linalg.norm(points, axis=1, keepdims=True)
    round_splats = Gaussians.from_numpy(
        points, np.tile([1.0, 0, 0, 0], (2000, 1)), np.full((2000, 3), 0.02), np.ones(2000), rgb=rng.random((2000, 3))
    )
    quad = Mesh(np.array([[-2, -2, 0], [2, -2, 0], [2, 2, 0], [-2, 2, 0.0]]), np.array([[0, 1, 2], [0, 2, 3]]))
    scene = Scene(
        (
            SceneObject(id="floor", category="floor", role="structure", gaussians=Gaussians.empty(), mesh=quad),
            SceneObject(id="мяч-1", category="ball", gaussians=round_splats, world_from_object=Pose((0.1, 0.2, 0.3), scale=0.7)),
        )
    )
    write_glb(scene, tmp_path / "scene.glb", light=light)  # pyright: ignore[reportArgumentType]
    done = subprocess.run(
        ["node", "check.cjs", str(tmp_path / "scene.glb")], cwd=validator, capture_output=True, check=True, timeout=60
    )
    report = json.loads(done.stdout)
    assert report["issues"]["messages"] == []
    assert report["info"]["totalTriangleCount"] > 1000
