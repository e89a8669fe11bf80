// Lines, dots and labels that belong to places in the world, drawn over the splats, which have no depth to test against.
const SVG = "http://www.w3.org/2000/svg";

export class Marks {
  constructor(viewer) {
    this.viewer = viewer;
    this.element = document.createElementNS(SVG, "svg");
    this.element.setAttribute("class", "swm-marks");
    this.element.setAttribute("aria-hidden", "true");
    this.marks = [];
  }

  /** @param marks `{ kind, points: Vector3[], dots, label, at: Vector3 }` in the three.js frame; empty ones are left out */
  show(marks) {
    this.marks = marks.filter(Boolean);
    this.follow();
  }

  /** Keep to the places as the camera moves. */
  follow() {
    if (!this.marks.length && !this.element.firstChild) return;
    this.element.replaceChildren();
    const box = this.viewer.canvas.getBoundingClientRect();
    const place = (point) => {
      const { x, y, behind } = this.viewer.screenOf(point);
      return behind ? null : [x - box.left, y - box.top];
    };
    for (const { kind, points, dots, label, at } of this.marks) {
      const seen = points.map(place).filter(Boolean);
      const path = seen.map((p) => p.map((v) => v.toFixed(1)).join(",")).join(" ");
      for (const layer of ["swm-mark-under", "swm-mark-line"]) this.#add("polyline", { points: path, class: `${layer} swm-mark-${kind}` });
      if (dots) for (const [cx, cy] of seen) this.#add("circle", { cx, cy, r: 5, class: `swm-mark-dot swm-mark-${kind}` });
      const spot = label && place(at);
      if (spot) this.#add("text", { x: spot[0], y: spot[1] - 12, class: "swm-mark-label" }).textContent = label;
    }
  }

  #add(tag, attributes) {
    const node = this.element.appendChild(document.createElementNS(SVG, tag));
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  }
}
