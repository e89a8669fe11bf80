// The things of a scene by name; structure and scenery are not listed.
import { el } from "./dom.js";

const FILTER_FROM = 9;

export class ObjectList {
  constructor(studio) {
    this.studio = studio;
    this.filter = el("input.swm-filter", { type: "search", placeholder: "Find an object", "aria-label": "Find an object", oninput: () => this.#draw() });
    this.count = el("span");
    this.rows = el("div.swm-rows", { role: "listbox", "aria-label": "Objects" });
    this.element = el("section.swm-panel.swm-objects", {}, el("header", {}, el("b", {}, "Objects"), this.count), this.filter, this.rows);
    this.objects = [];
  }

  show(objects, selected) {
    this.objects = objects.filter((o) => o.role === "object");
    this.selected = selected;
    this.filter.hidden = this.objects.length < FILTER_FROM;
    this.count.textContent = this.objects.length;
    this.#draw();
  }

  mark(selected) {
    this.selected = selected;
    for (const row of this.rows.children) row.setAttribute("aria-selected", String(row.dataset.id === selected));
    this.rows.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }

  #draw() {
    const wanted = this.filter.hidden ? "" : this.filter.value.trim().toLowerCase();
    const shown = this.objects.filter((o) => `${o.name} ${o.category} ${o.id}`.toLowerCase().includes(wanted));
    this.rows.replaceChildren(...shown.map((o) => this.#row(o)));
    if (!shown.length) this.rows.append(el("p.swm-none", {}, this.objects.length ? "Nothing of that name." : "There is nothing to pick here."));
    this.mark(this.selected);
  }

  #row(o) {
    const swatch = el("i");
    swatch.style.background = o.color;
    const choose = () => this.studio.select(o.id);
    const row = el("button.swm-row", { type: "button", role: "option", title: o.id, onclick: choose, ondblclick: () => this.studio.hud.focusSelected() }, swatch, el("span", {}, o.name));
    row.dataset.id = o.id;
    return row;
  }
}
