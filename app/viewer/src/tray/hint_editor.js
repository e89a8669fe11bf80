// What a person knows about one picture, drawn on it: the horizon, where floor and walls meet, how far things are.
import { el, icon, iconButton, segmented } from "../hud/dom.js";

const TOOLS = [
  { value: "horizon", name: "Horizon", say: "Drag along the height of the camera: where level lines run together." },
  { value: "corners", name: "Floor line", say: "Click the corners where floor and walls meet, from one side to the other." },
  { value: "depths", name: "Distances", say: "Drag across something and say how far it was from the camera." },
];
const GRAB_PX = 14;
const STROKE_POINTS = 6;
const USUAL_M = 2;
const SVG = "http://www.w3.org/2000/svg";

export class HintEditor {
  /** @param hints `{ horizon, corners, depths }` drawn before, in shares of the picture's width and height; or null */
  constructor(file, hints) {
    this.url = URL.createObjectURL(file);
    this.horizon = hints?.horizon ?? null;
    this.corners = [...(hints?.corners ?? [])];
    this.strokes = strokesOf(hints?.depths ?? []);
    this.picture = el("img", { alt: "Your picture", draggable: false, src: this.url });
    this.picture.onload = () => this.card.style.setProperty("--ratio", this.picture.naturalWidth / this.picture.naturalHeight);
    this.svg = document.createElementNS(SVG, "svg");
    this.labels = el("div.swm-hint-labels");
    this.sheet = el("div.swm-hint-sheet", {}, this.picture, this.svg, this.labels);
    this.tools = segmented("What to draw", TOOLS, (tool) => this.#choose(tool));
    this.say = el("p");
    this.card = el("div.swm-hints", { role: "dialog", "aria-modal": "true", "aria-label": "Hints on the picture" },
      el("header", {}, this.tools, iconButton("close", "Leave as it was", () => this.#close(undefined), "Esc")),
      this.sheet,
      el("div.swm-hints-foot", {}, this.say,
        el("button.swm-button", { type: "button", onclick: () => this.#clear() }, "Clear"),
        el("button.swm-button.swm-done", { type: "button", onclick: () => this.#close(this.#drawn()) }, "Done"))); // prettier-ignore
    this.veil = el("div.swm-hints-veil", {}, this.card);
    this.svg.addEventListener("pointerdown", (event) => this.#down(event));
    this.svg.addEventListener("pointermove", (event) => this.#move(event));
    this.svg.addEventListener("pointerup", () => this.#up());
    this.svg.addEventListener("pointercancel", () => this.#up());
    this.onKey = (event) => this.#key(event);
  }

  /** Resolves with the hints, null for none, or undefined when they are to stay as they were. */
  open() {
    this.opener = document.activeElement;
    document.body.append(this.veil);
    addEventListener("keydown", this.onKey, { capture: true });
    this.watch = new ResizeObserver(() => this.#draw());
    this.watch.observe(this.picture);
    this.#choose("horizon");
    this.tools.firstChild.focus();
    return new Promise((resolve) => (this.resolve = resolve));
  }

  #close(outcome) {
    this.watch.disconnect();
    removeEventListener("keydown", this.onKey, { capture: true });
    URL.revokeObjectURL(this.url);
    this.veil.remove();
    this.opener?.focus({ preventScroll: true });
    this.resolve(outcome);
  }

  #drawn() {
    const depths = this.strokes.flatMap(({ points, metres }) => thinned(points).map((p) => [p, metres]));
    const nothing = !this.horizon && !this.corners.length && !depths.length;
    return nothing ? null : { horizon: this.horizon, corners: this.corners, depths };
  }

  #choose(tool) {
    this.tool = tool;
    this.tools.mark(tool);
    this.say.textContent = TOOLS.find(({ value }) => value === tool).say;
    this.#draw();
  }

  #clear() {
    if (this.tool === "horizon") this.horizon = null;
    else if (this.tool === "corners") this.corners = [];
    else this.strokes = [];
    this.#draw();
  }

  #key(event) {
    if (event.code === "Escape") {
      event.stopPropagation();
      return this.#close(undefined);
    }
    if (event.target.closest?.("input")) return;
    event.stopPropagation(); // the world behind has keys of its own
    if (event.code === "Backspace" || event.code === "Delete") {
      if (this.tool === "corners") this.corners.pop();
      else if (this.tool === "depths") this.strokes.pop();
      else this.horizon = null;
      this.#draw();
    }
  }

  // ---- drawing with the pointer ----------------------------------------------------------------------------------

  #down(event) {
    const at = this.#share(event);
    this.svg.setPointerCapture?.(event.pointerId);
    if (this.tool === "horizon") {
      const end = this.horizon ? this.#near(this.horizon, at) : -1;
      if (end < 0) this.horizon = [at, at];
      this.held = { points: this.horizon, index: end < 0 ? 1 : end };
    } else if (this.tool === "corners") {
      let index = this.#near(this.corners, at);
      if (index < 0) index = this.corners.push(at) - 1;
      this.held = { points: this.corners, index };
    } else {
      const stroke = { points: [at], metres: this.strokes.at(-1)?.metres ?? USUAL_M };
      this.strokes.push(stroke);
      this.held = { stroke };
    }
    this.#draw();
  }

  #move(event) {
    if (!this.held) return;
    const at = this.#share(event);
    if (this.held.stroke) this.held.stroke.points.push(at);
    else this.held.points[this.held.index] = at;
    this.#draw();
  }

  #up() {
    const { stroke } = this.held ?? {};
    this.held = null;
    if (this.horizon && this.#pixels(this.horizon[0], this.horizon[1]) < GRAB_PX) this.horizon = null; // a click is no line
    this.#draw();
    if (stroke) this.labels.lastChild?.querySelector("input")?.select();
  }

  #share({ clientX, clientY }) {
    const box = this.svg.getBoundingClientRect();
    return [(clientX - box.left) / box.width, (clientY - box.top) / box.height].map((v) => Math.min(1, Math.max(0, v)));
  }

  #pixels(a, b) {
    return Math.hypot((a[0] - b[0]) * this.width, (a[1] - b[1]) * this.height);
  }

  #near(points, at) {
    return points.findIndex((p) => this.#pixels(p, at) < GRAB_PX);
  }

  // ---- what is seen ----------------------------------------------------------------------------------------------

  #draw() {
    this.width = this.picture.clientWidth || 1;
    this.height = this.picture.clientHeight || 1;
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.svg.replaceChildren();
    if (this.horizon) this.#line("horizon", extended(this.horizon), this.horizon);
    if (this.corners.length) this.#line("corners", this.corners, this.corners);
    for (const { points } of this.strokes) this.#line("depths", points, []);
    this.#label();
  }

  #line(kind, points, handles) {
    const at = points.map(([x, y]) => `${(x * this.width).toFixed(1)},${(y * this.height).toFixed(1)}`).join(" ");
    for (const layer of ["swm-hint-under", "swm-hint-line"]) this.#add("polyline", { points: at, class: `${layer} swm-hint-${kind}` });
    for (const [x, y] of handles)
      this.#add("circle", { cx: x * this.width, cy: y * this.height, r: 6, class: `swm-hint-handle swm-hint-${kind}${kind === this.tool ? " swm-on" : ""}` });
  }

  #add(tag, attributes) {
    const node = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    this.svg.append(node);
  }

  /** A metre field at the middle of every stroke. */
  #label() {
    while (this.labels.children.length > this.strokes.length) this.labels.lastChild.remove();
    this.strokes.forEach((stroke, i) => {
      const label = this.labels.children[i] ?? this.labels.appendChild(this.#field(i));
      const [x, y] = stroke.points[Math.floor(stroke.points.length / 2)];
      label.style.left = `${100 * x}%`;
      label.style.top = `${100 * y}%`;
      const input = label.querySelector("input");
      if (document.activeElement !== input) input.value = String(stroke.metres);
      label.classList.toggle("swm-on", this.tool === "depths");
    });
  }

  #field(i) {
    const change = () => {
      const metres = Number(input.value.replace(",", "."));
      if (metres > 0 && metres < 1e5) this.strokes[i].metres = metres;
      else input.value = String(this.strokes[i].metres);
    };
    const done = (event) => event.key === "Enter" && input.blur();
    const input = el("input", { type: "text", inputMode: "decimal", "aria-label": "Distance in metres", onchange: change, onkeydown: done });
    const drop = () => {
      this.strokes.splice(i, 1);
      this.labels.replaceChildren();
      this.#draw();
    };
    return el("label.swm-hint-label", {}, input, "m", el("button", { type: "button", "aria-label": "Remove this stroke", onclick: drop }, icon("close")));
  }
}

/** A line through two places, from edge to edge of the picture. */
function extended([a, b]) {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  if (Math.abs(dx) < 1e-6) return [a, b];
  return [0, 1].map((x) => [x, a[1] + ((x - a[0]) * dy) / dx]);
}

const thinned = (points) => {
  const count = Math.min(STROKE_POINTS, points.length);
  return Array.from({ length: count }, (_, i) => points[Math.round((i * (points.length - 1)) / Math.max(1, count - 1))]);
};

/** Strokes again from the places of one distance that follow each other. */
function strokesOf(depths) {
  const strokes = [];
  for (const [point, metres] of depths) {
    if (strokes.at(-1)?.metres === metres && strokes.at(-1).points.length < STROKE_POINTS) strokes.at(-1).points.push(point);
    else strokes.push({ points: [point], metres });
  }
  return strokes;
}
