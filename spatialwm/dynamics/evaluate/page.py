"""The report: one Markdown page, its figures and films beside it, and the same as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spatialwm.atomic import write_bytes
from spatialwm.dynamics.evaluate.bootstrap import Estimate
from spatialwm.dynamics.evaluate.evaluate import Protocol
from spatialwm.dynamics.evaluate.film import still, write_film
from spatialwm.dynamics.evaluate.plots import draw_certainty, draw_errors
from spatialwm.dynamics.evaluate.results import HorizonScore, ModelScore, Results
from spatialwm.errors import ExportError
from spatialwm.progress import Progress, part_of, silent
from spatialwm.render import write_png
from spatialwm.report import headline, markdown_table, number_text, write_json


def report(
    results: Results, out: Path, *, title: str = "How good the predictions are", look: Protocol = Protocol(),
    filmed: Sequence[str] | None = None, progress: Progress = silent,
) -> Path:  # fmt: skip
    """Write ``out`` (.md) and beside it, by its name, figures (.png), films (.mp4) and the values (.json); returns ``out``.

    Args:
        look: its ``look`` draws the films.
        filmed: models beside the truth in the films; None: the best two that are not the first baselines.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ExportError: a name that does not end in .md, an unknown model, or a file that cannot be written.
    """
    if out.suffix.lower() != ".md":
        raise ExportError(f"the page is written as .md, with figures and films beside it; got {out}")
    names = [m.name for m in results.models]
    unknown = [n for n in filmed or () if n not in names]
    if unknown:
        raise ExportError(f"{unknown[0]!r} cannot be filmed; there are: {', '.join(names)}")
    progress("drawing", 0.0)
    pictures = [draw_errors(results, _beside(out, "error.png")), draw_certainty(results, _beside(out, "certainty.png"))]
    films: list[tuple[str, Path, Path]] = []
    for i, shown in enumerate(results.shown):
        part = part_of(progress, 0.1 + 0.9 * i / len(results.shown), 0.1 + 0.9 * (i + 1) / len(results.shown))
        models = list(filmed or _best(results))
        seen = look.look(shown.episode)
        film = write_film(shown, seen, models, _beside(out, f"film-{i + 1}.mp4"), part)
        films.append((shown.label, film, write_png(_beside(out, f"film-{i + 1}.png"), still(shown, seen, models))))
    write_json(out.with_suffix(".json"), results.to_dict())
    write_bytes(out, (markdown(results, title, [p for p in pictures if p], films) + "\n").encode(), ExportError)
    progress("done", 1.0)
    return out


def markdown(
    results: Results, title: str, pictures: Sequence[Path] = (), films: Sequence[tuple[str, Path, Path]] = ()
) -> str:
    """The page; pictures and films are named relative to it.

    Args:
        films: label, film and its last picture.
    """
    fewest, most = results.objects
    objects = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    lines = [
        f"# {title}", "",
        f"{results.episodes} held-out episodes of {objects} objects, {results.windows} windows. {headline(results.machine)}.", "",
        results.rule, "",
        "Brackets are 95 % intervals: bootstrap over whole episodes, and over training seeds where a model has several.",
        f"\"Below {results.reference}\" is paired, on the same draws; bold where the interval excludes 0.", "",
    ]  # fmt: skip
    if pictures:
        lines += [f"![error over time]({pictures[0].name})", ""]
    for place, steps in enumerate(results.horizons):
        lines += [f"## {results.dt_s * steps:g} s ahead ({steps} steps, {results.moved[place]:,} moved objects)", ""]
        lines += _horizon(results, steps)
    lines += ["## Could it be so?", "", *_plausible(results), ""]
    lines += ["## Same state, other action", "", *_counterfactual(results), ""]
    certain = [m for m in results.models if m.calibration]
    if len(pictures) > 1:
        lines += ["## How sure", "", f"![calibration and risk]({pictures[1].name})", ""]
    if any(m.trusted for m in certain):
        lines += ["Windows by what the answer rests on:", "", *_trusted(certain), ""]
    if films:
        lines += ["## Films", "", "A thin line is the truth, a blue field where the model is 90 % sure that points are.", ""]
        for label, film, picture in films:
            lines += [f"[{label}]({film.name})", "", f"[![{label}]({picture.name})]({film.name})", ""]
    return "\n".join(lines).rstrip()


def _horizon(results: Results, steps: int) -> list[str]:
    header = ["model", "moved points: mean mm", "median mm", f"below {results.reference}", "Chamfer mm", "still: drift mm"]
    header += ["in the 90 % interval: moved", "all", "error of surest 70 %", "render dB"]
    rows: list[list[str]] = []
    for model in results.models:
        h = model.at(steps)
        seeds = f" ({model.seeds} seeds)" if model.seeds > 1 else ""
        cells = [model.name + seeds, _thousandths(h.moved_mean_m), _thousandths(h.moved_median_m), _below(h)]
        cells += [_thousandths(h.chamfer_m), _thousandths(h.still_m, 2)]
        cells += [_percent(h.coverage_90), _percent(h.coverage_90_all), _percent(h.kept_70), _number(h.psnr_db, ".1f")]
        rows.append(cells)
    return [*_without_empty(header, rows), ""]


def _plausible(results: Results) -> list[str]:
    header = ["model", "lost", "added", "Kabsch residual mm", "still: worst mm", "overlap: mean mm", "worst mm"]
    header += ["energy gained at rest mJ", "momentum drift", "CPU ms per step"]
    rows = []
    for m in results.models:
        p = m.plausibility
        cells = [m.name, f"{p.lost}", f"{p.added}", f"{1e3 * p.residual_m:.3f}", number_text(1e3 * p.still_worst_m, ".1f")]
        cells += [_thousandths(p.penetration_m, 2), f"{1e3 * p.penetration_worst_m:.1f}", _thousandths(p.energy_gain_j, 2)]
        rows.append([*cells, _number(p.momentum_drift, ".2f"), f"{m.ms_per_step:.2f}"])
    truth = _thousandths(results.penetration_true_m, 2)
    return [*_without_empty(header, rows), "", f"By these solids, things truly overlap by {truth} mm; less cannot be told apart."]


def _counterfactual(results: Results) -> list[str]:
    header = ["model", "error of the difference mm", "share of the true difference", "told that the actor stays: error mm"]
    rows = []
    for m in results.models:
        c = m.counterfactual
        rows.append([m.name, _thousandths(c.error_m), _percent(c.ratio), _thousandths(c.frozen_m)])
    note = (
        "A model that ignores actions gets 100 % of the difference wrong. One that uses them errs about as copying does"
        " when it is told that the actor stays."
    )
    return [*_without_empty(header, rows), "", note]


def _trusted(models: Sequence[ModelScore]) -> list[str]:
    kinds = sorted({k for m in models for k in m.trusted})
    rows = [[m.name, *(f"{m.trusted.get(k, 0.0):.0%}" for k in kinds)] for m in models if m.trusted]
    return markdown_table(["model", *kinds], rows)


def _best(results: Results) -> list[str]:
    """The most accurate two, the reference first if it is among them; of one model only that."""
    ends = [(m.curve[-1].value, m.name) for m in results.models if m.curve[-1].value == m.curve[-1].value]
    best = [name for _, name in sorted(ends)[:2]] or [results.models[0].name]
    return sorted(best, key=lambda n: n != results.reference)


def _without_empty(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table without the columns that nobody fills."""
    kept = [i for i in range(len(header)) if any(r[i] != "-" for r in rows)]
    return markdown_table([header[i] for i in kept], [[r[i] for i in kept] for r in rows])


def _below(score: HorizonScore) -> str:
    if score.below is None or score.below.value != score.below.value:
        return "-"
    if score.below.value < -1:  # minus so many hundred percent below is hard to read
        return f"{1 - score.below.value:.1f} times it"
    text = f"{score.below.value:+.0%} [{score.below.low:+.0%}, {score.below.high:+.0%}]"
    return f"**{text}**" if score.below.excludes_zero else text


def _thousandths(estimate: Estimate | None, digits: int = 1) -> str:
    """Millimetres of metres, millijoules of joules."""
    if estimate is None:
        return "-"
    return _number(Estimate(1e3 * estimate.value, 1e3 * estimate.low, 1e3 * estimate.high), f".{digits}f")


def _percent(estimate: Estimate | None) -> str:
    return _number(estimate, ".0%")


def _number(estimate: Estimate | None, spec: str) -> str:
    if estimate is None or estimate.value != estimate.value:
        return "-"
    return f"{estimate.value:{spec}} [{estimate.low:{spec}}, {estimate.high:{spec}}]"


def _beside(out: Path, ending: str) -> Path:
    return out.with_name(f"{out.stem}-{ending}")
