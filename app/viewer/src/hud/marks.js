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

  /**
   * @param marks places in the world: `{ kind, points: Vector3[], dots, label, at: Vector3 }` in the three.js frame; or in the view:
   *   `{ kind, screen: [x, y][] }` in pixels, `{ kind, spot: [x, y] }`, `{ kind, rings: [x, y][][] }` in shares of it
   */
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
    for (const { kind, points, dots, label, at, screen, spot, rings } of this.marks) {
      if (screen) this.#add("polygon", { points: pathOf(screen), class: `swm-mark-${kind}` });
      if (spot) this.#spot(kind, spot);
      if (rings) this.#rings(kind, rings, box);
      if (!points) continue;
      const seen = points.map(place).filter(Boolean);
      const path = pathOf(seen);
      for (const layer of ["swm-mark-under", "swm-mark-line"]) this.#add("polyline", { points: path, class: `${layer} swm-mark-${kind}` });
      if (dots) for (const [cx, cy] of seen) this.#add("circle", { cx, cy, r: 5, class: `swm-mark-dot swm-mark-${kind}` });
      const above = label && place(at);
      if (above) this.#add("text", { x: above[0], y: above[1] - 12, class: "swm-mark-label" }).textContent = label;
    }
  }

  #spot(kind, [x, y]) {
    this.#add("circle", { cx: x, cy: y, r: 7, class: `swm-mark-spot swm-mark-${kind}` });
    const strokes = kind === "plus" ? `M${x - 3} ${y}h6M${x} ${y - 3}v6` : `M${x - 3} ${y}h6`;
    this.#add("path", { d: strokes, class: "swm-mark-sign" });
  }

  /** One shape with holes: everything else is dimmed a little, so that what was found stands out. */
  #rings(kind, rings, { width, height }) {
    const shape = rings.map((ring) => `M${ring.map(([x, y]) => `${(x * width).toFixed(1)} ${(y * height).toFixed(1)}`).join("L")}Z`).join("");
    this.#add("path", { d: `M0 0H${width}V${height}H0Z${shape}`, class: `swm-mark-veil` });
    for (const layer of ["swm-mark-halo", "swm-mark-edge"]) this.#add("path", { d: shape, class: `${layer} swm-mark-${kind}` });
  }

  #add(tag, attributes) {
    const node = this.element.appendChild(document.createElementNS(SVG, tag));
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  }
}

const pathOf = (points) => points.map((p) => p.map((v) => v.toFixed(1)).join(",")).join(" ");
