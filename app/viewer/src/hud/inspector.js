// The card of the selected object: what it is, and what can be done with it.
import { el, icon, iconButton, segmented } from "./dom.js";

const PROVENANCE = {
  measured: "Seen in the input",
  stated: "Asked for",
  implied: "Follows from what was asked",
  invented: "Added to fill the place",
};
const QUARTERS = [
  { name: "Push left", quarter: -1, turn: -90, cell: "left" },
  { name: "Push away", quarter: 0, turn: 0, cell: "up" },
  { name: "Push towards me", quarter: 2, turn: 180, cell: "down" },
  { name: "Push right", quarter: 1, turn: 90, cell: "right" },
];

export class Inspector {
  constructor(studio) {
    this.studio = studio;
    this.swatch = el("input.swm-color", { type: "color", title: "Recolor", "aria-label": "Recolor", onchange: () => this.#recolor() });
    this.name = el("input.swm-name", { type: "text", "aria-label": "Name", maxLength: 80, spellcheck: false,
      onchange: () => this.#rename(), onkeydown: (event) => event.key === "Enter" && this.name.blur() }); // prettier-ignore
    this.facts = el("dl");
    this.tools = segmented(
      "Handles",
      [
        { value: "move", name: "Move", iconName: "move", key: "1" },
        { value: "rotate", name: "Rotate", iconName: "rotate", key: "2" },
        { value: "scale", name: "Scale", iconName: "scale", key: "3" },
      ],
      (mode) => studio.setGizmoMode(mode),
    );
    this.pushButton = el("button.swm-button", { type: "button", onclick: () => studio.startPush() }, icon("push"), "Push it …");
    this.distance = el("input", { type: "range", min: 0.05, max: 3, step: 0.05, "aria-label": "Distance of the push in metres",
      oninput: () => studio.push.set(studio.push.angle, Number(this.distance.value)) }); // prettier-ignore
    this.distanceText = el("output");
    this.pushCard = el("div.swm-push", {}, this.#pad(),
      el("label", {}, "Distance", this.distanceText, this.distance),
      el("div.swm-pair", {},
        el("button.swm-button", { type: "button", onclick: () => studio.stopPush() }, "Back"),
        el("button.swm-button.swm-predict", { type: "button", onclick: () => studio.predict() }, "Predict"))); // prettier-ignore
    this.element = el("section.swm-panel.swm-inspector", { hidden: true },
      el("header", {}, this.swatch, this.name, iconButton("close", "Deselect", () => studio.select(null), "Esc")),
      this.facts, this.tools,
      el("div.swm-verbs", {},
        iconButton("focus", "Look at it", () => studio.hud.focusSelected(), "F"),
        iconButton("copy", "Duplicate", () => studio.duplicate(), "Ctrl+D"),
        iconButton("trash", "Delete", () => studio.remove(), "Del"),
        this.pushButton),
      this.pushCard,
    ); // prettier-ignore
    this.showTools();
  }

  show(entry) {
    this.entry = entry;
    this.element.hidden = !entry;
    if (!entry) return;
    this.swatch.value = entry.color;
    if (document.activeElement !== this.name) this.name.value = entry.name;
    const facts = [
      ["Id", entry.id],
      ["Material", entry.material],
      ["Size", sizeOf(entry)],
      ["Mass", entry.mass_kg === null ? null : `${Number(entry.mass_kg.toPrecision(2))} kg`],
      ["Stands on", entry.supported_by],
      ["Origin", PROVENANCE[entry.provenance]],
    ];
    this.facts.replaceChildren(...facts.filter(([, value]) => value).flatMap(([key, value]) => [el("dt", {}, key), el("dd", {}, value)]));
    this.showPush();
  }

  showTools() {
    this.tools.mark(this.studio.gizmo.mode);
  }

  showPush() {
    const { push, timeline } = this.studio;
    const predicted = !!timeline.prediction;
    this.pushCard.hidden = !push.active || predicted;
    this.pushButton.hidden = push.active || predicted;
    this.tools.hidden = push.active || predicted;
    this.distance.value = push.distance;
    this.distanceText.textContent = `${push.distance.toFixed(2)} m`;
  }

  #pad() {
    const buttons = QUARTERS.map(({ name, quarter, turn, cell }) => {
      const button = iconButton("arrow", `${name}, as seen from here`, () => this.studio.push.aimFromCamera(quarter));
      button.classList.add(`swm-pad-${cell}`);
      button.firstChild.style.transform = `rotate(${turn}deg)`;
      return button;
    });
    return el("div.swm-pad", { role: "group", "aria-label": "Direction of the push" }, ...buttons);
  }

  #recolor() {
    if (this.entry) this.studio.edit({ op: "recolor", object: this.entry.id, color: this.swatch.value });
  }

  #rename() {
    const name = this.name.value.trim();
    if (this.entry && name && name !== this.entry.name) this.studio.edit({ op: "rename", object: this.entry.id, name });
    else if (this.entry) this.name.value = this.entry.name;
  }
}

function sizeOf({ bounds: [low, high] }) {
  const size = high.map((v, i) => v - low[i]);
  return Math.max(...size) < 1 ? `${size.map((v) => Math.round(v * 100)).join("\u2009×\u2009")} cm` : `${size.map((v) => v.toFixed(2)).join("\u2009×\u2009")} m`;
}
