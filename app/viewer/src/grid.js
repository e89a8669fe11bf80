// A faint floor of metre squares under things that come without a place of their own, for scale and for up and down.
import { BufferGeometry, Float32BufferAttribute, Group, LineBasicMaterial, LineSegments } from "three";
import { toThree } from "./frames.js";

const BRIGHTNESS = 0.2;
const SEGMENTS = 24; // per line, so that it can fade along its length

export class FloorGrid {
  constructor() {
    this.root = new Group();
  }

  show({ objects, walkable, bounds: [low, high] }) {
    for (const lines of this.root.children) lines.geometry.dispose();
    this.root.clear();
    const needed = !walkable.length && objects.some((o) => o.gaussians) && objects.every((o) => o.role === "object");
    const reach = Math.ceil(Math.max(high[0] - low[0], high[1] - low[1]) * 0.75) + 2;
    if (!needed || reach > 100) return;
    const center = [Math.round((low[0] + high[0]) / 2), Math.round((low[1] + high[1]) / 2)];
    const points = [];
    const alphas = [];
    const add = (x, y) => {
      points.push(...toThree([center[0] + x, center[1] + y, low[2]]));
      alphas.push(1, 1, 1, BRIGHTNESS * Math.max(0, 1 - Math.hypot(x, y) / reach) ** 1.5);
    };
    for (let at = -reach; at <= reach; at++)
      for (let s = 0; s < SEGMENTS; s++) {
        const [a, b] = [s, s + 1].map((t) => reach * ((2 * t) / SEGMENTS - 1));
        add(at, a), add(at, b), add(a, at), add(b, at);
      }
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new Float32BufferAttribute(points, 3));
    geometry.setAttribute("color", new Float32BufferAttribute(alphas, 4));
    const lines = new LineSegments(geometry, new LineBasicMaterial({ vertexColors: true, transparent: true, depthWrite: false }));
    lines.renderOrder = -1; // before the splats, which cover it
    this.root.add(lines);
  }
}
