"""The page: forms on the left, the world on the right, and the same verbs as named HTTP endpoints."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import gradio as gr
from gradio.events import api

from spatialwm.errors import LiftError, SpatialwmError
from spatialwm.lift import LiftOptions, Quality
from spatialwm.progress import Progress, silent
from spatialwm_app.component import TrayView, WorldView
from spatialwm_app.hub import Hub
from spatialwm_app.intake import options_from
from spatialwm_app.jobs import Job, JobCancelled, Status
from spatialwm_app.making import Making, Wish
from spatialwm_app.routes import export_url, world_url
from spatialwm_app.session import EXPORT_FORMATS, Session

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

EXAMPLES = (
    "A cosy living room with a green sofa, a round coffee table and a floor lamp in the evening",
    "A study with a wooden desk, two bookshelves, a red chair and a globe on the desk",
    "A small park with oak trees, a bench, a lamp post and a pond on a clear morning",
)
QUALITIES = [("Draft", "draft"), ("Standard", "standard"), ("High", "high")]
_EMPTY = "the description is empty; say what the place is and what stands in it, or drop pictures of a place"
_WITH_TRAY = f"async (text, quality, chosen, world) => [text, quality, await {TrayView.CHOSEN}, world]"
_DOWNLOAD = """(link) => {
  if (link) Object.assign(document.createElement('a'), { href: link.url, download: link.name }).click();
}"""


class _Work(Protocol[T_co]):
    """Something that ends with a result."""

    def result(self) -> T_co: ...


def build_page(hub: Hub) -> gr.Blocks:
    """The Blocks of the studio; every handler goes through ``hub``."""
    with gr.Blocks(title="spatialwm studio", fill_width=True, analytics_enabled=False) as page:
        token = gr.State("")
        job = gr.State(None)
        link = gr.JSON(visible="hidden")
        chosen = gr.JSON(visible="hidden")
        with gr.Row(elem_id="swm-layout"):
            with gr.Column(elem_id="swm-rail", min_width=0):
                gr.HTML('<div class="swm-brand"><i></i><b>spatialwm</b><span>studio</span></div>')
                source = gr.Textbox(
                    label="Describe a world", lines=4, max_lines=8, max_length=10_000, elem_id="swm-prompt",
                    placeholder="A sentence, or the path of a file or folder",
                )  # fmt: skip
                TrayView(elem_id="swm-tray")
                with gr.Row(elem_id="swm-create-row"):
                    quality = gr.Dropdown(
                        QUALITIES, value="standard", label="Quality", show_label=False, container=False, min_width=118
                    )
                    create = gr.Button("Create", variant="primary", elem_id="swm-create", min_width=90)
                with gr.Column(elem_id="swm-examples", min_width=0):
                    for text in EXAMPLES:
                        chip = gr.Button(text, size="sm", elem_classes="swm-chip")
                        chip.click(lambda text=text: text, None, source, queue=False, api_visibility="private")
                status = gr.HTML("", elem_id="swm-status")
                with gr.Row(elem_id="swm-stops"):
                    keep = gr.Button("Stop and keep", size="sm", elem_id="swm-keep", elem_classes="swm-hide", min_width=80)
                    cancel = gr.Button("Cancel", size="sm", elem_id="swm-cancel", elem_classes="swm-hide", min_width=80)
                with gr.Column(elem_classes="swm-section", min_width=0):
                    worlds = gr.Dropdown(
                        hub.choices(), value=None, label="Worlds", allow_custom_value=True, elem_id="swm-worlds"
                    )
                with gr.Column(elem_classes="swm-section", min_width=0):
                    command = gr.Textbox(
                        label="Edit by command", placeholder="move mug-1 0.1 0 0", max_lines=1, elem_id="swm-command"
                    )
                with gr.Column(elem_classes="swm-section", min_width=0):
                    formats = [(text, suffix) for suffix, text in EXPORT_FORMATS.items()]
                    suffix = gr.Dropdown(formats, value="glb", label="Export", elem_id="swm-format")
                    export = gr.Button("Export and download", elem_id="swm-export")
            view = WorldView(elem_id="swm-view")

        busy = {"queue": True, "show_progress": "hidden", "concurrency_limit": 4, "api_visibility": "private"}
        now = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}

        def on_create(text: str, quality_name: Quality, choices: dict[str, Any] | None, world: str) -> Iterator[Any]:
            waiting, ready = gr.update(interactive=False), gr.update(interactive=True)
            shown, hidden = gr.update(elem_classes=[]), gr.update(elem_classes=["swm-hide"])
            try:
                making = Making(hub, _wish(hub, text, quality_name, choices))
            except SpatialwmError as error:
                yield None, _error_card(str(error)), hidden, hidden, ready, gr.skip(), gr.skip(), gr.skip()
                return
            address: dict[str, Any] | None = None
            for state in making.watch():
                first = address is None and making.forming.shown
                if first:
                    address = {"base": world_url(making.forming)}
                keepable = shown if making.keepable else hidden
                looked_at = address if first else gr.skip()
                card = _progress_card("Creating", state, making.said)
                yield making, card, shown, keepable, waiting, gr.skip(), looked_at, gr.skip()
            outcome = _outcome(making)
            if isinstance(outcome, str):
                back = _address(hub.get(world)) if address else gr.skip()
                yield None, outcome, hidden, hidden, ready, gr.skip(), back, gr.skip()
                return
            made = {**(_address(outcome) or {}), "continues": address is not None}
            listed = gr.update(choices=hub.choices(), value=str(outcome.path.resolve()))
            yield None, _created_card(outcome), hidden, hidden, ready, outcome.token, made, listed

        def on_export(world: str, kind: str) -> Iterator[Any]:
            try:
                session = hub.find(world)
            except SpatialwmError as error:
                yield None, _error_card(str(error)), gr.skip(), None
                return
            work = Job(lambda progress: session.export(kind, progress))
            for state in work.watch():
                yield work, _progress_card("Exporting", state), gr.update(elem_classes=[]), gr.skip()
            outcome = _outcome(work)
            hidden = gr.update(elem_classes=["swm-hide"])
            if isinstance(outcome, str):
                yield None, outcome, hidden, None
                return
            url = export_url(session, outcome)
            yield None, _exported_card(outcome, url), hidden, {"url": url, "name": outcome.name}

        def on_world(path: str | None) -> tuple[Any, Any, Any]:
            if not path:
                return gr.skip(), gr.skip(), gr.skip()
            try:
                session = hub.open(Path(path))
            except SpatialwmError as error:
                return gr.skip(), gr.skip(), _error_card(str(error))
            return session.token, _address(session), ""

        def on_command(world: str, text: str) -> tuple[str, str]:
            if not text.strip():
                return "", ""
            try:
                hub.find(world).say(text)
            except SpatialwmError as error:
                return text, _error_card(str(error))
            return "", ""

        def on_load() -> tuple[str, Any, Any]:
            session = hub.latest()
            chosen = gr.update(choices=hub.choices(), value=str(session.path.resolve()) if session else None)
            return (session.token if session else ""), _address(session), chosen

        creating = [job, status, cancel, keep, create, token, view, worlds]
        gr.on(
            [create.click, source.submit], on_create, [source, quality, chosen, token], creating, js=_WITH_TRAY, **busy
        )  # fmt: skip
        exported = export.click(on_export, [token, suffix], [job, status, cancel, link], **busy)
        exported.then(None, link, None, js=_DOWNLOAD, **now)
        cancel.click(lambda work: work.cancel() if work else None, job, None, **now)
        keep.click(lambda work: work.keep() if isinstance(work, Making) else None, job, None, **now)
        worlds.input(on_world, worlds, [token, view, status], **now)
        command.submit(on_command, [token, command], [command, status], **now)
        page.load(on_load, None, [token, view, worlds], **now)
        _endpoints(hub)
    return page.queue(default_concurrency_limit=4, max_size=64)


def _endpoints(hub: Hub) -> None:
    """Named endpoints for programs; ``world`` is the path of a world, or the token that ``create`` returned."""

    def create(source: str, quality: str = "standard", seed: int = 0) -> dict[str, Any]:
        """Make a world from a sentence or a splat file."""
        options = LiftOptions(quality=cast(Quality, quality), seed=int(seed))
        return _described(_call(lambda: _create(hub, source, options, silent)))

    def edit(world: str, text: str) -> dict[str, Any]:
        """Apply one edit command, such as ``move mug-1 0.1 0 0``."""
        return {"revision": _call(lambda: hub.find(world).say(text))}

    def predict(world: str, object_id: str, dx: float, dy: float, commit: bool = False) -> dict[str, Any]:
        """Predict a push by (dx, dy) metres; on a branch until committed."""
        session = _call(lambda: hub.find(world))
        prediction = _call(lambda: session.predict_push(object_id, (float(dx), float(dy)), silent))
        r = prediction.rollout
        out = {
            "branch": prediction.branch, "revision": prediction.revision.id, "backend": r.backend, "dt_s": r.dt_s,
            "object_ids": list(r.object_ids), "poses": r.poses.tolist(), "uncertainty": r.uncertainty.tolist(),
        }  # fmt: skip
        return {**out, "committed": _call(session.commit_prediction)} if commit else out

    def export(world: str, suffix: str = "glb") -> dict[str, Any]:
        """Write the world as glb, ply, spz, splat or sog; returns its path on this machine and its address."""
        session = _call(lambda: hub.find(world))
        path = _call(lambda: session.export(suffix, silent))
        return {"file": str(path), "url": export_url(session, path)}

    for endpoint in (create, edit, predict, export):
        api(endpoint, api_name=endpoint.__name__)


def _address(session: Session | None) -> dict[str, str] | None:
    """The viewer's value: where the page finds a session's world."""
    return None if session is None else {"base": world_url(session)}


def _create(hub: Hub, source: str, options: LiftOptions, progress: Progress) -> Session:
    if not source.strip():
        raise LiftError(_EMPTY)
    return hub.create(source.strip(), options, progress)


def _wish(hub: Hub, text: str, quality: Quality, choices: dict[str, Any] | None) -> Wish:
    """What to make: of the tray where something lies in it, else of the sentence or path.

    Raises:
        LiftError: there is nothing to make a world of.
    """
    if not choices:
        if not text.strip():
            raise LiftError(_EMPTY)
        return Wish(text.strip(), LiftOptions(quality=quality))
    tray = hub.trays.get(str(choices.get("tray")))
    source = tray.source() if tray else None
    if tray is None or source is None:
        raise LiftError("the pictures are no longer here; drop them again")
    return Wish(str(source), options_from(choices), tray)


def _call(work: Callable[[], T]) -> T:
    """What a client of the HTTP interface hears of a refused call: the one clear line."""
    try:
        return work()
    except SpatialwmError as error:
        raise gr.Error(str(error)) from None


def _described(session: Session) -> dict[str, Any]:
    return {"world": session.token, "folder": str(session.path), "url": world_url(session), "info": session.info()}


def _outcome(job: _Work[T]) -> T | str:
    """The result, or the card that says why there is none."""
    try:
        return job.result()
    except JobCancelled:
        return _card("note", "Stopped", "Nothing was changed.")
    except SpatialwmError as error:
        return _error_card(str(error))


def _progress_card(verb: str, status: Status, said: Sequence[str] = ()) -> str:
    percent = round(100 * status.fraction)
    left = "" if status.eta_s is None else f" · about {_seconds(status.eta_s)} left"
    return (
        f'<div class="swm-card"><b>{verb}</b><span>{html.escape(status.stage)}</span>'
        f'<div class="swm-bar" role="progressbar" aria-label="{verb}" aria-valuenow="{percent}">'
        f'<i style="width:{percent}%"></i></div>'
        f"<small>{percent} % · {_seconds(status.elapsed_s)}{left}</small>"
        + "".join(f"<p>{html.escape(sentence)}</p>" for sentence in said)
        + "</div>"
    )


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _created_card(session: Session) -> str:
    found = session.info()
    things = len(found["objects"])
    lines = [f"{things} object{'s' * (things != 1)}, {found['gaussians']:,} Gaussians"]
    lines += found["notes"][:1]  # the world's own card has them all
    lines += [f"Note: {note}" for note in found["unmet"]]
    if found["unrecognized"]:
        lines += ["Nothing was made of: " + ", ".join(f"“{w}”" for w in found["unrecognized"])]
    body = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    return f'<div class="swm-card"><b>{html.escape(session.title)}</b>{body}</div>'


def _exported_card(path: Path, url: str) -> str:
    size = path.stat().st_size / 1e6
    return (
        f'<div class="swm-card"><b>Exported</b><p><a href="{html.escape(url)}" download="{html.escape(path.name)}">'
        f"{html.escape(path.name)}</a> · {size:.1f} MB</p></div>"
    )


def _error_card(text: str) -> str:
    return _card("error", "That did not work", text)


def _card(kind: str, title: str, text: str) -> str:
    return f'<div class="swm-card swm-{kind}" role="status"><b>{title}</b><p>{html.escape(text)}</p></div>'
