// Three ways to look around: orbit a point, walk on the ground, fly.
import { MOUSE, Vector3 } from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { toThree, toWorld } from "./frames.js";
import { Walker } from "./walk.js";

export const MODES = ["orbit", "walk", "fly"];
const WALK_M_S = 1.6;
const FLY_M_S = 2.5;
const FAST = 2.5;
const LOOK_RAD_PER_PX = 0.0035;
const MAX_PITCH = 1.5;
const MAX_STEP_S = 1 / 30; // physics never takes a longer step than this

const WALL_GAP_M = 0.3;

/** How much of the way from `from` along `ray` stays between the walls: 0..1. */
function shareInside([low, high], from, ray) {
  const limits = ray.map((r, i) => (r > 0 ? high[i] - WALL_GAP_M - from[i] : low[i] + WALL_GAP_M - from[i]) / (r || 1e-9));
  return Math.min(1, Math.max(0.1, Math.min(...limits)));
}

export class Navigation {
  constructor(viewer) {
    this.viewer = viewer;
    this.camera = viewer.camera;
    this.mode = "orbit";
    this.keys = new Set();
    this.stick = [0, 0]; // from the on-screen stick: right, forward in -1..1
    this.walker = new Walker();
    this.collider = null;
    this.yaw = 0;
    this.pitch = 0;
    this.enabled = true;
    this.frozen = false; // while something is pointed at in what is seen
    this.room = null; // [min, max] of a room's inside, or null outdoors
    this.orbit = new OrbitControls(this.camera, viewer.canvas);
    this.orbit.enableDamping = true;
    this.orbit.dampingFactor = 0.12;
    this.orbit.zoomToCursor = true;
    this.orbit.minDistance = 0.15;
    this.orbit.maxDistance = 400;
    this.orbit.maxPolarAngle = Math.PI * 0.98;
  }

  /** Take up the establishing view of a scene, or frame its bounds. */
  start({ spawn, room, bounds: [low, high] }) {
    this.room = room;
    const middle = low.map((v, i) => (v + high[i]) / 2);
    const size = Math.max(0.5, Math.hypot(...high.map((v, i) => v - low[i])));
    if (spawn) {
      this.viewer.setFieldOfView(spawn.fov_y_deg, spawn.aspect);
      const ahead = spawn.forward.reduce((sum, f, i) => sum + f * (middle[i] - spawn.eye[i]), 0);
      this.#look(spawn.eye, spawn.eye.map((v, i) => v + spawn.forward[i] * Math.max(1.5, ahead)));
    } else {
      this.viewer.setFieldOfView(50, 16 / 9);
      this.#look([middle[0] + size * 0.55, middle[1] - size * 0.75, middle[2] + size * 0.4], middle);
    }
    if (this.mode === "walk") this.#stand();
  }

  /** Keep the view when the whole world was scaled about its origin. */
  grow(factor) {
    this.camera.position.multiplyScalar(factor);
    this.orbit.target.multiplyScalar(factor);
    this.mustStand = this.mode === "walk";
  }

  /** Bring an object into the middle of the view without losing the direction of sight. */
  focus([low, high]) {
    const middle = low.map((v, i) => (v + high[i]) / 2);
    const reach = Math.max(1.2, Math.hypot(...high.map((v, i) => v - low[i])) * 2.1);
    if (this.mode === "walk") this.setMode("orbit");
    const back = toWorld(this.camera.getWorldDirection(new Vector3())).map((v) => -v * reach);
    back[2] = Math.max(back[2], reach * 0.15);
    const t = this.room ? shareInside(this.room, middle, back) : 1;
    this.#look(middle.map((v, i) => v + t * back[i]), middle);
  }

  setMode(mode) {
    if (mode === this.mode) return;
    const ahead = this.camera.getWorldDirection(new Vector3());
    if (mode === "orbit") {
      this.orbit.target.copy(this.camera.position).addScaledVector(ahead, Math.max(1.5, this.orbit.getDistance()));
    } else {
      const [x, y, z] = toWorld(ahead);
      this.yaw = Math.atan2(y, x);
      this.pitch = Math.asin(Math.min(1, Math.max(-1, z)));
    }
    this.mode = mode;
    this.setEnabled(this.enabled);
    if (mode === "walk") this.#stand();
  }

  setCollider(collider) {
    const stand = !this.collider || this.mustStand;
    this.collider = collider;
    this.mustStand = false;
    if (stand && this.mode === "walk") this.#stand();
  }

  /** Off while a gizmo or an arrow is being dragged. */
  setEnabled(enabled) {
    this.enabled = enabled;
    this.orbit.enabled = enabled && this.mode === "orbit";
  }

  turn(dx, dy) {
    if (!this.enabled || this.frozen || this.mode === "orbit") return;
    this.yaw -= dx * LOOK_RAD_PER_PX;
    this.pitch = Math.min(MAX_PITCH, Math.max(-MAX_PITCH, this.pitch - dy * LOOK_RAD_PER_PX));
  }

  /** While the left button points at things, the right one looks around. */
  setPointing(pointing) {
    const { LEFT, RIGHT } = pointing ? { LEFT: null, RIGHT: MOUSE.ROTATE } : { LEFT: MOUSE.ROTATE, RIGHT: MOUSE.PAN };
    Object.assign(this.orbit.mouseButtons, { LEFT, RIGHT });
    this.frozen = false;
  }

  step(dt) {
    this.orbit.enabled = this.enabled && !this.frozen && this.mode === "orbit";
    if (this.frozen) return;
    if (this.mode === "orbit") {
      this.#pan(dt);
      return this.orbit.update();
    }
    const [right, forward] = this.#wish();
    const [c, s] = [Math.cos(this.yaw), Math.sin(this.yaw)];
    const fast = this.keys.has("ShiftLeft") || this.keys.has("ShiftRight") ? FAST : 1;
    if (this.mode === "walk" && this.collider) {
      const velocity = [c * forward + s * right, s * forward - c * right].map((v) => v * WALK_M_S * fast);
      const count = Math.max(1, Math.ceil(dt / MAX_STEP_S));
      for (let i = 0; i < count; i++) this.walker.step(this.collider, velocity, this.keys.has("Space"), dt / count);
      return this.#aim(this.walker.eye);
    }
    const eye = toWorld(this.camera.position);
    const reach = FLY_M_S * fast * dt;
    const up = this.keys.has("KeyE") - this.keys.has("KeyQ");
    const [cp, sp] = [Math.cos(this.pitch), Math.sin(this.pitch)];
    this.#aim([
      eye[0] + (c * cp * forward + s * right) * reach,
      eye[1] + (s * cp * forward - c * right) * reach,
      eye[2] + (sp * forward + up) * reach,
    ]);
  }

  #wish() {
    const key = (...codes) => codes.some((code) => this.keys.has(code));
    const right = key("KeyD", "ArrowRight") - key("KeyA", "ArrowLeft") + this.stick[0];
    const forward = key("KeyW", "ArrowUp") - key("KeyS", "ArrowDown") + this.stick[1];
    const length = Math.max(1, Math.hypot(right, forward));
    return [right / length, forward / length];
  }

  /** W A S D Q E slide an orbiting camera and its target together. */
  #pan(dt) {
    const [right, forward] = this.#wish();
    const up = this.keys.has("KeyE") - this.keys.has("KeyQ");
    if (!right && !forward && !up) return;
    const ahead = this.camera.getWorldDirection(new Vector3()).setY(0).normalize();
    const side = new Vector3(-ahead.z, 0, ahead.x);
    const shift = ahead.multiplyScalar(forward).addScaledVector(side, right).add(new Vector3(0, up, 0)).multiplyScalar(FLY_M_S * dt);
    this.camera.position.add(shift);
    this.orbit.target.add(shift);
  }

  #stand() {
    if (this.collider) this.walker.place(this.collider, toWorld(this.camera.position));
  }

  #aim(eye) {
    toThree(eye, this.camera.position);
    const [c, s] = [Math.cos(this.pitch), Math.sin(this.pitch)];
    this.camera.lookAt(toThree([eye[0] + c * Math.cos(this.yaw), eye[1] + c * Math.sin(this.yaw), eye[2] + s]));
  }

  #look(eye, target) {
    toThree(eye, this.camera.position);
    this.camera.lookAt(toThree(target, this.orbit.target));
    const [x, y, z] = target.map((v, i) => v - eye[i]);
    this.yaw = Math.atan2(y, x);
    this.pitch = Math.atan2(z, Math.hypot(x, y));
    this.orbit.update();
  }
}
