// What one should know about a world: where its metre comes from, how well it was seen, what of it was made up or not made.
import { el, iconButton } from "./dom.js";

const SCALE = {
  measured: "Lengths are measured",
  model: "Lengths are estimated by a depth model",
  prior: "Lengths are guessed",
  unknown: "Lengths are unknown: one unit is taken for a metre",
};

export class About {
  constructor(studio) {
    this.studio = studio;
    this.read = new Set(); // addresses of worlds whose card was closed
    this.opened = new Set();
    this.title = el("b");
    this.body = el("div.swm-about-body");
    this.element = el("section.swm-panel.swm-notes", { hidden: true, "aria-label": "About this world" },
      el("header", {}, this.title, iconButton("close", "Close", () => this.#close())), this.body); // prettier-ignore
  }

  /** Whether there is anything to say about the world that is shown. */
  get any() {
    return this.body.childElementCount > 0;
  }

  show(base, state) {
    this.base = base;
    const { scale } = state;
    const notes = state.notes.filter((note) => !scale.note || !note.includes(scale.note)); // that one is said with the lengths
    const missing = [...(state.unrecognized.length ? [`Nothing was made of ${state.unrecognized.map((w) => `“${w}”`).join(", ")}.`] : []), ...state.unmet];
    const invented = share(state.objects);
    const fixable = scale.method !== "exact";
    this.title.textContent = notes.length || fixable ? "About this world" : "Not all of it was made";
    this.body.replaceChildren(
      ...(fixable ? [this.#scale(scale)] : []),
      ...(fixable && invented ? [this.#invented(invented)] : []),
      ...(notes.length ? [list(notes)] : []),
      ...(missing.length ? [...(notes.length || fixable ? [el("h4", {}, "Not all of it was made")] : []), list(missing)] : []),
    );
    // What was asked for and is missing is said at once; the rest waits behind its button, out of the picture's way.
    this.element.hidden = state.forming || (missing.length ? this.read.has(base) : !this.opened.has(base));
  }

  toggle() {
    if (!this.element.hidden) return this.#close();
    this.opened.add(this.base);
    this.read.delete(this.base);
    this.element.hidden = false;
    this.studio.hud.toolbar.showTools();
  }

  #close() {
    this.read.add(this.base);
    this.opened.delete(this.base);
    this.element.hidden = true;
    this.studio.hud.toolbar.showTools();
  }

  #scale(scale) {
    const sure = scale.method === "unknown" ? "" : `, give or take ${percent(scale.sigma)}`;
    const why = scale.note ? `: ${scale.note}` : "";
    const fix = el("button.swm-link", { type: "button", onclick: () => this.studio.toggleMeasure() }, scale.method === "measured" ? "Measure again" : "Measure one");
    return el("p.swm-scale", {}, `${SCALE[scale.method]}${sure}${why}. `, fix);
  }

  #invented(part) {
    const box = el("input", { type: "checkbox", checked: this.studio.world.marked, onchange: () => this.studio.markInvented(box.checked) });
    return el("label.swm-invented", {}, box, `Mark what no picture showed (${percent(part)} of the splats)`);
  }
}

const list = (lines) => el("ul", {}, lines.map((line) => el("li", {}, line)));

export const percent = (part) => `${part < 0.1 ? Number((100 * part).toPrecision(1)) : Math.round(100 * part)} %`;

function share(objects) {
  const total = objects.reduce((sum, o) => sum + o.gaussians, 0);
  return total && objects.reduce((sum, o) => sum + (o.provenance === "invented" ? o.gaussians : 0), 0) / total;
}
