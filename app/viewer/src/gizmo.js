// Handles that move, turn and size the selected object. What is dragged is a preview; on release one edit goes to Python.
import { Matrix4, Object3D, Quaternion, Vector3 } from "three";
import { TransformControls } from "three/addons/controls/TransformControls.js";
import { quatToWorld, toThree, toWorld } from "./frames.js";

const THREE_MODE = { move: "translate", rotate: "rotate", scale: "scale" };

export class Gizmo {
  /** @param {{onDrag(active), onPreview(), onEdit(edit)}} events */
  constructor(viewer, world, events) {
    this.world = world;
    this.events = events;
    this.mode = "move";
    this.pivot = new Object3D();
    this.controls = new TransformControls(viewer.camera, viewer.canvas);
    this.controls.setSize(0.85);
    // World axes in their usual colours: three.js' y is the world's z.
    this.controls.setColors("#e5645a", "#5b8def", "#7fb85a", "#ffd27f");
    this.helper = this.controls.getHelper();
    viewer.scene.add(this.pivot, this.helper);
    this.controls.addEventListener("dragging-changed", ({ value }) => (value ? this.#begin() : this.#end()));
    this.controls.addEventListener("objectChange", () => this.#preview());
    this.controls.addEventListener("change", () => events.onPreview());
  }

  get dragging() {
    return this.controls.dragging;
  }

  setMode(mode) {
    this.mode = mode;
    this.controls.setMode(THREE_MODE[mode]);
    if (this.entry) this.attach(this.entry);
  }

  attach(entry) {
    this.entry = entry;
    this.controls.detach();
    if (!entry?.mesh) return;
    // The same pivots as the edits have: the middle of the bounds, or of the underside for a change of size.
    const [low, high] = entry.bounds;
    const middle = low.map((v, i) => (v + high[i]) / 2);
    toThree(this.mode === "scale" ? [middle[0], middle[1], low[2]] : middle, this.pivot.position);
    this.pivot.quaternion.identity();
    this.pivot.scale.setScalar(1);
    this.controls.attach(this.pivot);
  }

  #begin() {
    this.pivot.updateMatrix();
    this.start = this.pivot.matrix.clone();
    const ids = [this.entry.id, ...(this.mode === "scale" ? [] : this.world.riders(this.entry.id))];
    this.moved = ids.map((id) => this.world.get(id)?.mesh).filter(Boolean);
    for (const mesh of this.moved) mesh.updateMatrix();
    this.before = this.moved.map((mesh) => mesh.matrix.clone());
    this.events.onDrag(true);
  }

  #preview() {
    if (!this.before) return;
    if (this.mode === "scale") this.pivot.scale.setScalar(strongest(this.pivot.scale));
    this.pivot.updateMatrix();
    const change = new Matrix4().copy(this.start).invert().premultiply(this.pivot.matrix);
    this.moved.forEach((mesh, i) => {
      new Matrix4().multiplyMatrices(change, this.before[i]).decompose(mesh.position, mesh.quaternion, mesh.scale);
    });
  }

  #end() {
    const edit = this.#edit();
    this.before = null;
    this.events.onDrag(false);
    if (edit) this.events.onEdit(edit);
    else if (this.entry) this.attach(this.entry);
  }

  #edit() {
    const object = this.entry.id;
    if (this.mode === "move") {
      const by = toWorld(this.pivot.position.clone().sub(new Vector3().setFromMatrixPosition(this.start)));
      return Math.hypot(...by) > 1e-4 ? { op: "move", object, by } : null;
    }
    if (this.mode === "scale") {
      const factor = Math.min(1000, Math.max(0.001, this.pivot.scale.x));
      return Math.abs(factor - 1) > 1e-3 ? { op: "scale", object, factor } : null;
    }
    const turn = this.pivot.quaternion.clone().multiply(new Quaternion().setFromRotationMatrix(this.start).invert());
    const [w, x, y, z] = quatToWorld(turn);
    const sine = Math.hypot(x, y, z);
    const angle_deg = (2 * Math.atan2(sine, w) * 180) / Math.PI;
    return sine > 1e-4 ? { op: "rotate", object, angle_deg, axis: [x / sine, y / sine, z / sine] } : null;
  }
}

/** Of three scale factors the one that was pulled furthest: sizes stay uniform whichever handle is used. */
function strongest({ x, y, z }) {
  return [x, y, z].map((v) => Math.max(0.05, Math.abs(v))).reduce((a, b) => (Math.abs(Math.log(b)) > Math.abs(Math.log(a)) ? b : a));
}
