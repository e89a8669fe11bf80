// The canvas: renderer, camera, frame loop and resolution. It draws only while something changes.
import { SparkRenderer } from "@sparkjsdev/spark";
import { Color, PerspectiveCamera, Raycaster, Scene, SRGBColorSpace, Vector2, WebGLRenderer } from "three";

const FRAMES_AFTER_CHANGE = 3;
const SLOW_FRAME_MS = 42;
const FAST_FRAME_MS = 14;
const WINDOW_MS = 300; // over which the frame time is averaged
const MIN_SHARPNESS = 0.3;
const REST_MS = 350;

export class Viewer {
  constructor(host) {
    this.host = host;
    this.renderer = new WebGLRenderer({ antialias: false, powerPreference: "high-performance" });
    this.canvas = this.renderer.domElement;
    this.canvas.className = "swm-canvas";
    this.canvas.setAttribute("role", "application"); // keys go to us, not to a screen reader's browsing
    this.canvas.setAttribute("aria-label", "The world. Press question mark for the keys");
    host.append(this.canvas);
    this.scene = new Scene();
    this.camera = new PerspectiveCamera(60, 1, 0.03, 2000);
    // Spark sorts in a worker and says when the order it drew last is out of date.
    this.spark = new SparkRenderer({ renderer: this.renderer, onDirty: () => (this.pending ||= 1) });
    this.scene.add(this.spark);
    this.raycaster = new Raycaster();
    this.onStep = () => {};
    this.fovY = 60;
    this.fovAspect = 16 / 9;
    this.sharpness = 1;
    this.frames = 0;
    this.windowStart = null;
    this.pending = 0;
    this.settled = false;
    this.setBackground([0.05, 0.06, 0.08]);
    new ResizeObserver(() => this.resize()).observe(host);
    this.resize();
    this.renderer.setAnimationLoop((now) => this.#frame(now));
  }

  /** Something visible changed. */
  invalidate() {
    this.pending = FRAMES_AFTER_CHANGE;
    this.restingSince = performance.now();
    if (this.settled) this.#settle(false);
  }

  setBackground([r, g, b]) {
    this.renderer.setClearColor(new Color().setRGB(r, g, b, SRGBColorSpace), 1);
    this.invalidate();
  }

  /** Adopt the field of view of an establishing view; a narrower window keeps most of its width. */
  setFieldOfView(fovYDeg, aspect) {
    this.fovY = fovYDeg;
    this.fovAspect = aspect;
    this.resize();
  }

  resize() {
    const width = this.host.clientWidth || 640;
    const height = this.host.clientHeight || 360;
    this.renderer.setPixelRatio(Math.min(devicePixelRatio || 1, 2) * (this.settled ? 1 : this.sharpness));
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    const tan = Math.tan((this.fovY * Math.PI) / 360) * Math.max(1, (this.fovAspect / this.camera.aspect) ** 0.85);
    this.camera.fov = Math.min(84, (Math.atan(tan) * 360) / Math.PI);
    this.camera.updateProjectionMatrix();
    this.pending = FRAMES_AFTER_CHANGE;
  }

  /** The raycaster through a point of the page, three.js frame. */
  rayAt(clientX, clientY) {
    const box = this.canvas.getBoundingClientRect();
    const x = ((clientX - box.left) / box.width) * 2 - 1;
    const y = 1 - ((clientY - box.top) / box.height) * 2;
    this.camera.updateMatrixWorld();
    this.raycaster.setFromCamera(new Vector2(x, y), this.camera);
    return this.raycaster;
  }

  /** Where a three.js point appears on the page, in CSS pixels of the window. */
  screenOf(point) {
    const box = this.canvas.getBoundingClientRect();
    this.camera.updateMatrixWorld();
    const p = point.clone().project(this.camera);
    return { x: box.left + ((p.x + 1) / 2) * box.width, y: box.top + ((1 - p.y) / 2) * box.height, behind: p.z > 1 };
  }

  #frame(now) {
    const dt = Math.min(0.1, (now - (this.before ?? now)) / 1000);
    this.before = now;
    this.onStep(dt);
    this.camera.updateMatrixWorld();
    const view = this.camera.matrixWorld.elements.join();
    if (view !== this.lastView) this.invalidate();
    this.lastView = view;
    if (!this.pending) {
      this.windowStart = null;
      if (this.sharpness < 1 && !this.settled && performance.now() - this.restingSince > REST_MS) this.#settle(true);
      return;
    }
    this.pending--;
    if (!this.settled) this.#adapt(now);
    this.renderer.render(this.scene, this.camera);
    this.frames++;
  }

  /** Full resolution while nothing moves, whatever the machine can keep up with in motion. */
  #settle(settled) {
    this.settled = settled;
    this.windowStart = null;
    this.resize();
  }

  /** Lower the resolution on machines that cannot keep up, and raise it again when they can. */
  #adapt(now) {
    if (this.windowStart === null) {
      this.windowStart = now;
      this.windowFrames = 0;
      return;
    }
    this.windowFrames++;
    const elapsed = now - this.windowStart;
    if (elapsed < WINDOW_MS) return;
    const frame_ms = elapsed / this.windowFrames;
    this.windowStart = now;
    this.windowFrames = 0;
    const factor = frame_ms > 3 * SLOW_FRAME_MS ? 0.5 : frame_ms > SLOW_FRAME_MS ? 0.8 : frame_ms < FAST_FRAME_MS ? 1.15 : 1;
    const sharpness = Math.min(1, Math.max(MIN_SHARPNESS, this.sharpness * factor));
    if (Math.abs(sharpness - this.sharpness) < 0.01) return;
    this.sharpness = sharpness;
    this.resize();
  }
}
