"""A small vocabulary of box-shaped kinds, so that language and layout are judged without any builder's help."""

from __future__ import annotations

import numpy as np
import pytest

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Look, Model, Part, Solid, Surface, Surfels

# name; synonyms; width depth height; habitat; family; hypernyms; w: backs onto a wall, f: has a front, t: a top, s: a seat
ROWS = """
sofa; couch,settee; 2.1 .95 .85; floor; indoor; seat,furniture; wfs
armchair; easy chair; .85 .85 .9; floor; indoor; seat,furniture; fs
chair; dining chair; .45 .5 .9; floor; both; seat,furniture; fs
stool; ; .4 .4 .5; floor; both; seat; t
bench; ; 1.5 .45 .85; floor; both; seat; fs
coffee table; ; 1.1 .6 .42; floor; indoor; table,furniture; t
table; dining table,kitchen table; 1.5 .85 .75; floor; both; furniture; t
desk; writing desk; 1.4 .7 .75; floor; indoor; furniture; wft
nightstand; bedside table; .45 .4 .55; floor; indoor; furniture; wft
bed; double bed; 1.7 2.1 .9; floor; indoor; furniture; wfs
bookshelf; bookcase; .9 .32 1.9; floor; indoor; furniture,shelf; wft
wardrobe; closet; 1.2 .6 2; floor; indoor; furniture; wf
cabinet; cupboard; 1 .45 .8; floor; indoor; furniture; wft
crate; wooden crate; .5 .5 .45; floor; both; container; t
box; cardboard box; .4 .4 .35; floor; both; container; t
floor lamp; standing lamp; .4 .4 1.6; floor; indoor; lamp,light;
table lamp; desk lamp,bedside lamp; .3 .3 .5; surface; indoor; lamp,light;
pendant lamp; hanging lamp; .4 .4 .6; ceiling; indoor; lamp,light;
chandelier; ; .8 .8 .7; ceiling; indoor; light;
candle; ; .08 .08 .2; surface; both; light;
fireplace; hearth; 1.4 .45 1.2; floor; indoor; ; wf
picture; painting,poster; .8 .04 .6; wall; indoor; art; f
mirror; ; .6 .05 .9; wall; indoor; ; f
rug; carpet; 2.2 1.6 .02; floor; indoor; ;
curtain; drape; 1.2 .12 2.2; wall; indoor; ; f
clock; ; .3 .06 .3; wall; indoor; ; f
vase; ; .18 .18 .3; surface; both; container;
plant; potted plant,houseplant; .5 .5 1; floor; both; ;
pillow; cushion; .45 .2 .35; surface; indoor; ;
globe; ; .3 .3 .4; surface; indoor; ;
mug; cup; .09 .09 .1; surface; both; container;
bowl; fruit bowl; .28 .28 .1; surface; both; container;
plate; ; .26 .26 .02; surface; both; ;
bottle; ; .08 .08 .3; surface; both; ;
book; ; .16 .23 .04; surface; both; ;
apple; ; .08 .08 .08; surface; both; fruit;
teapot; ; .24 .16 .16; surface; indoor; ;
tv; television; 1.2 .2 .7; surface; indoor; screen; f
monitor; computer monitor; .55 .2 .45; surface; indoor; screen; f
laptop; ; .34 .25 .22; surface; indoor; computer; f
keyboard; ; .44 .14 .03; surface; indoor; ; f
mouse; computer mouse; .07 .11 .04; surface; indoor; ;
fridge; refrigerator; .7 .7 1.8; floor; indoor; appliance; wf
stove; oven,cooker; .6 .6 .9; floor; indoor; appliance; wft
sink; washbasin,basin; .6 .5 .9; floor; indoor; ; wf
bathtub; tub; 1.7 .75 .6; floor; indoor; ; wf
toilet; wc; .4 .65 .8; floor; indoor; ; wf
ball; ; .24 .24 .24; floor; both; toy;
teddy; teddy bear; .3 .25 .4; surface; indoor; toy; f
door; ; .9 .06 2.05; wall; indoor; ; f
window; ; 1.2 .08 1.3; wall; indoor; ; f
cat; ; .5 .2 .3; floor; both; animal; f
dog; ; .8 .3 .6; floor; both; animal; f
pine tree; pine; 2.6 2.6 8; ground; outdoor; tree;
oak tree; oak; 4 4 7; ground; outdoor; tree;
bush; shrub; 1 1 .8; ground; outdoor; ;
rock; boulder; .9 .7 .5; ground; outdoor; stone; t
campfire; bonfire; .9 .9 .5; ground; outdoor; fire;
log; ; 1.5 .35 .35; ground; outdoor; ; t
cabin; log cabin; 5 4 4; ground; outdoor; house; f
tent; ; 2.4 2 1.5; ground; outdoor; ; f
fence; ; 3 .12 1; ground; outdoor; ; f
bridge; ; 4 1.6 1; ground; outdoor; ;
lake; pond; 9 7 .05; ground; outdoor; water;
path; trail; 1.4 8 .03; ground; outdoor; ;
mushroom; toadstool; .12 .12 .15; ground; outdoor; ;
flower; ; .12 .12 .35; ground; outdoor; ;
lantern; ; .2 .2 .4; surface; both; lamp,light;
well; ; 1.4 1.4 1.8; ground; outdoor; ;
boat; rowboat; 1.3 3.2 .6; ground; outdoor; ; f
barrel; ; .6 .6 .85; floor; both; container; t
signpost; ; .6 .1 1.6; ground; outdoor; ; f
"""


def _white(surfels: Surfels) -> Look:
    return Look(albedo=np.ones_like(surfels.points))


def _builder(name: str, size: tuple[float, float, float], flags: str):
    def build(item: Item, rng: np.random.Generator) -> Model:
        factor = {"large": 1.3, "small": 0.75, None: 1.0}[item.size]
        w, d, h = (s * factor for s in size)
        w, d, h = item.width_m or w, d, item.height_m or h
        if item.length_m:
            w, d = (item.length_m, d) if w >= d else (w, item.length_m)
        corners = np.array([(x * w / 2, y * d / 2, z * h) for x in (-1, 1) for y in (-1, 1) for z in (0, 1)])
        faces = np.array([(0, 1, 2), (1, 3, 2), (4, 6, 5), (5, 6, 7)], np.int64)
        surfaces = []
        if "t" in flags:
            surfaces.append(Surface(z=h, low=(-w / 2 + 0.03, -d / 2 + 0.03), high=(w / 2 - 0.03, d / 2 - 0.03)))
        if "s" in flags:
            surfaces.append(Surface(z=0.48 * h, low=(-w / 2 + 0.05, -d / 2 + 0.05), high=(w / 2 - 0.05, d / 2 - 0.1)))
        part = Part(name="body", solid=Solid(corners, faces, corners.copy()), material=_white, spacing_m=0.05)
        color, material = item.color, item.material
        return Model(kind=name, parts=(part,), surfaces=tuple(surfaces), has_front="f" in flags, color=color, material=material)

    return build


def box_kinds() -> dict[str, Kind]:
    """The stand-in registry."""
    out: dict[str, Kind] = {}
    for row in ROWS.strip().splitlines():
        name, synonyms, size, habitat, family, hypernyms, flags = (c.strip() for c in row.split(";"))
        w, d, h = (float(v) for v in size.split())
        out[name] = Kind(
            name=name, synonyms=tuple(s for s in synonyms.split(",") if s), build=_builder(name, (w, d, h), flags),
            size_m=(w, d, h),
            habitat=habitat, family=family, hypernyms=tuple(h for h in hypernyms.split(",") if h), against_wall="w" in flags,
        )  # type: ignore[arg-type]  # fmt: skip
    return out


@pytest.fixture(scope="session")
def kinds() -> dict[str, Kind]:
    return box_kinds()
