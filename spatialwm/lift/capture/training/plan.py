"""How a training spends its time: sizes, learning rates, and what happens when, as shares of the whole."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from spatialwm.errors import LiftError
from spatialwm.lift.lifter import Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Adam's learning rates at the start; that of the means is per unit of the cameras' extent."""

    means: float = 6e-4
    quats: float = 3e-3
    log_scales: float = 1e-2
    logit_opacities: float = 5e-2
    sh0: float = 1e-2
    sh1: float = 2e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One training. Shares run from 0 to 1 of its time."""

    seconds: float | None = 60.0
    """Wall clock; None: ``steps`` count."""
    steps: int | None = None
    """For a result that does not depend on how busy the machine is; None: ``seconds`` count."""
    cap: int = 40_000
    """Gaussians at most."""
    start_count: int = 15_000
    rates: Rates = field(default_factory=Rates)
    means_end: float = 0.01
    """Share of their rate that the means end with, decaying all the time."""
    others_end: float = 0.05
    """Share of their rate that the others end with, decaying over the second half."""
    levels: tuple[tuple[int, float], ...] = ((4, 0.06), (2, 0.3), (1, 1.0))
    """Reduction of the pictures, and until when: coarse pictures cost little and settle the large shapes."""
    sh1_from: float = 0.3
    move_every: int = 100
    """Steps between relocations of faded Gaussians."""
    grow_until: float = 0.5
    move_until: float = 0.85
    noise: float = 5e5
    """Of the MCMC exploration, times the rate of the means."""
    opacity_weight: float = 0.02
    scale_weight: float = 0.03
    """Pull on mean opacity and mean size, so that what is not needed fades and can be moved."""
    ssim_weight: float = 0.2
    depth_weight: float = 4.0
    """Of the relative error against measured depth, where views have it: a percent of depth counts as much as four of colour.

    In a kitchen (60 frames of a Kinect, 300 steps) held-out depth is then wrong by 11 mm in the middle and 57 mm at the 90th
    percentile, instead of 18 and 101 with 0.2, and lengths by 0.05 % instead of 0.4 %; its pictures lose 0.3 dB.
    """
    normal_weight: float = 0.0
    """Of one minus the cosine between splats' thinnest axes and the surface, measured or as drawn; 0.1 is a good one.

    Off, as neither pictures nor depth gain: in a kitchen (60 frames of a Kinect, 200 steps at half size) splats then lie 15
    instead of 18 degrees off the surface they draw, while held-out depth stays wrong by 12 mm and 72 mm at the 90th percentile,
    measured normals by 8.6 instead of 8.7 degrees, and held-out pictures lose 0.02 dB; ten times as much makes it 13 degrees
    and 0.09 dB.
    """
    with_exposure: bool = True
    """Learn a gain and an offset per view. Phone photos of one room differ by 30 %: after 5,000 steps it brings 0.4 dB there on
    pictures that training never saw, which take the exposure of their neighbours."""
    with_poses: bool = False
    """Move the cameras that are trained on to where the scene says they are.

    Off, as structure from motion is better than what 20 looks at each view tell: of 25 phone photos (400 steps at half size)
    held-out views lose 0.2 dB where they are given and nothing once they are aligned as well; of a kitchen tracked by a Kinect
    (200 steps) they and their depth stay what they were. With cameras wrong by half a degree and 0.8 % of the distance 400 steps
    nearly halve both errors and bring 1.3 dB, 1.6 dB once aligned.
    """

    def __post_init__(self) -> None:
        if (self.seconds is None) == (self.steps is None):
            raise LiftError(f"a training needs either seconds or steps; got {self.seconds} and {self.steps}")
        if not (self.start_count >= 1 and self.cap >= self.start_count):
            raise LiftError(f"expected 1 <= start_count <= cap; got {self.start_count}, {self.cap}")

    def reduction(self, share: float) -> int:
        """By how much pictures are reduced at ``share`` of the training."""
        return next((factor for factor, until in self.levels if share < until), self.levels[-1][0])


_QUICK = Rates(means=8e-4, quats=5e-3, log_scales=1.5e-2)
"""Default 3DGS rates are made for 30,000 steps; at one thousand they lose 1.4 dB against these."""

PLANS: dict[Quality, Plan] = {
    "draft": Plan(seconds=60, cap=40_000, start_count=15_000, rates=_QUICK),
    "standard": Plan(seconds=300, cap=60_000, start_count=20_000, levels=((4, 0.04), (2, 0.25), (1, 1.0))),
    "high": Plan(seconds=1200, cap=120_000, start_count=20_000, levels=((4, 0.04), (2, 0.25), (1, 1.0))),
}


def plan_for(quality: Quality, *, seconds: float | None = None, steps: int | None = None) -> Plan:
    """The plan of a quality, with another budget where one is given."""
    plan = PLANS[quality]
    if steps is not None:
        return replace(plan, seconds=None, steps=steps)
    return plan if seconds is None else replace(plan, seconds=seconds)
