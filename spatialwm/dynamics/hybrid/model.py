"""The hybrid world model: physics with what the past has told, corrected by a learned twist, many futures at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from spatialwm.dynamics.episode import Forecast, Situation, check_commands
from spatialwm.dynamics.hybrid.arrays import Casts, Pasts, casts_of, pasts_of
from spatialwm.dynamics.hybrid.calibrate import Calibration
from spatialwm.dynamics.hybrid.config import PROPERTIES, HybridConfig
from spatialwm.dynamics.hybrid.correct import Correction, Corrector, Step
from spatialwm.dynamics.hybrid.identify import CENTERS, WINDOW, Belief, Evidence, Identifier, features_of, surprise_of
from spatialwm.dynamics.hybrid.prior import Hold, Prior, prior_of
from spatialwm.dynamics.hybrid.servo import LOOK_BACK, Servo, Usual, fit, path, within_step
from spatialwm.dynamics.motion import mean_pose, moved
from spatialwm.dynamics.table import Drive

_STIRRED_M, _STIRRED_RAD, _TOLD = 5e-4, 8e-3, 0.1
"""A window of the past in which nothing moved or turned farther than this is not simulated again; one that shows less than this
share of a unit of a thing tells nothing of it."""
_AT_ONCE = 192
"""Futures in memory at one time."""


class Networks(nn.Module):
    """The three learned parts."""

    def __init__(self, config: HybridConfig) -> None:
        super().__init__()
        self.config = config
        self.usual = Usual()
        self.identifier = Identifier()
        self.corrector = Corrector(config)
        self.calibration = Calibration()


@dataclass(frozen=True, slots=True, eq=False)
class Futures:
    """What M members expect of B scenes over H steps."""

    poses: Float[Tensor, "m b h k 7"]
    own_m: Float[Tensor, "m b h k"]
    """Sum of what each member thinks each step may be off."""
    strayed: Bool[Tensor, " b"]
    """Where a correction was larger than any that training asked for, and the prior went on alone."""
    largest: Float[Tensor, " h"]
    """The largest correction of each step."""


class Hybrid:
    """A :class:`spatialwm.dynamics.episode.Forecaster` over trained networks."""

    def __init__(
        self, networks: Networks, name: str = "hybrid", members: int | None = None, *, looks_back: bool = True
    ) -> None:
        """Args:
        members: futures per forecast; fewer are faster and know less of how sure they are.
        looks_back: whether the past of the things is asked what they are made of.
        """
        self.networks, self.name, self._looks_back = networks.eval(), name, looks_back
        self.members = networks.config.members if members is None else members

    def forecast(self, situations: Sequence[Situation], commands: Float[np.ndarray, "b h a"]) -> list[Forecast]:
        """See :class:`spatialwm.dynamics.episode.Forecaster`."""
        check_commands(situations, commands, 2)
        answers: list[Forecast] = []
        for some, futures in self.imagine(situations, commands):
            answers += self._answers(situations[some], futures)
        return answers

    def without_learning(self) -> Hybrid:
        """Nominal physics whose rod alone is learned: to tell what knowing the actuator is worth from what the rest is."""
        bare = Networks(self.networks.config)
        bare.usual.load_state_dict(self.networks.usual.state_dict())
        return Hybrid(bare, "learned actuator", members=1, looks_back=False)

    def imagine(
        self, situations: Sequence[Situation], commands: Float[np.ndarray, "b h a"]
    ) -> Iterator[tuple[slice, Futures]]:
        """The members' futures, a part of the situations at a time."""
        beliefs = self.believe(situations)
        chunk = max(_AT_ONCE // self.members, 1)
        for i in range(0, len(situations), chunk):
            some = slice(i, i + chunk)
            yield some, self.futures(situations[some], torch.from_numpy(commands[some]).float(), beliefs.pick(some))

    @torch.no_grad()
    def believe(self, situations: Sequence[Situation]) -> Belief:
        """What the pasts tell of the things; asked once for each situation however often it is listed."""
        index = {id(s): n for n, s in enumerate({id(s): s for s in situations}.values())}
        different = list({id(s): s for s in situations}.values())
        memory = min(self.networks.config.memory, max(len(s.past) for s in different)) // WINDOW * WINDOW
        k = max(len(s.cast.object_ids) for s in situations)
        if memory == 0 or not self._looks_back:
            return Belief.unknown(len(situations), k)
        casts = casts_in(different, self.networks.config)
        pasts = pasts_of(different, memory, k, WINDOW)
        belief = self.networks.identifier(look_back(self.networks.config, different, casts, pasts, different[0].past.dt_s))
        return belief.pick(torch.tensor([index[id(s)] for s in situations]))

    @torch.no_grad()
    def futures(self, situations: Sequence[Situation], commands: Float[Tensor, "b h a"], belief: Belief) -> Futures:
        """What each member expects."""
        b, m = len(situations), self.members
        casts = casts_in(situations, self.networks.config)
        pasts = pasts_of(situations, LOOK_BACK, casts.points.shape[1])
        servo = fit(self.networks.usual, pasts.places, pasts.commands)
        properties = torch.cat([_draw(belief, i) for i in range(m)])
        every = torch.arange(b).repeat(m)
        members = torch.arange(m).repeat_interleave(b) % self.networks.config.members
        drive = drive_of(servo.pick(every))
        with prior_of(self.networks.config, list(situations) * m, properties, drive) as prior:
            if isinstance(prior, Hold):
                prior.follow(path(servo, pasts.places, pasts.commands, commands)[every].double().numpy())
            poses, sigmas, sizes = [], [], []
            run = Run(self.networks, prior, casts.pick(every), properties, _sigma(belief, m), situations[0].past.dt_s)
            for h in range(commands.shape[1]):
                correction = run.step(commands[every, h].double().numpy(), members)
                poses.append(run.poses.unflatten(0, (m, b)))
                sigmas.append(correction.log_sigma.exp().unflatten(0, (m, b)))
                sizes.append(correction.size().max())
        strayed = run.strayed.unflatten(0, (m, b)).any(0)
        return Futures(torch.stack(poses, 2), torch.stack(sigmas, 2).cumsum(2), strayed, torch.stack(sizes))

    def _answers(self, situations: Sequence[Situation], futures: Futures) -> list[Forecast]:
        doubts = doubts_of(situations, futures)
        sigma = self.networks.calibration(doubts.spread_m, doubts.own_m, doubts.gone_m).numpy()
        answers: list[Forecast] = []
        for i, situation in enumerate(situations):
            n = len(situation.cast.object_ids)
            unsure = sigma[i, -1, :n].max() > float(self.networks.calibration.abstain_m)
            trusted = "abstain" if unsure else "prior" if bool(futures.strayed[i]) else "hybrid"
            answers.append(Forecast(doubts.poses[i, :, :n].numpy(), sigma[i, :, :n], trusted))
        return answers


@dataclass(frozen=True, slots=True, eq=False)
class Doubts:
    """What the members agree upon, and how far they do."""

    poses: Float[Tensor, "b h k 7"]
    spread_m: Float[Tensor, "b h k"]
    own_m: Float[Tensor, "b h k"]
    gone_m: Float[Tensor, "b h k"]


def doubts_of(situations: Sequence[Situation], futures: Futures) -> Doubts:
    """The mean future; what each member says of itself and how far they are apart."""
    k = futures.poses.shape[3]
    poses = mean_pose(futures.poses)
    now = torch.zeros(len(situations), k, 3, dtype=torch.float64)
    reach = torch.zeros(len(situations), k, dtype=torch.float64)
    for i, situation in enumerate(situations):
        n = len(situation.cast.object_ids)
        now[i, :n] = torch.from_numpy(situation.past.poses[-1, :, :3]).double()
        reach[i, :n] = torch.from_numpy(situation.cast.points).double().norm(dim=-1).mean(-1)
    same = (futures.poses[..., 3:] * poses[..., 3:]).sum(-1).abs().clamp(max=1)
    turned = 2 * torch.arccos(same) * reach[:, None]
    spread = ((futures.poses[..., :3] - poses[..., :3]).norm(dim=-1) + turned).mean(0)
    gone = (poses[..., :3] - now[:, None]).norm(dim=-1)
    return Doubts(poses, spread, futures.own_m.mean(0).double(), gone)


class Run:
    """Scenes being rolled out by a prior under correction; differentiable in the corrections."""

    def __init__(
        self, networks: Networks, prior: Prior, casts: Casts, properties: Tensor, sigma: Tensor, dt_s: float
    ) -> None:
        self.networks, self.prior, self.casts, self.dt_s = networks, prior, casts, dt_s
        self.known = torch.cat([properties, sigma, casts.believed / torch.tensor([3.0, 1.0])], -1)
        self.poses, self.velocities = torch.from_numpy(prior.poses), torch.from_numpy(prior.velocities)
        self.strayed = torch.zeros(len(self.poses), dtype=torch.bool)

    def step(self, commands: Float[np.ndarray, "b 2"], members: Tensor) -> Correction:
        """One control step; ``poses`` and ``velocities`` are those after it.

        The simulator has no gradient: the motion it finds is taken as given, and its result moves with where it began.
        """
        place = torch.from_numpy(self.prior.rods).float()
        self.prior.act(commands)
        next_place = torch.from_numpy(self.prior.rods).float()
        simulated, speeds = torch.from_numpy(self.prior.poses), torch.from_numpy(self.prior.velocities)
        if self.poses.requires_grad:
            simulated = simulated + (self.poses - self.poses.detach())
            speeds = speeds + (self.velocities - self.velocities.detach())
        step = Step(
            self.poses.float(), self.velocities.float(), simulated.float(), speeds.float(), self.casts.points,
            self.casts.actor_at(place), self.casts.actor_at(next_place), self.known, self.casts.present, self.dt_s,
        )  # fmt: skip
        correction = self.networks.corrector(step, members)
        if not torch.is_grad_enabled():
            self.strayed |= (correction.size() > self.networks.corrector.largest).any(-1)
            correction = correction.only(~self.strayed)
        if torch.is_grad_enabled():
            changed = correction.gate > 0  # a correction of zero has a gradient too
        else:
            changed = (correction.twists.abs().amax(-1) > 0) | (correction.velocities.abs().amax(-1) > 0)
        changed = (changed & self.casts.present)[..., None]
        self.poses = torch.where(changed, moved(simulated, correction.twists.double()), simulated)
        self.velocities = torch.where(changed, speeds + correction.velocities.double(), speeds)
        which = changed[..., 0].any(-1).nonzero()[:, 0].numpy()
        if len(which):
            self.prior.put(self.poses.detach().numpy(), self.velocities.detach().numpy(), which)
        return correction


def look_back(config: HybridConfig, situations: Sequence[Situation], casts: Casts, pasts: Pasts, dt_s: float) -> Evidence:
    """Evidence in the past: what the prior would have expected of every window in which something moved, and what was seen.

    Args:
        pasts: a whole number of windows.
    """
    b, k = casts.present.shape
    windows = pasts.commands.shape[1] // WINDOW
    at = WINDOW * torch.arange(windows)
    poses, velocities = pasts.poses[:, at], pasts.velocities[:, at]
    seen = torch.stack([pasts.poses[:, at + WINDOW // 2], pasts.poses[:, at + WINDOW]], 2)
    moved_m = (seen[:, :, 1, :, :3] - poses[..., :3]).norm(dim=-1).amax(-1)
    turned = (seen[:, :, 1, :, 4:] - poses[..., 4:]).norm(dim=-1).amax(-1)
    stirred = ((moved_m > _STIRRED_M) | (turned > _STIRRED_RAD / 2)).numpy()
    paths = within_step(pasts.places).double().numpy()
    starts, places = (poses.double().numpy(), velocities.double().numpy()), pasts.places.double().numpy()


    def surprise(center: tuple[float, float]) -> Tensor:
        properties = torch.zeros(b, k, PROPERTIES)
        properties[..., :2] = torch.tensor(center)
        ends = poses[:, :, None].repeat(1, 1, 2, 1, 1)
        with prior_of(config, situations, properties) as prior:
            for w in np.flatnonzero(stirred.any(0)):
                which = np.flatnonzero(stirred[:, w])
                prior.put(starts[0][:, w], starts[1][:, w], which, places[:, WINDOW * w])
                for i in range(WINDOW):
                    prior.lead(paths[:, WINDOW * w + i], which)
                    if i + 1 in (WINDOW // 2, WINDOW):
                        ends[which, w, int(i + 1 == WINDOW)] = torch.from_numpy(prior.poses[which]).float()
        return surprise_of(poses, seen, ends)

    usual = surprise(CENTERS[0])
    others = [surprise(c) if config.prior == "physics" else usual for c in CENTERS[1:]]
    actor = casts.actor_at(pasts.places[:, torch.cat([at, at[-1:] + WINDOW])])
    points = casts.points[:, None].expand(-1, windows, -1, -1, -1)
    features = features_of(poses, velocities, seen[:, :, 1], usual, actor[:, :-1], actor[:, 1:], points, WINDOW * dt_s)
    told = (features[..., :6].abs().amax(-1) > _TOLD) | (usual.abs().amax(-1) > _TOLD)
    active = told & torch.from_numpy(stirred)[..., None] & casts.present[:, None]
    return Evidence(features, torch.stack([usual, *others], 3), active)


def casts_in(situations: Sequence[Situation], config: HybridConfig) -> Casts:
    """Who takes part, as the networks see it."""
    heights = [float(s.past.part_poses[-1, 0, 2]) for s in situations]
    return casts_of([s.cast for s in situations], heights, config.points)


def drive_of(servo: Servo) -> Drive:
    """What the simulator is told of the rods."""
    return Drive(
        servo.stiffness.double().numpy(), servo.damping.double().numpy(), servo.late.numpy(), servo.velocities.double().numpy()
    )


def _draw(belief: Belief, member: int) -> Tensor:
    """The first member has no doubts; the others come in pairs that err in opposite directions."""
    if member == 0:
        return belief.mean
    made = torch.Generator().manual_seed((member + 1) // 2)
    noise = torch.randn(belief.mean.shape[1:], generator=made) * (1 if member % 2 else -1)
    return belief.mean + noise * belief.sigma


def _sigma(belief: Belief, members: int) -> Tensor:
    """What a member does not doubt it takes for known, except the first."""
    return torch.cat([belief.sigma, torch.zeros_like(belief.sigma).repeat(members - 1, 1, 1)])
