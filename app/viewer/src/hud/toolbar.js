// Top bar: which world this is, how one moves in it, undo and redo.
import { percent } from "./about.js";
import { el, iconButton, segmented } from "./dom.js";

export class Toolbar {
  constructor(studio, hud) {
    this.studio = studio;
    this.hud = hud;
    this.title = el("b");
    this.facts = el("span");
    this.undo = iconButton("undo", "Undo", () => studio.command("undo"), "Ctrl+Z");
    this.redo = iconButton("redo", "Redo", () => studio.command("redo"), "Ctrl+Shift+Z");
    this.cutout = iconButton("cutout", "Take a thing out of the picture", () => studio.toggleCutout(), "C");
    this.ruler = iconButton("ruler", "Fix the scale by a known length", () => studio.toggleMeasure(), "M");
    this.info = iconButton("info", "About this world", () => hud.about.toggle(), "I");
    this.history = iconButton("history", "History", () => hud.toggleHistory());
    this.modes = segmented(
      "How to move",
      [
        { value: "orbit", name: "Orbit", iconName: "orbit", key: "V" },
        { value: "walk", name: "Walk", iconName: "walk", key: "V" },
        { value: "fly", name: "Fly", iconName: "fly", key: "V" },
      ],
      (mode) => studio.setMode(mode),
    );
    this.element = el("div.swm-toolbar", {},
      el("div.swm-title", {}, this.title, this.facts),
      this.modes,
      el("div.swm-actions", {}, this.undo, this.redo, this.cutout, this.ruler, this.info, this.history,
        iconButton("list", "Objects", () => hud.toggleSide()),
        iconButton("help", "Help", () => hud.toggleHelp(), "?")),
    ); // prettier-ignore
  }

  showState({ title, branch, revision, gaussians, can_undo, can_redo, scale, forming }, anyNotes) {
    this.title.textContent = title;
    const unsure = scale.method === "exact" ? "" : ` · ${scale.method === "unknown" ? "no true scale" : `metre ± ${percent(scale.sigma)}`}`;
    this.facts.textContent = forming ? `forming · ${count(gaussians)} splats` : `${branch} · revision ${revision} · ${count(gaussians)} splats${unsure}`;
    this.undo.disabled = !can_undo;
    this.redo.disabled = !can_redo;
    this.ruler.hidden = scale.method === "exact";
    this.cutout.hidden = !this.studio.mayCutOut;
    this.info.hidden = !anyNotes;
    this.showTools();
  }

  showTools() {
    this.modes.mark(this.studio.navigation.mode);
    this.cutout.setAttribute("aria-pressed", String(!!this.studio.cutout?.active));
    this.info.setAttribute("aria-pressed", String(!!this.hud.about && !this.hud.about.element.hidden));
    this.ruler.setAttribute("aria-pressed", String(!!this.studio.measure?.active));
  }
}

const count = (n) => (n >= 1e6 ? `${(n / 1e6).toFixed(1)} M` : n >= 1e4 ? `${Math.round(n / 1e3)} k` : String(n));
