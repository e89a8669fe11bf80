// The predicted future: play, scrub, and make it true or drop it.
import { el, icon, iconButton } from "./dom.js";

export class TimelineBar {
  constructor(studio) {
    this.studio = studio;
    this.source = el("small");
    this.text = el("span", {}, "A prediction, not yet true ", this.source);
    this.playButton = iconButton("play", "Play or pause", () => this.#toggle(), "Space");
    this.slider = el("input.swm-scrub", { type: "range", min: 0, step: "any", "aria-label": "Time of the prediction", oninput: () => this.#scrub() });
    this.clock = el("output");
    this.sure = el("p.swm-sure");
    this.element = el("section.swm-panel.swm-timeline", { hidden: true },
      el("div.swm-banner", {}, el("i"), this.text,
        el("button.swm-button", { type: "button", onclick: () => studio.command("discard") }, "Discard"),
        el("button.swm-button.swm-predict", { type: "button", onclick: () => studio.commit() }, "Commit")),
      el("div.swm-transport", {}, this.playButton, this.slider, this.clock),
      this.sure,
    ); // prettier-ignore
  }

  show(prediction) {
    this.element.hidden = !prediction;
    if (!prediction) return;
    this.source.textContent = `by ${prediction.backend}, on branch ${prediction.branch}`;
    this.slider.max = this.studio.timeline.duration;
    this.showTime();
  }

  showTime() {
    const { prediction, time, duration, playing } = this.studio.timeline;
    if (!prediction) return;
    this.slider.value = time;
    this.slider.style.setProperty("--done", `${duration ? (100 * time) / duration : 0}%`);
    this.clock.textContent = `${time.toFixed(2)} / ${duration.toFixed(2)} s`;
    this.sure.textContent = this.#certainty();
    this.slider.setAttribute("aria-valuetext", `${time.toFixed(1)} seconds. ${this.sure.textContent}`);
    this.playButton.replaceChildren(icon(playing ? "pause" : "play"));
  }

  /** How far off the selected object may be now, in words; without one, the least certain of all. */
  #certainty() {
    const { timeline, world, selected } = this.studio;
    const known = timeline.prediction.object_ids;
    const id = known.includes(selected) ? selected : known.reduce((a, b) => (timeline.uncertaintyOf(b) > timeline.uncertaintyOf(a) ? b : a), known[0]);
    if (!id) return "";
    const metres = timeline.uncertaintyOf(id);
    const range = metres < 0.005 ? "less than 1 cm" : metres < 1 ? `± ${Math.round(metres * 100)} cm` : `± ${metres.toFixed(1)} m`;
    return `${world.get(id)?.name ?? id} may be off by ${range} here${id === selected ? "" : ", the least certain of all"}`;
  }

  #toggle() {
    this.studio.timeline.toggle();
    this.showTime();
  }

  #scrub() {
    this.studio.timeline.playing = false;
    this.studio.timeline.seek(Number(this.slider.value));
    this.studio.redraw();
    this.showTime();
  }
}
