// Two places whose distance a person knows: clicked on the splats, told to Python as one true length.
import { Vector3 } from "three";
import { toWorld } from "./frames.js";

const CLICK_PX = 2; // how exactly people click, one standard deviation

export class MeasureTool {
  constructor(viewer, world, onChange) {
    this.viewer = viewer;
    this.world = world;
    this.onChange = onChange;
    this.active = false;
    this.points = []; // three.js frame
    this.sigmas = [];
  }

  open() {
    this.active = true;
    this.again();
  }

  close() {
    this.active = false;
    this.again();
  }

  again() {
    this.points = [];
    this.sigmas = [];
    this.onChange();
  }

  /** Take the place under the pointer; returns false where there is none. */
  click(clientX, clientY) {
    if (this.points.length === 2) this.again();
    const point = this.world.probe(this.viewer.rayAt(clientX, clientY));
    if (!point) return false;
    const { camera, canvas } = this.viewer;
    const rad_per_px = (camera.fov * Math.PI) / 180 / canvas.clientHeight;
    this.points.push(point.clone());
    this.sigmas.push(CLICK_PX * rad_per_px * point.distanceTo(camera.position));
    this.onChange();
    return true;
  }

  /** Distance of the two places, in the metres that the world has now. */
  get length() {
    return this.points.length === 2 ? this.points[0].distanceTo(this.points[1]) : null;
  }

  /** The edit that makes the distance `length_m`. */
  edit(length_m) {
    const [a, b] = this.points.map((p) => toWorld(p));
    return { op: "fix_scale", a, b, length_m, click_sigma: Math.hypot(...this.sigmas) / Math.SQRT2 };
  }

  /** A mark for the layer of marks: dots, the line between them and its length. */
  get mark() {
    if (!this.active || !this.points.length) return null;
    const label = this.length === null ? null : metres(this.length);
    return { kind: "measure", points: this.points, dots: true, label, at: new Vector3().addVectors(this.points[0], this.points.at(-1)).multiplyScalar(0.5) };
  }
}

export const metres = (length) => (length < 0.995 ? `${(length * 100).toFixed(length < 0.1 ? 1 : 0)} cm` : `${length.toFixed(2)} m`);
