// Leads through pointing at a thing: click, refine, make it an object.
import { el, iconButton, segmented } from "./dom.js";

export class CutoutCard {
  constructor(studio) {
    this.studio = studio;
    this.text = el("span");
    this.refine = segmented(
      "What the next click means",
      [
        { value: true, name: "Add", iconName: "plus" },
        { value: false, name: "Leave out", iconName: "minus" },
      ],
      (adding) => studio.cutout.setAdding(adding),
    );
    this.name = el("input.swm-length.swm-thing", { type: "text", "aria-label": "Name of the thing", placeholder: "Name", maxLength: 60,
      onkeydown: (event) => event.key === "Enter" && studio.acceptCutout(this.name.value) }); // prettier-ignore
    this.again = el("button.swm-button", { type: "button", onclick: () => studio.cutout.again() }, "Again");
    this.accept = el("button.swm-button.swm-go", { type: "button", onclick: () => studio.acceptCutout(this.name.value) }, "Make it an object");
    this.element = el("section.swm-panel.swm-tool", { hidden: true, "aria-label": "Select a thing" },
      this.text, this.refine, this.name, this.again, this.accept, iconButton("close", "Close", () => studio.stopTools(), "Esc")); // prettier-ignore
  }

  show() {
    const { cutout } = this.studio;
    this.element.hidden = !cutout.active;
    if (!cutout.active) return;
    const found = !!cutout.found;
    if (!found) this.name.value = "";
    this.text.hidden = found && !cutout.busy;
    this.text.textContent = cutout.taking ? "Cutting it out and filling what it hid …" : cutout.busy ? "Looking for its edges …" : "Click a thing, or drag a box around it";
    this.element.classList.toggle("swm-is-busy", cutout.busy || !!cutout.taking);
    for (const part of [this.refine, this.name, this.again, this.accept]) part.hidden = !found || cutout.busy || !!cutout.taking;
    this.refine.mark(cutout.adding);
  }
}
