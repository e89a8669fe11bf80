"""When a plan may be acted upon: the model answers for it, or another one does, or nobody moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from spatialwm.dynamics.episode import Forecast, Forecaster
from spatialwm.dynamics.planning.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """How sure a forecast must be, and who is asked when it is not."""

    max_sigma_m: float = 0.1
    """Largest expected error of any object at the end of the plan."""
    fallback: Forecaster | None = None
    """Asked when the first model is not sure enough; usually the physics prior. None: stop."""

    def doubt(self, forecast: Forecast) -> str | None:
        """Why a forecast should not be acted upon; None where it may be."""
        if forecast.trusted == "abstain":
            return "it abstains"
        worst = float(forecast.sigma_m[-1].max(initial=0.0))
        if not worst <= self.max_sigma_m:
            return f"it expects to be wrong by {100 * worst:.1f} cm, above the {100 * self.max_sigma_m:.1f} cm allowed"
        return None


def first_trusted(forecaster: Forecaster, trust: Trust, make: Callable[[Forecaster], Plan]) -> Plan:
    """The plan of the first model that is sure of its own; an empty one, with the reasons, where none is."""
    reasons: list[str] = []
    forecasts = 0
    for model in (forecaster, trust.fallback):
        if model is None:
            continue
        plan = make(model)
        forecasts += plan.forecasts
        doubt = None if plan.expected is None else trust.doubt(plan.expected)
        if doubt is None:
            notes = [*reasons, *filter(None, [plan.note])]
            rests_on = plan.rests_on if plan.expected is None or not plan.expected.trusted else plan.expected.trusted
            return replace(plan, forecasts=forecasts, rests_on=rests_on, note="; ".join(notes))
        reasons.append(f"{model.name} was not followed: {doubt}")
    return Plan(plan.commands[:0], plan.cost, "nothing", forecasts=forecasts, note="; ".join(reasons))


ALWAYS_CHECKED = Trust()
"""No fallback: a plan that the model is not sure of is not carried out."""
