"""A scene as a MuJoCo model: static place, one body for each movable object, free or on its joint, one hand for each action."""

# MuJoCo's names live in compiled modules without stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from spatialwm.dynamics.colliders import pieces_of
from spatialwm.dynamics.decompose import ConvexPiece
from spatialwm.dynamics.place import HeightField, place_of
from spatialwm.geometry.se3 import Pose
from spatialwm.scene import Joint, Scene, SceneObject
from spatialwm.scene.articulation import position

BULK_DENSITY: dict[str, float] = {
    "wood": 350, "metal": 1200, "steel": 1500, "iron": 1800, "brass": 1500, "aluminium": 700, "gold": 3000, "fabric": 80,
    "cloth": 80, "leather": 110, "wool": 80, "cotton": 80, "paper": 700, "plastic": 250, "rubber": 700, "glass": 700,
    "ceramic": 700, "porcelain": 700, "clay": 900, "stone": 2400, "marble": 2600, "rock": 2400, "concrete": 2300, "brick": 1800,
    "plant": 120, "leaf": 60, "foliage": 40, "wicker": 120, "bamboo": 250, "food": 800, "fruit": 850, "bread": 300,
    "water": 1000, "ice": 900, "snow": 300, "wax": 850, "fur": 900, "flesh": 1000, "cardboard": 120, "foam": 40,
}  # fmt: skip
"""kg per cubic metre of the filled-in shape: hollow and thin-walled things weigh less than their material."""
DEFAULT_DENSITY = 300.0
UNKNOWN_PLACE_M = 3.0
"""A set of Gaussians larger than this, of unknown mass and without an exact shape, is a place and not a thing."""
OTHERS, HAND = 1, 2
"""Collision bits: the pushing hand meets only its target; everything else meets everything."""


@dataclass(frozen=True, slots=True)
class JointRow:
    """The joint of an articulated object in a compiled model, where it is at 0 as the scene has it."""

    joint: Joint
    position: float
    """In the scene, in the units of the joint."""
    unit: float
    """Metres per unit of a slide, 1 for a hinge."""
    motor: str | None
    """Actuator of its drive."""

    def of(self, wanted: float) -> float:
        """The simulated coordinate at which the joint is in ``wanted``."""
        return (wanted - self.position) * self.unit


@dataclass(frozen=True, slots=True, eq=False)
class SceneModel:
    """A compiled model and where the scene's objects are in it."""

    model: mujoco.MjModel
    object_ids: tuple[str, ...]
    """Movable objects, in scene order."""
    body_ids: tuple[int, ...]
    qpos_addresses: tuple[int, ...]
    """Of a free object its first of seven, of an articulated one its only one."""
    dof_addresses: tuple[int, ...]
    joints: tuple[JointRow | None, ...] = ()
    """None for free objects."""

    @property
    def free(self) -> list[int]:
        """Positions in the lists above of objects that no joint holds."""
        return [i for i, row in enumerate(self.joints) if row is None]

    @property
    def jointed(self) -> list[int]:
        """Positions of those that one does."""
        return [i for i, row in enumerate(self.joints) if row is not None]

    def index(self, object_id: str) -> int:
        """Position of a movable object in the lists above."""
        return self.object_ids.index(object_id)


def immovable_because(body: SceneObject, released: frozenset[str] = frozenset()) -> str | None:
    """Why physics holds an object still, as the mend a user needs; None when it may move.

    Args:
        released: ids that an action takes down from wall or ceiling.
    """
    if body.role != "object":
        return f"{body.id} is part of the place ({body.role}); pick one of its objects"
    if body.mobility == "static":
        return f"{body.id} is static; set its mobility to rigid first"
    if body.mass_kg is None and body.mesh is None and not body.collider:
        size = float(np.ptp(body.bounds(), axis=0).max())
        if size > UNKNOWN_PLACE_M:
            return (
                f"{body.id} is {size:.1f} m large and of unknown mass, so physics takes it for a place; "
                "set its mass_kg, or make an object of a selection of its Gaussians"
            )
    if body.supported_by in ("wall", "ceiling") and body.id not in released:
        return f"{body.id} hangs on the {body.supported_by}"
    if not len(body.points()):
        return f"{body.id} is empty: it has neither Gaussians nor a mesh"
    return None


def mass_of(body: SceneObject, volume: float) -> float:
    """Its stated mass, else the bulk density of its material times ``volume`` (cubic metres, world scale)."""
    if body.mass_kg is not None:
        return body.mass_kg
    words = (body.material or "").lower().replace("-", " ").split()
    density = next((BULK_DENSITY[w] for w in words if w in BULK_DENSITY), DEFAULT_DENSITY)
    return max(volume * density, 0.01)


def build(
    scene: Scene, timestep_s: float, add_hands: Callable[[mujoco.MjSpec], None] = lambda _: None, released: Sequence[str] = ()
) -> SceneModel:
    """Compile the scene.

    Shapes that overlap at the start keep that overlap as their rest distance (an explicit contact pair of negative margin), so
    that a chair sunk 2 cm into a rug neither jumps out nor sinks further. Friction of two objects is the smaller of the
    two, by contact priority: MuJoCo's own rule, the larger, would let a rough floor hide every slippery object.

    Args:
        add_hands: adds the actors of the actions to the specification.
        released: ids of hanging objects that an action takes down.
    """
    spec, movable = _specify(scene, timestep_s, frozenset(released))
    add_hands(spec)
    model = spec.compile()
    pairs = _overlaps(model)
    if pairs:
        for first, second, depth in pairs:
            spec.add_pair(
                geomname1=first, geomname2=second, margin=-depth, condim=4, friction=[0.6, 0.6, 0.005, 0.0001, 0.0001],
                solref=_SOLREF, solimp=_SOLIMP,
            )  # fmt: skip
        model = spec.compile()
    let_the_slippery_decide(model)
    bodies = [model.body(body_name(i)) for i in range(len(movable))]
    joints = [model.joint(int(b.jntadr[0])) for b in bodies]
    return SceneModel(
        model,
        tuple(o.id for o in movable),
        tuple(int(b.id) for b in bodies),
        tuple(int(j.qposadr[0]) for j in joints),
        tuple(int(j.dofadr[0]) for j in joints),
        tuple(_row(scene, o, i) for i, o in enumerate(movable)),
    )


def let_the_slippery_decide(model: mujoco.MjModel) -> None:
    """Rank contact priorities so that of two touching geoms the smaller friction counts; call after friction changed."""
    ranked = model.geom_priority >= 0
    friction = model.geom_friction[:, 0]
    roughest_first = np.unique(-friction[ranked], return_inverse=True)[1]
    model.geom_priority[ranked] = roughest_first.reshape(-1)
    if model.npair:
        least = np.minimum(friction[model.pair_geom1], friction[model.pair_geom2])
        model.pair_friction[:, :2] = least[:, None]


_SOLREF = [0.02, 1.0]
_SOLIMP = [0.95, 0.99, 0.001, 0.5, 2.0]


def body_name(index: int) -> str:
    """The body of a movable object."""
    return f"object-{index}"


def _row(scene: Scene, o: SceneObject, index: int) -> JointRow | None:
    if o.joint is None or not o.jointed:
        return None
    unit = o.world_from_object.scale if o.joint.kind == "slide" else 1.0
    return JointRow(o.joint, position(scene, o.id), unit, f"drive-{index}" if o.joint.drive is not None else None)


def _specify(scene: Scene, timestep_s: float, released: frozenset[str]) -> tuple[mujoco.MjSpec, list[SceneObject]]:
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.option.timestep = timestep_s
    # Not implicitfast: it diverged when light, spinning things (a mug off a table) hit the floor.
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICIT
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10  # without it, resting objects creep down slopes
    spec.option.enableflags |= mujoco.mjtEnableBit.mjENBL_SLEEP
    movable = [o for o in scene.objects if o.role == "object" and immovable_because(o, released) is None]
    moving = {o.id for o in movable}
    holders = {o.joint.parent for o in movable if o.joint is not None and o.jointed and o.joint.parent is not None} - moving
    nodes: dict[str, mujoco.MjsBody] = {}
    lowest = 0.0
    for o in scene.objects:
        if o.role == "backdrop" or o.id in moving:
            continue
        # What carries a part that moves is a body of its own, so that the two can be told not to collide.
        node = nodes[o.id] = spec.worldbody.add_body(name=f"holder-{o.id}") if o.id in holders else spec.worldbody
        for n, shape in enumerate(place_of(o)):
            _add_static(spec, node, f"{o.id}/{n}", shape, o)
        if o.role == "structure" and len(o.points()):
            lowest = min(lowest, float(o.bounds()[0, 2]))
    # The plane is the floor where the scene has none, and a net under floors that end somewhere.
    spec.worldbody.add_geom(
        name="ground", type=mujoco.mjtGeom.mjGEOM_PLANE, pos=[0, 0, lowest], size=[0, 0, 1], friction=[1.0, 0.005, 0.0001],
        condim=4, solref=_SOLREF, solimp=_SOLIMP, priority=-1,
    )  # fmt: skip
    for i in _parents_first(movable):
        o = movable[i]
        pose = o.world_from_object
        node = nodes[o.id] = _add_jointed(spec, scene, o, i, nodes) if o.jointed else _add_free(spec, o, i)
        pieces = pieces_of(o)
        volume = sum(p.volume for p in pieces) * pose.scale**3
        mass, material = mass_of(o, volume), sum(p.volume * p.fill for p in pieces)
        if o.inertia is not None:
            node.explicitinertial = True
            node.mass, node.iquat = mass, list(o.inertia.axes)
            node.ipos = [v * pose.scale for v in o.inertia.center]
            node.inertia = [mass * v * pose.scale**2 for v in o.inertia.moments]
        for n, piece in enumerate(pieces):
            share = mass * piece.volume * piece.fill / material if o.inertia is None else 0.0
            _add_piece(
                spec, node, f"{o.id}/{n}", piece, Pose(scale=pose.scale), mass=share,
                friction=[o.friction, 0.005, 0.0001], contype=OTHERS, conaffinity=OTHERS,
            )  # fmt: skip
    _keep_assemblies_apart(spec, movable, nodes)
    for i, rug in enumerate(movable):
        top = _covering_top(rug)
        if top is None:
            continue
        for j, other in enumerate(movable):
            if i != j and other.bounds()[0, 2] < top - 0.004:
                spec.add_exclude(bodyname1=body_name(i), bodyname2=body_name(j))
    return spec, movable


def _parents_first(movable: list[SceneObject]) -> list[int]:
    """Indices in scene order, except that what carries an articulated part comes before it."""
    index = {o.id: i for i, o in enumerate(movable)}
    order: list[int] = []
    for i in range(len(movable)):
        chain: list[int] = []
        at: int | None = i
        while at is not None and at not in order and at not in chain:
            chain.append(at)
            joint = movable[at].joint if movable[at].jointed else None
            at = index.get(joint.parent) if joint is not None and joint.parent is not None else None
        order += reversed(chain)
    return order


def _add_free(spec: mujoco.MjSpec, o: SceneObject, index: int) -> mujoco.MjsBody:
    pose = o.world_from_object
    node = spec.worldbody.add_body(name=body_name(index), pos=list(pose.position), quat=list(pose.quat))
    node.add_freejoint(name=f"free-{index}")
    node.sleep = mujoco.mjtSleepPolicy.mjSLEEP_INIT
    return node


def _add_jointed(
    spec: mujoco.MjSpec, scene: Scene, o: SceneObject, index: int, nodes: dict[str, mujoco.MjsBody]
) -> mujoco.MjsBody:
    """A body on its joint, which is at 0 where the scene has it."""
    row = _row(scene, o, index)
    assert row is not None
    joint, pose = row.joint, o.world_from_object
    carrier = nodes.get(joint.parent or "", spec.worldbody)
    world = Pose(pose.position, pose.quat)
    if carrier.name.startswith("object-"):  # bodies have no scale: it is in the shapes
        parent = scene[joint.parent or ""].world_from_object
        world = Pose(parent.position, parent.quat).inverse() @ world
    node = carrier.add_body(name=body_name(index), pos=list(world.position), quat=list(world.quat))
    hinge = joint.kind == "hinge"
    added = node.add_joint(
        name=f"joint-{index}", type=mujoco.mjtJoint.mjJNT_HINGE if hinge else mujoco.mjtJoint.mjJNT_SLIDE, axis=list(joint.axis),
        pos=[v * pose.scale for v in joint.origin], damping=joint.damping, frictionloss=joint.friction, armature=joint.armature,
    )  # fmt: skip
    if joint.range is not None:
        # A part that stands a little past its stop stays there rather than being thrown back.
        added.limited = mujoco.mjtLimited.mjLIMITED_TRUE
        added.range = [min(row.of(joint.range[0]), 0.0), max(row.of(joint.range[1]), 0.0)]
    if joint.drive is not None:
        motor = spec.add_actuator(name=row.motor, target=added.name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        motor.set_to_position(kp=joint.drive.stiffness, kv=joint.drive.damping)
        if joint.drive.limit is not None:
            motor.forcelimited = mujoco.mjtLimited.mjLIMITED_TRUE
            motor.forcerange = [-joint.drive.limit, joint.drive.limit]
    return node


def _keep_assemblies_apart(spec: mujoco.MjSpec, movable: list[SceneObject], nodes: dict[str, mujoco.MjsBody]) -> None:
    """Parts of one cabinet or robot do not collide with each other: convex pieces fill the hollows that they move in."""
    carrier = {o.id: o.joint.parent for o in movable if o.joint is not None and o.jointed}
    assemblies: dict[str, list[str]] = {}
    for part in carrier:
        root = part
        while (above := carrier.get(root)) is not None:
            root = above
        members = assemblies.setdefault(root, [root])
        if part != root:
            members.append(part)
    for members in assemblies.values():
        names = [nodes[m].name for m in members if m in nodes]
        for i, first in enumerate(names):
            for second in names[i + 1 :]:
                spec.add_exclude(bodyname1=first, bodyname2=second)


def _covering_top(body: SceneObject) -> float | None:
    """Height of a rug's top; None for other things. Furniture slides over a rug's edge, where a rigid slab would trip it."""
    low, high = body.bounds()
    extent = high - low
    flat = extent[2] < 0.03 and extent[0] * extent[1] > 0.3 and body.supported_by == "floor"
    return float(high[2]) if flat else None


def _add_static(spec: mujoco.MjSpec, node: mujoco.MjsBody, name: str, shape: ConvexPiece | HeightField, o: SceneObject) -> None:
    surface = {"friction": [o.friction, 0.005, 0.0001]}
    if isinstance(shape, ConvexPiece):
        _add_piece(spec, node, name, shape, o.world_from_object, **surface)
        return
    spec.add_hfield(
        name=name, size=list(shape.size), nrow=shape.heights.shape[0], ncol=shape.heights.shape[1],
        userdata=shape.heights.reshape(-1).tolist(),
    )  # fmt: skip
    node.add_geom(
        name=name, type=mujoco.mjtGeom.mjGEOM_HFIELD, hfieldname=name, pos=list(shape.position), condim=4, solref=_SOLREF,
        solimp=_SOLIMP, **surface,
    )  # fmt: skip


def _add_piece(
    spec: mujoco.MjSpec, node: mujoco.MjsBody, name: str, piece: ConvexPiece, out_from_in: Pose, **surface: object
) -> None:
    surface |= {"condim": 4, "solref": _SOLREF, "solimp": _SOLIMP}
    if piece.is_box:
        low, high = piece.bounds()
        node.add_geom(
            name=name, type=mujoco.mjtGeom.mjGEOM_BOX, pos=out_from_in.apply((low + high) / 2).tolist(),
            quat=list(out_from_in.quat), size=((high - low) / 2 * out_from_in.scale).tolist(), **surface,
        )  # fmt: skip
        return
    spec.add_mesh(name=name, uservert=out_from_in.apply(piece.vertices).reshape(-1).tolist(), maxhullvert=-1)
    node.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, **surface)


def _overlaps(model: mujoco.MjModel) -> list[tuple[str, str, float]]:
    """Names and depth of every pair of geoms that interpenetrate at the start by more than contact softness explains."""
    data = mujoco.MjData(model)
    model.opt.enableflags &= ~int(mujoco.mjtEnableBit.mjENBL_SLEEP)  # sleeping pairs are not tested for contact
    mujoco.mj_forward(model, data)
    deepest: dict[tuple[int, int], float] = {}
    for contact in data.contact:
        pair = (int(contact.geom[0]), int(contact.geom[1]))
        deepest[pair] = max(deepest.get(pair, 0.0), -float(contact.dist))
    return [(model.geom(a).name, model.geom(b).name, depth) for (a, b), depth in deepest.items() if depth > 2e-4]
