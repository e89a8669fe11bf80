// Joins the parts: scene messages from Python go into the view, what a person does goes back as commands.
import { CutoutTool } from "./cutout.js";
import { toThree, toWorld } from "./frames.js";
import { Gizmo } from "./gizmo.js";
import { FloorGrid } from "./grid.js";
import { Hud } from "./hud/hud.js";
import { Input } from "./input.js";
import { Collider } from "./collider.js";
import { MeasureTool } from "./measure.js";
import { MODES, Navigation } from "./navigation.js";
import { Channel } from "./protocol.js";
import { PushTool } from "./push.js";
import { SelectionBox } from "./selection.js";
import { Timeline } from "./timeline.js";
import { Viewer } from "./viewer.js";
import { World } from "./world.js";

export class Studio {
  constructor(host) {
    host.classList.add("swm-studio");
    this.host = host;
    this.state = null; // the last scene message
    this.selected = null; // an object id
    this.viewer = new Viewer(host);
    this.world = new World();
    this.box = new SelectionBox();
    this.grid = new FloorGrid();
    this.viewer.scene.add(this.grid.root, this.world.root, this.box.lines);
    this.navigation = new Navigation(this.viewer);
    this.timeline = new Timeline(this.viewer, this.world);
    this.push = new PushTool(this.viewer, () => this.hud.showPush());
    this.measure = new MeasureTool(this.viewer, this.world, () => this.hud.showTool());
    this.cutout = new CutoutTool(this.viewer, {
      onChange: () => this.hud.showTool(),
      onFreeze: (frozen) => (this.navigation.frozen = frozen),
      ask: (question) => this.command("select", question),
    });
    this.gizmo = new Gizmo(this.viewer, this.world, {
      onDrag: (active) => this.navigation.setEnabled(!active),
      onPreview: () => this.redraw(),
      onEdit: (edit) => this.edit(edit),
    });
    this.hud = new Hud(host, this);
    this.input = new Input(this);
    this.viewer.onStep = (dt) => this.#step(dt);
    this.hud.showEmpty();
  }

  /** Show the world at an address from Python: `{ base, continues }`, or null for none; one that continues what is shown keeps the view. */
  show(address) {
    const base = address?.base ?? null;
    if (base === this.base) return;
    this.channel?.close();
    this.#forgetPrediction();
    this.stopTools();
    this.select(null);
    this.base = base;
    this.continued = !!address?.continues && !!this.state;
    if (!this.continued) {
      this.world.clear();
      this.state = null;
      this.navigation.collider = null;
      if (!base) return this.hud.showEmpty();
      this.hud.showLoading(0, 0);
    }
    this.channel = new Channel(base, {
      onEvent: (message) => this.#hear(base, message),
      onStatus: (connected) => this.hud.showConnection(connected),
    });
  }

  // ---- what a person does ----------------------------------------------------------------------------------------

  /** Send a command; failures become toasts. Resolves with the reply, or null. */
  async command(op, fields) {
    try {
      return await this.channel.command(op, fields);
    } catch (error) {
      this.hud.toast(error.message, "error");
      this.#replace();
      return null;
    }
  }

  edit(edit) {
    return this.command("edit", { edit, base: this.state?.revision });
  }

  select(id) {
    const entry = id ? this.world.get(id) : null;
    this.selected = entry ? id : null;
    this.box.show(entry);
    if (this.push.active) this.stopPush();
    this.#attachGizmo();
    this.hud.showSelection();
    this.redraw();
  }

  nudge(direction, metres) {
    if (this.selected && !this.timeline.prediction) this.edit({ op: "move", object: this.selected, by: direction.map((v) => v * metres) });
  }

  async remove() {
    const id = this.selected;
    if (id && (await this.edit({ op: "delete", object: id }))) this.hud.toast("Deleted. Ctrl+Z brings it back.");
  }

  async duplicate() {
    const entry = this.world.get(this.selected);
    if (!entry) return;
    const width = entry.bounds[1][0] - entry.bounds[0][0];
    const known = new Set(this.world.objects.keys());
    this.selectNew = known;
    if (!(await this.edit({ op: "duplicate", object: entry.id, by: [width + 0.1, 0, 0] }))) this.selectNew = null;
  }

  setGizmoMode(mode) {
    this.gizmo.setMode(mode);
    this.hud.showTools();
    this.redraw();
  }

  setMode(mode) {
    this.navigation.setMode(mode);
    if (mode === "walk" && !this.navigation.collider) this.#loadCollider();
    this.hud.showTools();
    this.viewer.canvas.focus({ preventScroll: true });
  }

  cycleMode() {
    this.setMode(MODES[(MODES.indexOf(this.navigation.mode) + 1) % MODES.length]);
  }

  startPush() {
    const entry = this.world.get(this.selected);
    if (this.timeline.prediction) return this.hud.toast("Commit or discard this prediction first.");
    if (!entry) return this.hud.toast("Select an object first, then push it.");
    if (entry.mobility === "static") return this.hud.toast(`${entry.name} is fixed in place, so a push would not move it.`);
    this.push.open(entry);
    this.push.aimFromCamera(0);
    this.#attachGizmo();
    this.hud.showPush();
  }

  stopPush() {
    this.push.close();
    this.#attachGizmo();
    this.hud.showPush();
  }

  /** The tool that takes clicks instead of selecting, or null. */
  get tool() {
    return [this.measure, this.cutout].find((tool) => tool.active) ?? null;
  }

  stopTools() {
    this.tool?.close();
    this.navigation.setPointing(false);
  }

  toggleMeasure() {
    this.#toggleTool(this.measure);
  }

  toggleCutout() {
    this.#toggleTool(this.cutout);
    this.navigation.setPointing(this.cutout.active);
  }

  #toggleTool(tool) {
    const was = tool.active;
    this.stopTools();
    if (was) return;
    if (this.timeline.prediction) return this.hud.toast("Commit or discard this prediction first.");
    this.select(null);
    tool.open();
  }

  /** Whether there is a captured place that things could be taken out of. */
  get mayCutOut() {
    return !!this.state && !this.state.forming && this.state.objects.some((o) => o.place);
  }

  async acceptCutout(name) {
    const { cutout } = this;
    if (!cutout.found || cutout.taking) return;
    cutout.setTaking(true);
    if (!(await this.command("take", { question: cutout.question, name: name.trim() }))) cutout.setTaking(false);
  }

  /** Scale the whole world so that the measured distance comes out as `length_m`. */
  async fixScale(length_m) {
    if (!(await this.edit(this.measure.edit(length_m)))) return;
    this.measure.close();
    this.hud.toast("The whole world has this scale now. Ctrl+Z takes it back.");
  }

  markInvented(marked) {
    this.world.mark(marked);
    this.viewer.invalidate();
  }

  async predict() {
    const reply = await this.command("predict", { object: this.selected, by: this.push.by });
    if (reply) this.job = reply.job;
  }

  async commit() {
    if (await this.command("commit")) this.hud.toast("Committed: the prediction is now the world.");
  }

  /** A click on the world: it goes to the tool that is in use, else it selects. */
  pick(clientX, clientY) {
    if (this.measure.active) return this.measure.click(clientX, clientY) || this.hud.toast("There is nothing to measure at that place.");
    if (this.cutout.active) return this.cutout.click(clientX, clientY);
    if (this.state?.forming) return null;
    const hit = this.world.pick(this.viewer.rayAt(clientX, clientY));
    this.select(hit?.id ?? null);
    return hit;
  }

  redraw() {
    this.box.follow();
    this.viewer.invalidate();
  }

  // ---- what Python says ------------------------------------------------------------------------------------------

  #hear(base, message) {
    if (base !== this.base) return;
    if (message.event === "scene") this.#adopt(base, message);
    else if (message.event === "found") this.#takeFound(message);
    else if (message.event === "taken") this.#takeTaken(message);
    else if (message.event === "forming") this.hud.showForming(message);
    else if (message.event === "progress") this.hud.showJob(message);
    else if (message.event === "done") {
      this.hud.showJob(null);
      if (message.error) this.hud.toast(message.error, "error");
      else if (message.cancelled) this.hud.toast("Stopped. Nothing was changed.");
    }
  }

  #takeFound(message) {
    if (message.question !== this.cutout.question) return; // another tab asked
    if (message.error) this.hud.toast(message.error, "error");
    this.cutout.take(message);
    if (!message.whole) return;
    this.stopTools();
    this.select(message.whole);
  }

  #takeTaken({ question, object, error }) {
    if (question !== this.cutout.question) return;
    this.cutout.setTaking(false);
    if (error) return this.hud.toast(error, "error");
    this.stopTools();
    this.awaited = object;
    this.#replace();
    this.hud.toast("It is an object now: move it, push it, or take it away. Ctrl+Z undoes it.");
  }

  async #adopt(base, message) {
    const first = this.state === null;
    const moved = first || this.continued || this.state.revision !== message.revision;
    const grown = first ? 1 : growth(this.state, message);
    this.continued = false;
    this.state = message;
    this.viewer.setBackground(message.environment.background);
    this.grid.show(message);
    if (first) this.navigation.start(message);
    else if (grown !== 1) this.navigation.grow(grown);
    const shown = this.timeline.prediction;
    if (shown && shown.revision !== message.prediction?.revision) this.#forgetPrediction();
    this.hud.showState();
    try {
      const arrived = this.world.sync(message, base, (done, total) => {
        if (first) this.hud.showLoading(done, total);
        this.viewer.invalidate();
      });
      this.#replace();
      if (!(await arrived)) return;
    } catch (error) {
      this.hud.toast(error.message, "error");
    }
    this.hud.showLoading(null);
    this.#replace();
    if (this.navigation.collider === null || moved) this.#loadCollider();
    if (message.prediction && this.timeline.prediction?.revision !== message.prediction.revision) await this.#showPrediction(message.prediction, base);
  }

  async #showPrediction(prediction, base) {
    try {
      await this.timeline.load(prediction, base);
    } catch (error) {
      return this.hud.toast(error.message, "error");
    }
    this.push.close();
    this.#attachGizmo();
    this.timeline.toggle();
    this.hud.showPush();
    this.hud.showTimeline();
  }

  #forgetPrediction() {
    this.timeline.clear();
    this.hud.showTimeline();
    this.#attachGizmo();
  }

  async #loadCollider() {
    const base = this.base;
    const response = await fetch(`${base}/collider.bin`);
    if (response.ok && base === this.base) this.navigation.setCollider(new Collider(await response.arrayBuffer()));
  }

  /** After a change: everything stands where the scene has it, and the selection still holds. */
  #replace() {
    if (this.selectNew) {
      const made = [...this.world.objects.keys()].find((id) => !this.selectNew.has(id));
      if (made && this.world.get(made).mesh) {
        this.selectNew = null;
        this.selected = made;
      }
    }
    if (this.awaited && this.world.get(this.awaited)?.mesh) {
      this.selected = this.awaited;
      this.awaited = null;
    }
    for (const id of this.world.objects.keys()) this.world.restore(id);
    if (this.timeline.prediction) this.timeline.seek(this.timeline.time);
    const entry = this.selected ? this.world.get(this.selected) : null;
    if (!entry) this.selected = null;
    this.box.show(entry);
    if (this.push.active && entry) this.push.aimAt(entry);
    if (!this.gizmo.dragging) this.#attachGizmo();
    this.hud.showSelection();
    this.redraw();
  }

  #attachGizmo() {
    const free = this.selected && !this.push.active && !this.timeline.prediction;
    this.gizmo.attach(free ? this.world.get(this.selected) : null);
  }

  #step(dt) {
    this.navigation.step(dt);
    if (this.timeline.playing) {
      this.timeline.step(dt);
      this.box.follow();
      this.hud.showTime();
    }
    this.hud.marks.follow();
    this.hud.showBeyond(this.state ? this.isBeyond : false);
  }

  /** For tests and the console: where an object appears on the page. */
  screenOf(id) {
    const { bounds } = this.world.get(id);
    const middle = bounds[0].map((v, i) => (v + bounds[1][i]) / 2);
    return this.viewer.screenOf(toThree(middle));
  }

  /** Whether one looks from where the pictures tell nothing: then what is seen is made up. */
  get isBeyond() {
    const { walkable, objects } = this.state;
    if (walkable.length < 3 || !objects.some((o) => o.provenance === "invented" && o.role === "structure")) return false;
    const [x, y] = this.eye;
    const sides = walkable.map(([ax, ay], i) => {
      const [bx, by] = walkable[(i + 1) % walkable.length];
      return (bx - ax) * (y - ay) - (by - ay) * (x - ax);
    });
    return !(sides.every((s) => s >= -1e-9) || sides.every((s) => s <= 1e-9));
  }

  /** For tests and the console: where the camera is, in the world frame. */
  get eye() {
    return toWorld(this.viewer.camera.position);
  }
}

/** By what factor a whole scene was scaled about the origin from one state to the next; 1 when it was not. */
function growth(before, after) {
  const known = new Map(before.objects.map((o) => [o.id, o.pose]));
  const pairs = after.objects.filter((o) => known.has(o.id)).map((o) => [known.get(o.id), o.pose]);
  const ratio = pairs.length ? pairs[0][1][7] / pairs[0][0][7] : 1;
  const close = (a, b) => Math.abs(a - b) < 1e-4 * (1 + Math.abs(b));
  const whole = pairs.every(([was, is]) => close(is[7], ratio * was[7]) && [0, 1, 2].every((i) => close(is[i], ratio * was[i])));
  return whole && !close(ratio, 1) ? ratio : 1;
}
