"""Structure from motion in a process of its own: ``python -P sfm_worker.py JOB.json``.

The native library can abort a process and cannot be interrupted everywhere; here that costs only the worker. The file imports
nothing of spatialwm, because importing torch would take longer than matching the pictures. It prints one
``{"stage": ..., "fraction": ...}`` a line, and leaves ``result.npz`` beside the job.
"""

from __future__ import annotations

import copy
import json
import shutil
import sqlite3
import sys
from contextlib import closing
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pycolmap

EXHAUSTIVE_UP_TO = 40
"""Pictures; beyond it the pairs to match are chosen, because the cost grows with the square."""
PARTNERS = 14
"""Most alike pictures that each picture is matched with when pairs are chosen."""
NEIGHBORS = 8
"""In a video, also this many frames after each."""
GLANCE_FEATURES = 300
"""Largest features of a picture that are compared to guess which pictures overlap."""
GLOBAL_STARTS = 8
MAX_ERROR_PX = 4.0
MIN_POINTS = 12
"""Points that a picture must see to count as placed."""
PHONE_FOCAL = 0.8
"""Of the longer side: 64 degrees across."""
RADIAL_FROM, PRINCIPAL_POINT_FROM, POINTS_A_PICTURE, FOCAL_CHANGE, OFF_CENTER = 5, 15, 50, 0.04, 0.04
"""Pictures of one camera from which its second distortion term, and its principal point, are solved for (fox: focal length 0.7
-> 0.04 % off, principal point 14 -> 5 px off, reprojection error 1.03 -> 0.98 px). With too few points, as on a walk straight
ahead, they run away, and are left as they were."""
NO_PARALLAX = (
    pycolmap.TwoViewGeometryConfiguration.PANORAMIC, pycolmap.TwoViewGeometryConfiguration.PLANAR_OR_PANORAMIC,
)  # fmt: skip
TURNING_SHARE, TURNING_ERROR = 0.8, 0.03
"""Share of the overlapping pairs that one homography explains, and how nearly those are rotations, for the camera to have only
turned. The mappers would invent a place for each picture, bending the lens until it fits (reprojection error 0.09 px, focal
length 40 % off). A walk along a flat wall is explained by homographies too, but those are no rotations."""
IMAGES_A_REPORT, PAIRS_A_REPORT = 8, 96


def report(stage: str, fraction: float) -> None:
    """One line for the parent."""
    print(json.dumps({"stage": stage, "fraction": round(fraction, 4)}), flush=True)


def entry(db: pycolmap.Database, name: str) -> pycolmap.Image:
    """The picture of that name, which must be in the database."""
    image = db.read_image_with_name(name)
    assert image is not None, name
    return image


def extract(job: dict[str, Any], database: Path) -> None:
    """SIFT features of every picture; the pictures of a group share one camera."""
    options = pycolmap.FeatureExtractionOptions()
    options.type = pycolmap.FeatureExtractorType.SIFT  # the wheel's other extractors abort the process
    options.use_gpu = False
    options.num_threads = job["threads"]
    options.max_image_size = job["sift_px"]
    options.sift.max_num_features = job["features"]
    options.sift.first_octave = job["first_octave"]
    total, done = sum(len(g["names"]) for g in job["groups"]), 0
    for group in job["groups"]:
        reader = pycolmap.ImageReaderOptions()
        # From more terms the global mapper seldom finds its way (Lund: 1 of 8 starts, against 6 of 8).
        reader.camera_model = "SIMPLE_RADIAL"
        if job["masks"]:
            reader.mask_path = job["masks"]
        if group["focal_px"]:
            reader.camera_params = f"{group['focal_px']},{group['width'] / 2},{group['height'] / 2},0"
        names = group["names"]
        for start in range(0, len(names), IMAGES_A_REPORT):
            report("finding features", done / total)
            batch = names[start : start + IMAGES_A_REPORT]
            pycolmap.extract_features(
                database, job["images"], image_names=batch, camera_mode=pycolmap.CameraMode.SINGLE,
                reader_options=reader, extraction_options=options, device=pycolmap.Device.cpu,
            )  # fmt: skip
            if start == 0:
                with pycolmap.Database.open(database) as db:
                    reader.existing_camera_id = entry(db, batch[0]).camera_id
            done += len(batch)


def number_by_name(job: dict[str, Any], database: Path) -> None:
    """Give pictures numbers in the order of their names.

    Threads number them as they finish, and which of two pictures comes first decides how they are matched: without this the same
    job ends differently from run to run.
    """
    with closing(sqlite3.connect(database)) as db, db:
        for group in job["groups"]:
            names = sorted(group["names"])
            number_of = dict(db.execute("SELECT name, image_id FROM images"))
            old = [number_of[name] for name in names]
            new = sorted(old)
            for table in ("keypoints", "descriptors"):  # by way of negative numbers, because each must stay unique
                db.executemany(f"UPDATE {table} SET image_id = -? WHERE image_id = ?", zip(new, old, strict=True))
                db.execute(f"UPDATE {table} SET image_id = -image_id WHERE image_id < 0")
            db.executemany("UPDATE images SET name = '-' || name WHERE image_id = ?", ((i,) for i in new))
            db.executemany("UPDATE images SET name = ? WHERE image_id = ?", zip(names, new, strict=True))


def choose_pairs(names: list[str], glances: list[np.ndarray], ordered: bool) -> list[tuple[str, str]]:
    """Which pictures to match: all when few, else neighbours in time and those that look alike."""
    n = len(names)
    if n <= EXHAUSTIVE_UP_TO:
        return list(combinations(names, 2))
    pairs: set[tuple[int, int]] = set()
    if ordered:
        steps = [*range(1, NEIGHBORS + 1), *(2**k for k in range(4, 12))]
        pairs |= {(i, i + step) for i in range(n) for step in steps if i + step < n}
    likeness = np.zeros((n, n), np.int64)
    for i in range(n):
        for j in range(i + 1, n):
            likeness[i, j] = likeness[j, i] = _matches(glances[i], glances[j])
    for i in range(n):
        best = np.argsort(-likeness[i], kind="stable")[:PARTNERS]
        pairs |= {(min(i, int(j)), max(i, int(j))) for j in best if likeness[i, j] > 0}
    return [(names[i], names[j]) for i, j in sorted(pairs)]


def _matches(a: np.ndarray, b: np.ndarray) -> int:
    """How many unit descriptors of ``a`` have one clearly nearest in ``b``."""
    if len(a) < 2 or len(b) < 2:
        return 0
    nearness = a @ b.T
    first = nearness.max(axis=1)
    nearness[np.arange(len(a)), nearness.argmax(axis=1)] = -1
    far_first, far_second = 2 - 2 * first, 2 - 2 * nearness.max(axis=1)
    return int((far_first < 0.64 * far_second).sum())  # the usual ratio of 0.8, squared


def glance(database: Path, names: list[str]) -> list[np.ndarray]:
    """The descriptors of the largest features of each picture, as unit float32 vectors."""
    out = []
    with pycolmap.Database.open(database) as db:
        for name in names:
            image_id = entry(db, name).image_id
            keypoints = np.asarray(db.read_keypoints(image_id))
            descriptors = np.asarray(db.read_descriptors(image_id).data, np.float32)
            size = np.abs(keypoints[:, 2] * keypoints[:, 5] - keypoints[:, 3] * keypoints[:, 4])
            kept = descriptors[np.argsort(-size, kind="stable")[:GLANCE_FEATURES]]
            out.append(kept / np.maximum(np.linalg.norm(kept, axis=1, keepdims=True), 1e-9))
    return out


def match(job: dict[str, Any], database: Path, names: list[str]) -> None:
    """Match and verify the chosen pairs."""
    options = pycolmap.FeatureMatchingOptions()
    options.type = pycolmap.FeatureMatcherType.SIFT_BRUTEFORCE  # the wheel's learned matchers abort the process
    options.use_gpu = False
    options.num_threads = job["threads"]
    verification = pycolmap.TwoViewGeometryOptions()
    verification.ransac.random_seed = job["seed"]
    verification.min_num_inliers = job["min_matches"]
    report("matching", 0.0)
    few = len(names) <= EXHAUSTIVE_UP_TO
    pairs = choose_pairs(names, [] if few else glance(database, names), job["ordered"])
    listed = database.with_name("pairs.txt")
    for start in range(0, len(pairs), PAIRS_A_REPORT):
        report("matching", start / len(pairs))
        listed.write_text("".join(f"{a} {b}\n" for a, b in pairs[start : start + PAIRS_A_REPORT]))
        pairing = pycolmap.ImportedPairingOptions()
        pairing.match_list_path = listed
        pycolmap.match_image_pairs(
            database, matching_options=options, pairing_options=pairing, verification_options=verification,
            device=pycolmap.Device.cpu,
        )  # fmt: skip


def map_incrementally(job: dict[str, Any], database: Path, total: int) -> list[pycolmap.Reconstruction]:
    """Grow a model picture by picture."""
    options = pycolmap.IncrementalPipelineOptions()
    options.num_threads = 1  # as below; bundle adjustment would use more only beyond 50,000 observations
    options.random_seed = job["seed"]
    options.min_model_size = 3
    options.min_num_matches = job["min_matches"]
    options.extract_colors = False
    placed = 0

    def on_picture() -> None:
        nonlocal placed
        placed += 1
        report("placing cameras", min(placed / total, 1.0))

    report("placing cameras", 0.0)
    out = database.with_name("incremental")
    out.mkdir()
    models = pycolmap.incremental_mapping(database, job["images"], out, options=options, next_image_callback=on_picture)
    return list(models.values())


def map_globally(job: dict[str, Any], database: Path, total: int) -> list[pycolmap.Reconstruction]:
    """Solve all rotations, then all positions, at once: holds where a walk straight ahead leaves no pair to begin with.

    It starts from random positions and a third of its runs end with nothing, so it is given several starts of a second or two.
    """
    best: list[pycolmap.Reconstruction] = []
    for attempt in range(GLOBAL_STARTS):
        report("placing cameras all at once", attempt / GLOBAL_STARTS)
        # The mapper writes its calibration into the database it reads.
        own = database.with_name(f"global_{attempt}.db")
        shutil.copy(database, own)
        if attempt % 2:
            assume_focal(own)
        options = pycolmap.GlobalPipelineOptions()
        options.num_threads = 1  # several change the order of sums, and with it the result from run to run
        options.random_seed = job["seed"] + attempt
        options.min_num_matches = job["min_matches"]
        options.mapper.global_positioning.use_gpu = False
        options.mapper.bundle_adjustment.ceres.use_gpu = False
        out = database.with_name(f"global_{attempt}")
        out.mkdir()
        models = list(pycolmap.global_mapping(own, job["images"], out, options=options).values())
        best = max(best, models, key=lambda found: max(map(better, found), default=(0, 0)))
        if best and max(map(better, best))[0] == total:
            break
    return best


def assume_focal(database: Path) -> None:
    """Take every camera for a phone's main lens: what files say is wrong where the picture was cropped or the tag invented."""
    with pycolmap.Database.open(database) as db:
        for camera in db.read_all_cameras():
            phone = pycolmap.Camera.create_from_model_name(
                camera.camera_id, "SIMPLE_RADIAL", PHONE_FOCAL * max(camera.width, camera.height), camera.width, camera.height
            )
            phone.has_prior_focal_length = True
            db.update_camera(phone)


def refine(model: pycolmap.Reconstruction) -> pycolmap.Reconstruction:
    """Solve for the second distortion term, and for the principal point, where there is enough to tell them by."""
    placed = [image.camera_id for image in supported(model)]
    fewest = min((placed.count(camera) for camera in set(placed)), default=0)
    if fewest < RADIAL_FROM or model.num_points3D() < POINTS_A_PICTURE * len(placed):
        return model
    for principal_point in (True, False) if fewest >= PRINCIPAL_POINT_FROM else (False,):
        refined = copy.deepcopy(model)
        for camera in refined.cameras.values():
            params = [*camera.params, 0.0]
            camera.model = pycolmap.CameraModelId.RADIAL
            camera.params = params
        options = pycolmap.BundleAdjustmentOptions()
        options.refine_principal_point = principal_point
        options.print_summary = False
        options.ceres.use_gpu = False
        options.ceres.solver_options.num_threads = 1
        pycolmap.bundle_adjustment(refined, options)
        if all(plausible(camera, model.cameras[i]) for i, camera in refined.cameras.items()):
            return refined
    return model


def plausible(refined: pycolmap.Camera, before: pycolmap.Camera) -> bool:
    """Whether a refined lens is still the lens of a camera, and nearly the one it was."""
    off_x, off_y = (refined.principal_point_x / refined.width - 0.5, refined.principal_point_y / refined.height - 0.5)
    return abs(refined.focal_length / before.focal_length - 1) < FOCAL_CHANGE and max(abs(off_x), abs(off_y)) < OFF_CENTER


def supported(model: pycolmap.Reconstruction) -> list[pycolmap.Image]:
    """The pictures whose place rests on enough points; the global mapper places all, even in a model of eight points."""
    return [image for image in model.images.values() if image.has_pose and image.num_points3D >= MIN_POINTS]


def better(model: pycolmap.Reconstruction) -> tuple[int, int]:
    """Sorts models: more pictures, then more points."""
    return len(supported(model)), model.num_points3D()


def result_of(model: pycolmap.Reconstruction | None, names: list[str]) -> dict[str, np.ndarray]:
    """Arrays of the best model; ``names`` fixes the order of pictures."""
    index = {name: i for i, name in enumerate(names)}
    cam_from_world = np.full((len(names), 3, 4), np.nan)
    camera = np.zeros((len(names), 5))  # focal, cx, cy, k1, k2 in pixels of the picture
    error = np.zeros(0)
    means = np.zeros((0, 3))
    tracks = np.zeros((0, 2), np.int64)
    if model is not None:
        place = {}
        for image in supported(model):
            place[image.image_id] = index[image.name]
            cam_from_world[index[image.name]] = image.cam_from_world().matrix()
            params = model.cameras[image.camera_id].params
            camera[index[image.name], : len(params)] = params
        model.update_point_3d_errors()
        # The last refinement may leave single points behind a camera.
        points = [p for _, p in sorted(model.points3D.items()) if p.error < MAX_ERROR_PX]
        means = np.array([p.xyz for p in points]).reshape(-1, 3)
        error = np.array([p.error for p in points])
        seen = {(n, place[e.image_id]) for n, p in enumerate(points) for e in p.track.elements if e.image_id in place}
        tracks = np.array(sorted(seen), np.int64).reshape(-1, 2)
    return {"cam_from_world": cam_from_world, "camera": camera, "means": means, "error_px": error, "tracks": tracks}


def only_turned(homographies: np.ndarray, connected: int) -> bool:
    """Whether nearly all pairs are rotations of one camera about its centre.

    Args:
        homographies: (m, 3, 3) of the pairs that one explains, in pixels from the pictures' middles over their longer sides.
        connected: pairs that overlap.
    """
    if len(homographies) < max(2.0, TURNING_SHARE * connected):
        return False
    errors = []
    for focal in np.geomspace(0.4, 3, 40):
        k = np.diag([focal, focal, 1.0])
        turns = np.linalg.inv(k) @ homographies @ k
        turns /= np.cbrt(np.linalg.det(turns))[:, None, None]
        # Of pairs that hardly moved anything is a rotation: those that moved most tell.
        errors.append(np.quantile(np.linalg.norm(turns.transpose(0, 2, 1) @ turns - np.eye(3), axis=(1, 2)), 0.7))
    return min(errors) < TURNING_ERROR


def evidence(database: Path, names: list[str]) -> dict[str, np.ndarray]:
    """Features of each picture, verified matches of each pair, how many pairs show no parallax, and their homographies."""
    turns: list[np.ndarray] = []
    inliers = np.zeros((len(names), len(names)), np.int64)
    rotation_only = 0
    with pycolmap.Database.open(database) as db:
        ids = [entry(db, name).image_id for name in names]
        index = {image_id: i for i, image_id in enumerate(ids)}
        cameras = [db.read_camera(entry(db, name).camera_id) for name in names]
        centered = [_from_middle(camera.width, camera.height) for camera in cameras]
        features = np.array([db.num_keypoints_for_image(i) for i in ids])
        pair_ids, geometries = db.read_two_view_geometries()
        for pair_id, geometry in zip(pair_ids, geometries, strict=True):
            count = len(geometry.inlier_matches)
            if count:
                i, j = (index[k] for k in pycolmap.pair_id_to_image_pair(pair_id))
                inliers[i, j] = inliers[j, i] = count
                if geometry.config in NO_PARALLAX:
                    rotation_only += 1
                    if geometry.H is not None and abs(np.linalg.det(geometry.H)) > 1e-12:
                        turns.append(centered[j] @ geometry.H @ np.linalg.inv(centered[i]))
    homographies = np.array(turns).reshape(-1, 3, 3)
    return {"features": features, "inliers": inliers, "rotation_only": np.array(rotation_only), "homographies": homographies}


def _from_middle(width: int, height: int) -> np.ndarray:
    """Pixels to places from a picture's middle in longer sides."""
    long = max(width, height)
    return np.array([[1 / long, 0, -width / 2 / long], [0, 1 / long, -height / 2 / long], [0, 0, 1]])


def main(job_path: Path) -> None:
    """Run the whole job."""
    job = json.loads(job_path.read_text())
    pycolmap.logging.minloglevel = pycolmap.logging.WARNING.value
    pycolmap.set_random_seed(job["seed"])
    database = job_path.with_name("matches.db")
    names = sorted(name for group in job["groups"] for name in group["names"])
    extract(job, database)
    number_by_name(job, database)
    match(job, database, names)
    seen = evidence(database, names)
    turning = only_turned(seen.pop("homographies"), int((seen["inliers"] >= job["min_matches"]).sum()) // 2)
    models = [] if turning else map_incrementally(job, database, len(names))
    best = max(models, key=better, default=None)
    mapper = "incremental"
    if not turning and (best is None or better(best)[0] < len(names)):
        rivals = map_globally(job, database, len(names))
        rival = max(rivals, key=better, default=None)
        if rival is not None and (best is None or better(rival) > better(best)):
            best, models, mapper = rival, rivals, "global"
    if best is not None:
        best = refine(best)
    report("placing cameras", 1.0)
    arrays = {
        "mapper": np.array(mapper), "models": np.array([better(m)[0] for m in models]),
        **result_of(best, names), **seen,
    }  # fmt: skip
    np.savez(job_path.with_name("result.npz"), allow_pickle=False, **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
