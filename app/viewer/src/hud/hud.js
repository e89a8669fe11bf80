// Everything drawn over the canvas. It reads the studio's state and calls its verbs; it keeps no scene state of its own.
import { About } from "./about.js";
import { CutoutCard } from "./cutout_card.js";
import { el, icon } from "./dom.js";
import { HistoryPanel } from "./history_panel.js";
import { Inspector } from "./inspector.js";
import { Marks } from "./marks.js";
import { MeasureCard } from "./measure_card.js";
import { ObjectList } from "./object_list.js";
import { Empty, Forming, Help, Job, Loading, Toasts } from "./overlays.js";
import { Stick } from "./stick.js";
import { TimelineBar } from "./timeline_bar.js";
import { Toolbar } from "./toolbar.js";

const NARROW = matchMedia("(max-width: 720px)");

export class Hud {
  constructor(host, studio) {
    this.studio = studio;
    this.host = host;
    this.toolbar = new Toolbar(studio, this);
    this.list = new ObjectList(studio);
    this.inspector = new Inspector(studio);
    this.history = new HistoryPanel(studio);
    this.timeline = new TimelineBar(studio);
    this.toasts = new Toasts();
    this.about = new About(studio);
    this.marks = new Marks(studio.viewer);
    this.measure = new MeasureCard(studio);
    this.cutout = new CutoutCard(studio);
    this.forming = new Forming();
    this.help = new Help(() => this.toggleHelp());
    this.loading = new Loading();
    this.empty = new Empty();
    this.job = new Job((id) => studio.command("cancel", { job: id }));
    this.stick = new Stick(studio.navigation);
    this.beyond = el("div.swm-beyond", { hidden: true, role: "status" }, icon("info"), "Beyond what the picture shows: from here much is made up");
    this.hint = el("div.swm-hint");
    this.side = el("div.swm-side", {}, this.list.element, this.inspector.element);
    this.side.hidden = NARROW.matches;
    host.append(
      this.marks.element,
      el("div.swm-layer", {}, this.toolbar.element, this.side, this.history.element,
        el("div.swm-bottom", {}, this.job.element, this.forming.element, this.measure.element, this.cutout.element, this.timeline.element, this.beyond, this.hint),
        this.stick.element, el("div.swm-notices", {}, this.about.element, this.toasts.element)),
      this.loading.element, this.empty.element, this.help.element,
    ); // prettier-ignore
    this.showTools();
  }

  showEmpty() {
    this.host.classList.add("swm-is-empty");
    this.empty.element.hidden = false;
    this.loading.show(null);
  }

  showLoading(done, total) {
    this.empty.element.hidden = true;
    if (done !== null) this.host.classList.toggle("swm-is-empty", !this.studio.state);
    this.loading.show(done, total);
  }

  showState() {
    this.host.classList.remove("swm-is-empty");
    this.host.classList.toggle("swm-is-forming", !!this.studio.state.forming);
    if (!this.studio.state.forming) this.showForming(null);
    this.empty.element.hidden = true;
    this.about.show(this.studio.base, this.studio.state);
    this.toolbar.showState(this.studio.state, this.about.any);
    this.list.show(this.studio.state.objects, this.studio.selected);
    this.history.show(this.studio.state.history);
  }

  showSelection() {
    const { selected, world } = this.studio;
    this.list.mark(selected);
    this.inspector.show(selected ? world.get(selected) : null);
    this.timeline.showTime();
    if (selected && NARROW.matches) this.side.hidden = false;
    this.#hint();
  }

  showTools() {
    this.toolbar.showTools();
    this.inspector.showTools();
    this.stick.show(this.studio.navigation.mode !== "orbit");
    this.#hint();
  }

  showPush() {
    this.inspector.showPush();
    this.#hint();
  }

  /** The tools that take clicks: measuring and cutting out. */
  showTool() {
    this.measure.show();
    this.cutout.show();
    this.marks.show([this.studio.measure.mark, ...this.studio.cutout.marks]);
    this.host.classList.toggle("swm-is-pointing", !!this.studio.tool);
    this.toolbar.showTools();
    this.#hint();
  }

  showBeyond(beyond) {
    this.beyond.hidden = !beyond;
  }

  /** @param status null when the world that is shown is done */
  showForming(status) {
    this.forming.show(status);
  }

  showTimeline() {
    const { prediction } = this.studio.timeline;
    this.timeline.show(prediction);
    if (prediction && NARROW.matches) this.side.hidden = true; // the future is what one wants to see now
    this.host.classList.toggle("swm-is-predicted", !!prediction);
    this.#hint();
  }

  showTime() {
    this.timeline.showTime();
  }

  showJob(status) {
    this.job.show(status);
  }

  showConnection(connected) {
    if (!connected && !this.lost) this.toast("The studio's server is not answering. Trying again …", "error");
    if (connected && this.lost) this.toast("Connected again.");
    this.lost = !connected;
  }

  toast(text, kind) {
    this.toasts.add(text, kind);
  }

  toggleSide() {
    this.side.hidden = !this.side.hidden;
  }

  toggleHistory() {
    this.history.element.hidden = !this.history.element.hidden;
  }

  toggleHelp() {
    this.help.toggle();
  }

  focusSelected() {
    const { studio } = this;
    const entry = studio.selected && studio.world.get(studio.selected);
    studio.navigation.focus(entry ? entry.bounds : studio.state.bounds);
    this.showTools();
  }

  /** One step out of whatever is open. */
  escape() {
    if (this.help.open) return this.toggleHelp();
    if (!this.history.element.hidden) return this.toggleHistory();
    if (this.studio.tool) return this.studio.stopTools();
    if (this.studio.push.active) return this.studio.stopPush();
    this.studio.select(null);
  }

  #hint() {
    const { studio } = this;
    const move = { orbit: "Drag to orbit", walk: "W A S D to walk, drag to look", fly: "W A S D to fly, Q E down and up" }[studio.navigation.mode];
    if (studio.timeline.prediction) this.hint.textContent = "Space plays · , and . step · the faint copy is the present";
    else if (studio.measure.active) this.hint.textContent = `${move} · click to place a point · Esc ends it`;
    else if (studio.cutout.active) this.hint.textContent = studio.cutout.found ? "Click to add a part or to leave one out · Enter takes it · Esc ends it" : "Right drag looks around · Esc ends it";
    else if (studio.state?.forming) this.hint.textContent = move;
    else if (studio.push.active) this.hint.textContent = "Drag on the floor to aim the push";
    else if (studio.selected) this.hint.textContent = `${move} · arrow keys nudge · P pushes`;
    else this.hint.textContent = `${move} · ${studio.mayCutOut ? "C takes a thing out" : "click an object to select it"} · ? for help`;
  }
}
