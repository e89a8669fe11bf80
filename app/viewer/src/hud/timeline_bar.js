// The predicted future: play, scrub, and make it true or drop it.
import { el, icon, iconButton } from "./dom.js";

export class TimelineBar {
  constructor(studio) {
    this.studio = studio;
    this.text = el("span");
    this.playButton = iconButton("play", "Play or pause", () => this.#toggle(), "Space");
    this.slider = el("input.swm-scrub", { type: "range", min: 0, step: "any", "aria-label": "Time of the prediction", oninput: () => this.#scrub() });
    this.clock = el("output");
    this.element = el("section.swm-panel.swm-timeline", { hidden: true },
      el("div.swm-banner", {}, el("i"), this.text,
        el("button.swm-button", { type: "button", onclick: () => studio.command("discard") }, "Discard"),
        el("button.swm-button.swm-predict", { type: "button", onclick: () => studio.commit() }, "Commit")),
      el("div.swm-transport", {}, this.playButton, this.slider, this.clock),
    ); // prettier-ignore
  }

  show(prediction) {
    this.element.hidden = !prediction;
    if (!prediction) return;
    const sure = prediction.uncertainty_m >= 0.005 ? `, ± ${Math.round(prediction.uncertainty_m * 100)} cm` : "";
    this.text.textContent = `On branch ${prediction.branch}, not yet true (${prediction.backend}${sure})`;
    this.slider.max = this.studio.timeline.duration;
    this.showTime();
  }

  showTime() {
    const { time, duration, playing } = this.studio.timeline;
    this.slider.value = time;
    this.slider.style.setProperty("--done", `${duration ? (100 * time) / duration : 0}%`);
    this.clock.textContent = `${time.toFixed(2)} / ${duration.toFixed(2)} s`;
    this.playButton.replaceChildren(icon(playing ? "pause" : "play"));
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
