// What happened to this world, newest first; a click goes there.
import { el, iconButton } from "./dom.js";

export class HistoryPanel {
  constructor(studio) {
    this.studio = studio;
    this.rows = el("div.swm-rows");
    const close = () => (this.element.hidden = true);
    this.element = el("section.swm-panel.swm-history", { hidden: true }, el("header", {}, el("b", {}, "History"), iconButton("close", "Close", close)), this.rows);
  }

  show(history) {
    this.rows.replaceChildren(...history.toReversed().map((r) => this.#row(r)));
  }

  #row({ id, label, branch, time, current }) {
    const when = new Date(time);
    const clock = Number.isNaN(when.valueOf()) ? "" : when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const go = () => !current && this.studio.command("goto", { revision: id });
    return el("button.swm-row", { type: "button", "aria-current": current ? "step" : null, title: `Go to revision ${id}`, onclick: go },
      el("em", {}, String(id)), el("span", {}, label), el("small", {}, branch === "main" ? clock : branch)); // prettier-ignore
  }
}
