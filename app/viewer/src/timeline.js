// A predicted future in the browser: fetched once, scrubbed locally; the present stays visible as a ghost.
import { SplatMesh } from "@sparkjsdev/spark";
import { BufferGeometry, Group, Line, LineBasicMaterial, Quaternion, Vector3 } from "three";
import { quatToThree, setPose, toThree } from "./frames.js";

const MOVES_M = 0.01;
// Of one splat: a surface is several splats deep, so the whole looks about half there.
const GHOST_OPACITY = 0.1;
const GHOST_TINT = "#a8e6f2";

export class Timeline {
  constructor(viewer, world) {
    this.viewer = viewer;
    this.world = world;
    this.extras = new Group();
    viewer.scene.add(this.extras);
    this.clear();
  }

  get duration() {
    return this.prediction ? (this.prediction.frames - 1) * this.prediction.dt_s : 0;
  }

  async load(prediction, base) {
    const response = await fetch(`${base}/rollout.bin`, { cache: "no-store" });
    if (!response.ok) throw new Error("The prediction is no longer there; push again.");
    const numbers = new Float32Array(await response.arrayBuffer());
    this.clear();
    this.prediction = prediction;
    const { frames, object_ids } = prediction;
    this.stride = object_ids.length * 7;
    this.poses = numbers.subarray(0, frames * this.stride);
    this.uncertainty = numbers.subarray(frames * this.stride);
    this.#markPresent();
    this.seek(0);
  }

  clear() {
    if (this.prediction) for (const id of this.prediction.object_ids) this.world.restore(id);
    // A ghost shares its splats with the object, so only the line geometry is its own.
    for (const child of this.extras.children) child.geometry?.dispose();
    this.extras.clear();
    this.prediction = null;
    this.time = 0;
    this.playing = false;
    this.viewer.invalidate();
  }

  /** Show the scene as predicted at a time in seconds. */
  seek(time) {
    if (!this.prediction) return;
    this.time = Math.min(this.duration, Math.max(0, time));
    const { dt_s, frames, object_ids } = this.prediction;
    const at = Math.min(this.time / dt_s, frames - 1);
    const frame = Math.min(Math.floor(at), Math.max(0, frames - 2));
    const next = Math.min(frame + 1, frames - 1);
    const turn = new Quaternion();
    object_ids.forEach((id, k) => {
      const mesh = this.world.get(id)?.mesh;
      if (!mesh) return;
      const [a, b] = [this.#pose(frame, k), this.#pose(next, k)];
      mesh.position.lerpVectors(toThree(a), toThree(b), at - frame);
      mesh.quaternion.slerpQuaternions(quatToThree(a.subarray(3)), quatToThree(b.subarray(3), turn), at - frame);
    });
    this.viewer.invalidate();
  }

  /** How far off an object may be at the shown time, metres; 0 for what the prediction does not name. */
  uncertaintyOf(id) {
    const { dt_s, frames, object_ids } = this.prediction;
    const k = object_ids.indexOf(id);
    const frame = Math.min(frames - 1, Math.round(this.time / dt_s));
    return k < 0 ? 0 : this.uncertainty[frame * object_ids.length + k];
  }

  /** Advance while playing; from the end it starts over. */
  step(dt) {
    if (!this.playing) return;
    this.seek(this.time + dt);
    if (this.time >= this.duration) this.playing = false;
  }

  toggle() {
    if (!this.prediction) return;
    if (!this.playing && this.time >= this.duration - 1e-6) this.seek(0);
    this.playing = !this.playing;
  }

  stepFrames(count) {
    if (!this.prediction) return;
    this.playing = false;
    this.seek(this.time + count * this.prediction.dt_s);
  }

  #pose(frame, k) {
    const start = frame * this.stride + k * 7;
    return this.poses.subarray(start, start + 7);
  }

  #markPresent() {
    const { frames, object_ids } = this.prediction;
    object_ids.forEach((id, k) => {
      const [first, last] = [this.#pose(0, k), this.#pose(frames - 1, k)];
      const entry = this.world.get(id);
      const turned = Math.abs(first.subarray(3).reduce((sum, v, i) => sum + v * last[3 + i], 0)) < 0.9998;
      if (!entry?.mesh || (toThree(first).distanceTo(toThree(last)) < MOVES_M && !turned)) return;
      if (entry.mesh.packedSplats) {
        const ghost = new SplatMesh({ packedSplats: entry.mesh.packedSplats, raycastable: false });
        ghost.opacity = GHOST_OPACITY;
        ghost.recolor.set(GHOST_TINT);
        setPose(ghost, entry.pose);
        this.extras.add(ghost);
      }
      this.extras.add(this.#path(entry, k));
    });
  }

  /** The way of an object's middle, not of its origin, which may lie at a corner. */
  #path(entry, k) {
    const middle = toThree(entry.extent[0].map((v, i) => (v + entry.extent[1][i]) / 2)).multiplyScalar(entry.pose[7]);
    const points = Array.from({ length: this.prediction.frames }, (_, frame) => {
      const pose = this.#pose(frame, k);
      return middle.clone().applyQuaternion(quatToThree(pose.subarray(3))).add(toThree(pose, new Vector3()));
    });
    const material = new LineBasicMaterial({ color: "#6cc7d9", depthTest: false, transparent: true, opacity: 0.85 });
    const line = new Line(new BufferGeometry().setFromPoints(points), material);
    line.renderOrder = 997;
    return line;
  }
}
