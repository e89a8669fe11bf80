// Says what to click, then asks for the true length.
import { metres } from "../measure.js";
import { el, iconButton } from "./dom.js";

export class MeasureCard {
  constructor(studio) {
    this.studio = studio;
    this.text = el("span");
    this.input = el("input.swm-length", { type: "text", inputMode: "decimal", "aria-label": "True length in metres", placeholder: "1.00",
      onkeydown: (event) => event.key === "Enter" && this.#apply() }); // prettier-ignore
    this.form = el("div.swm-length-row", {}, "In truth", this.input, "m",
      el("button.swm-button", { type: "button", onclick: () => studio.measure.again() }, "Again"),
      el("button.swm-button.swm-go", { type: "button", onclick: () => this.#apply() }, "Apply")); // prettier-ignore
    this.element = el("section.swm-panel.swm-tool", { hidden: true, "aria-label": "Fix the scale" },
      this.text, this.form, iconButton("close", "Close", () => studio.stopTools(), "Esc")); // prettier-ignore
  }

  show() {
    const { measure } = this.studio;
    this.element.hidden = !measure.active;
    if (!measure.active) return;
    const { length } = measure;
    this.form.hidden = length === null;
    if (length !== null) {
      this.text.replaceChildren("Here it measures ", el("b", {}, metres(length)));
      this.input.value = "";
      this.input.focus();
    } else this.text.textContent = measure.points.length ? "Now click its other end" : "Click one end of something whose length you know";
  }

  #apply() {
    const length_m = Number(this.input.value.trim().replace(",", "."));
    if (!(length_m > 0)) return this.studio.hud.toast("Type the true length in metres, for instance 2.05.", "error");
    this.studio.fixScale(length_m);
  }
}
