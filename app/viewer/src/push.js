// Aiming a push: an arrow on the floor from the object, dragged on the floor or set by direction and distance.
import { BufferGeometry, Float32BufferAttribute, Mesh, MeshBasicMaterial, DoubleSide, Plane, Vector3 } from "three";
import { toThree, toWorld } from "./frames.js";

const MIN_M = 0.05;
const MAX_M = 3;

export class PushTool {
  constructor(viewer, onChange) {
    this.viewer = viewer;
    this.onChange = onChange;
    this.active = false;
    this.angle = 0; // world frame, from +X counter-clockwise
    this.distance = 0.6;
    const material = new MeshBasicMaterial({ color: "#6cc7d9", side: DoubleSide, depthTest: false, transparent: true, opacity: 0.92 });
    this.arrow = new Mesh(new BufferGeometry(), material);
    this.arrow.renderOrder = 998;
    this.arrow.frustumCulled = false;
    this.arrow.visible = false;
    viewer.scene.add(this.arrow);
  }

  /** Displacement of the push in the floor plane, metres. */
  get by() {
    return [Math.cos(this.angle) * this.distance, Math.sin(this.angle) * this.distance];
  }

  open(entry) {
    this.active = true;
    this.aimAt(entry);
  }

  close() {
    this.active = false;
    this.arrow.visible = false;
    this.viewer.invalidate();
  }

  aimAt(entry) {
    this.entry = entry;
    const [low, high] = entry.bounds;
    this.origin = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2] + 0.02];
    this.#draw();
  }

  set(angle, distance) {
    this.angle = angle;
    this.distance = Math.min(MAX_M, Math.max(MIN_M, distance));
    this.#draw();
    this.onChange();
  }

  /** Aim relative to the camera: 0 away from it, a quarter turn clockwise per unit of `quarter`. */
  aimFromCamera(quarter) {
    const [fx, fy] = toWorld(this.viewer.camera.getWorldDirection(new Vector3()));
    this.set(Math.atan2(fy, fx) - (quarter * Math.PI) / 2, this.distance);
  }

  /** Let the tip follow the pointer over the floor. */
  dragTo(clientX, clientY) {
    const plane = new Plane(new Vector3(0, 1, 0), -this.origin[2]);
    const point = this.viewer.rayAt(clientX, clientY).ray.intersectPlane(plane, new Vector3());
    if (!point) return;
    const [x, y] = toWorld(point);
    const [dx, dy] = [x - this.origin[0], y - this.origin[1]];
    if (Math.hypot(dx, dy) > MIN_M) this.set(Math.atan2(dy, dx), Math.hypot(dx, dy));
  }

  #draw() {
    this.arrow.visible = this.active;
    const [x, y, z] = this.origin;
    const [c, s] = [Math.cos(this.angle), Math.sin(this.angle)];
    const length = this.distance;
    const head = Math.min(0.18, length * 0.5);
    const at = (along, across) => [...toThree([x + c * along - s * across, y + s * along + c * across, z])];
    const shaft = [at(0, -0.025), at(length - head, -0.025), at(length - head, 0.025), at(0, 0.025)];
    const tip = [at(length - head, -head * 0.55), at(length, 0), at(length - head, head * 0.55)];
    const triangles = [shaft[0], shaft[1], shaft[2], shaft[0], shaft[2], shaft[3], ...tip].flat();
    this.arrow.geometry.dispose();
    this.arrow.geometry = new BufferGeometry().setAttribute("position", new Float32BufferAttribute(triangles, 3));
    this.viewer.invalidate();
  }
}
