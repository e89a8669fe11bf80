// Pointing at a thing in what is seen, by clicks or a box; Python finds its edges, and on assent it becomes an object.
import { Vector3 } from "three";
import { toWorld } from "./frames.js";

const LEAST_BOX_PX = 8;

export class CutoutTool {
  /** @param {{onChange(), onFreeze(frozen), ask(message)}} events */
  constructor(viewer, events) {
    this.viewer = viewer;
    this.events = events;
    this.active = false;
    this.#clear();
  }

  open() {
    this.active = true;
    this.again();
  }

  close() {
    this.active = false;
    this.again();
  }

  /** Forget what was pointed at; one may look around again. */
  again() {
    this.#clear();
    this.events.onFreeze(false);
    this.events.onChange();
  }

  /** A place that belongs to the thing, or with `add` false to something else. */
  click(clientX, clientY, add = this.adding) {
    const [x, y] = this.#place(clientX, clientY);
    if (!add && !this.clicks.length && !this.box) return;
    this.clicks.push({ x, y, add });
    this.#ask();
  }

  /** The box that is being dragged; `done` on release. */
  drag(fromX, fromY, toX, toY, done) {
    const [a, b] = [this.#place(fromX, fromY), this.#place(toX, toY)];
    const box = [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
    this.dragged = done ? null : box;
    if (done && box[2] - box[0] >= LEAST_BOX_PX && box[3] - box[1] >= LEAST_BOX_PX) {
      this.#clear();
      this.box = box;
      this.#ask();
    } else this.events.onChange();
  }

  /** It was assented to: Python cuts it out, which takes a moment. */
  setTaking(taking) {
    this.taking = taking;
    this.events.onChange();
  }

  setAdding(adding) {
    this.adding = adding;
    this.events.onChange();
  }

  /** What Python found of the last question; an answer to an earlier one is dropped. */
  take({ question, outline, error }) {
    if (question !== this.question) return;
    this.busy = false;
    if (error) {
      if (this.found) this.clicks.pop();
      else this.#clear();
      this.events.onFreeze(!!this.found);
    } else this.found = outline;
    this.events.onChange();
  }

  /** Marks in pixels of the view. */
  get marks() {
    if (!this.active) return [];
    const box = this.dragged ?? (this.found ? null : this.box);
    return [
      ...(box ? [{ kind: "box", screen: [[box[0], box[1]], [box[2], box[1]], [box[2], box[3]], [box[0], box[3]]] }] : []),
      ...(this.found ? [{ kind: "cutout", rings: this.found }] : []),
      ...this.clicks.map(({ x, y, add }) => ({ kind: add ? "plus" : "minus", spot: [x, y] })),
    ]; // prettier-ignore
  }

  #clear() {
    this.clicks = [];
    this.box = this.dragged = this.found = null;
    this.adding = true;
    this.busy = this.taking = false;
    this.question = null;
  }

  #ask() {
    this.busy = true;
    this.question = Math.random().toString(36).slice(2); // every tab hears every answer
    this.events.onFreeze(true); // what was pointed at is where it was pointed at
    this.events.onChange();
    this.events.ask({ question: this.question, camera: this.#camera(), clicks: this.clicks, box: this.box });
  }

  #place(clientX, clientY) {
    const { left, top, width, height } = this.viewer.canvas.getBoundingClientRect();
    return [Math.min(width - 1, Math.max(0, clientX - left)), Math.min(height - 1, Math.max(0, clientY - top))];
  }

  /** The present camera, world frame, OpenCV axes. */
  #camera() {
    const { camera, canvas } = this.viewer;
    camera.updateMatrixWorld();
    const axes = [new Vector3(), new Vector3(), new Vector3()];
    camera.matrixWorld.extractBasis(...axes);
    const [right, up, back] = axes.map((v) => toWorld(v));
    return {
      eye: toWorld(camera.position),
      right,
      down: up.map((v) => -v),
      forward: back.map((v) => -v),
      width: canvas.clientWidth,
      height: canvas.clientHeight,
      fov_y_deg: camera.fov,
    };
  }
}
