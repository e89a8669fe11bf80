"""Nouns that no kind builds, and the kinds whose builders come nearest in shape. Data only."""

from __future__ import annotations

from spatialwm.lift.text.language.lexicon import words

_ROWS = """
stool: stool chair | barstool: stool chair | bar stool: stool chair | ottoman: stool chair | pouf: stool chair
footstool: stool chair | throne: armchair chair | recliner: armchair sofa | rocking chair: chair armchair
seat: chair bench | pew: bench sofa | beanbag: armchair | loveseat: sofa | daybed: sofa bed | futon: sofa bed
crib: bed | bunk bed: bed | cot: bed | mattress: bed | hammock: bed | counter: table desk | countertop: table desk
workbench: desk table | workstation: desk table | bar counter: table desk | picnic table: table | altar: table
console: cabinet table | vanity: desk table | pedestal: cabinet crate | podium: cabinet crate | dresser: cabinet
drawer: cabinet | sideboard: cabinet | chest of drawers: cabinet | chest: crate box | trunk: crate box
cupboard: cabinet wardrobe | credenza: cabinet | tv stand: cabinet | locker: wardrobe cabinet | armoire: wardrobe
shelf: bookshelf | shelving: bookshelf | rack: bookshelf | display case: cabinet bookshelf | safe: cabinet crate
bin: box crate barrel | basket: box crate | toolbox: box crate | suitcase: box crate | package: box | parcel: box
cube: box | block: box | container: box crate | tray: plate | cutting board: plate book | chopping board: plate book
saucer: plate | dish: plate bowl | platter: plate | lid: plate | cup: mug | glass: mug | goblet: mug | beaker: mug
tumbler: mug | pot: bowl | pan: bowl | bucket: barrel bowl | pitcher: teapot vase | jug: teapot vase | kettle: teapot
urn: vase | flowerpot: vase | jar: bottle vase | flask: bottle | can: bottle | orange: apple ball | lemon: apple ball
peach: apple | pear: apple | tomato: apple ball | fruit: apple | plum: apple | onion: apple | tennis ball: ball
football: ball | basketball: ball | sphere: ball | orb: ball | globe: globe ball | beach ball: ball
stuffed animal: teddy | stuffed toy: teddy | plushie: teddy | toy bear: teddy | bear: teddy | oven: stove
cooker: stove | range: stove | freezer: fridge | refrigerator: fridge | washing machine: stove cabinet
dryer: stove cabinet | dishwasher: stove cabinet | microwave: tv box | basin: sink | tub: bathtub | jacuzzi: bathtub
screen: tv monitor | computer: monitor laptop | television: tv | display: monitor tv | tablet: book laptop
notebook: book | painting: picture | poster: picture | photograph: picture | portrait: picture | artwork: picture
tapestry: picture | map: picture | blackboard: picture | chalkboard: picture | whiteboard: picture | blind: curtain
drape: curtain | carpet: rug | mat: rug | towel: blanket rug | desk lamp: table lamp | bedside lamp: table lamp
standing lamp: floor lamp | ceiling lamp: pendant lamp | ceiling light: pendant lamp | torch: candle lantern
lamp post: lantern | street lamp: lantern | lamppost: lantern | streetlight: lantern | candlestick: candle
duvet: blanket | quilt: blanket | throw: blanket | cushion: pillow | throw pillow: pillow | puppy: dog | kitten: cat
wolf: dog | fox: dog | hound: dog | pup: dog | tree: oak tree ; pine tree | spruce: pine tree | fir: pine tree
fir tree: pine tree | spruce tree: pine tree | conifer: pine tree | birch tree: oak tree | maple tree: oak tree
apple tree: oak tree | willow: oak tree | birch: oak tree | maple: oak tree | olive tree: oak tree
cherry tree: oak tree | sequoia: pine tree | cypress: pine tree | shrub: bush | hedge: bush fence | fern: bush plant
potted plant: plant | houseplant: plant | succulent: plant | cactus: plant bush | ficus: plant | monstera: plant
boulder: rock | stone: rock | pebble: rock | cliff: rock | tree stump: log | stump: log | tree trunk: log | branch: log
bonfire: campfire | fire: campfire | fire pit: campfire | firepit: campfire | hut: cabin | house: cabin | cottage: cabin
shed: cabin | barn: cabin | shack: cabin | farmhouse: cabin | chalet: cabin | lodge: cabin | dog house: cabin box
teepee: tent | yurt: tent | railing: fence | gate: fence | pond: lake | pool: lake | puddle: lake | lagoon: lake
stream: lake | river: lake | trail: path | road: path | walkway: path | sidewalk: path | footpath: path
toadstool: mushroom | rose: flower | tulip: flower | daisy: flower | sunflower: flower | wildflower: flower
canoe: boat | rowboat: boat | kayak: boat | dinghy: boat | fishing boat: boat | keg: barrel | cask: barrel
park bench: bench | signboard: signpost | sign: signpost | road sign: signpost | footbridge: bridge
dining table: table
""".replace(";", " ")


def _parse(rows: str) -> dict[tuple[str, ...], tuple[str, ...]]:
    out: dict[tuple[str, ...], tuple[str, ...]] = {}
    compound = ("coffee table", "table lamp", "floor lamp", "pendant lamp", "pine tree", "oak tree")
    for entry in rows.replace("\n", "|").split("|"):
        noun, _, kinds = entry.partition(":")
        if not kinds.strip():
            continue
        for name in compound:
            kinds = kinds.replace(name, name.replace(" ", "_"))
        out[tuple(noun.split())] = tuple(k.replace("_", " ") for k in kinds.split())
    return out


NEAR: dict[tuple[str, ...], tuple[str, ...]] = _parse(_ROWS)
"""Noun words -> kinds to try, best first; the noun as written stays the category of what is built."""

USUAL_M: dict[str, float] = {
    "cube": 0.06, "block": 0.06, "tennis ball": 0.067, "toolbox": 0.45, "tool box": 0.45, "tray": 0.4, "cutting board": 0.38,
    "chopping board": 0.38, "platter": 0.38, "lid": 0.24, "orange": 0.08, "lemon": 0.07, "peach": 0.07, "tomato": 0.07,
    "plum": 0.05,
    "sphere": 0.12, "orb": 0.15, "football": 0.22, "basketball": 0.24, "tablet": 0.25, "notebook": 0.25, "microwave": 0.5,
    "package": 0.35, "parcel": 0.3, "basket": 0.4, "blackboard": 2.2, "chalkboard": 2.2, "whiteboard": 1.8,
    "dog house": 1.1, "fox": 0.7, "cup": 0.09, "pot": 0.25, "pan": 0.28, "jar": 0.15, "can": 0.12, "towel": 1.2,
}  # fmt: skip
"""Usual longest extent of nouns whose stand-in is of another size."""

NOUNS = words(
    """
    airplane anvil arch arm astronaut axe bag banana banner bat bathrobe bell bicycle bike bird bison blender boot bread broom
    brush building bus butterfly cable cake camel camera canopy car carriage cart castle cauldron chain chicken chimney church
    clay cloud coat coin column comb cookie cow crab crane crow crown deer dinosaur dolphin donkey dragon dress drone drum
    duck eagle easel egg elephant engine excavator fan faucet feather fish flag flute fork forklift fountain frog ghost
    giraffe glove goat goose gorilla grill guitar hammer hand harp hat hay helicopter helmet horse hotel hydrant iron jacket
    jet key kite knife knight ladder leaf lighthouse lion lizard lobster locomotive machine man microscope monkey moon
    motorcycle mountain napkin needle nest oven owl palm pancake panda panel paper parrot pen pencil penguin person phone
    piano pie pier pig pigeon pillar pirate pizza planet plane plank printer pump pumpkin rabbit radio rake rat robot rocket
    roller rope rover saddle sandbox sandwich satellite scarecrow scooter screwdriver sculpture shark sheep shell ship shoe
    shop shovel skateboard skeleton skull slide snail snake snowman soap sofa spaceship speaker spider spoon squirrel stage
    stall statue strawberry submarine sun swan swing sword syringe tank taxi telephone telescope temple tiger toaster
    tombstone toothbrush tortoise tower toy tractor train trap trophy truck trumpet turtle tyre umbrella unicorn vacuum van
    violin volcano waffle wagon warrior watch waterfall well watermelon well whale wheel wheelbarrow whisk windmill witch
    wizard wrench yacht zebra
    """
)
"""Common nouns known to be nouns, so that an unlisted word after one is not taken for its verb."""
