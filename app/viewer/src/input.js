// Pointer and keyboard. Keys follow SuperSplat where it has one; movement goes by physical key, so it fits any layout.
import { Vector3 } from "three";
import { toWorld } from "./frames.js";

const CLICK_PX = 5;
const NUDGE_M = 0.05;
const MOVEMENT = new Set(["KeyW", "KeyA", "KeyS", "KeyD", "KeyQ", "KeyE", "Space", "ShiftLeft", "ShiftRight"]);
const ARROWS = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

export class Input {
  constructor(studio) {
    this.studio = studio;
    const { canvas } = studio.viewer;
    canvas.tabIndex = 0;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", () => (this.press = null));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    addEventListener("keydown", (event) => this.#keyDown(event));
    addEventListener("keyup", (event) => studio.navigation.keys.delete(event.code));
    addEventListener("blur", () => studio.navigation.keys.clear());
  }

  #down(event) {
    const { studio } = this;
    studio.viewer.canvas.focus({ preventScroll: true });
    this.press = { x: event.clientX, y: event.clientY, lastX: event.clientX, lastY: event.clientY, travel: 0, gizmo: studio.gizmo.dragging };
    if (studio.push.active && event.button === 0) {
      this.press.aiming = true;
      studio.navigation.setEnabled(false);
    }
    if (studio.cutout.active && event.button === 0) this.press.boxing = true;
    // Synthetic and already ended pointers cannot be captured; the drag then simply ends at the canvas' edge.
    if (event.isTrusted) studio.viewer.canvas.setPointerCapture?.(event.pointerId);
  }

  #move(event) {
    const { press, studio } = this;
    if (!press) return;
    const [dx, dy] = [event.clientX - press.lastX, event.clientY - press.lastY];
    press.travel += Math.hypot(dx, dy);
    press.lastX = event.clientX;
    press.lastY = event.clientY;
    if (press.gizmo || studio.gizmo.dragging) press.gizmo = true;
    else if (press.aiming) {
      if (press.travel > CLICK_PX) studio.push.dragTo(event.clientX, event.clientY);
    } else if (press.boxing) {
      if (press.travel > CLICK_PX) studio.cutout.drag(press.x, press.y, event.clientX, event.clientY, false);
    } else studio.navigation.turn(dx, dy);
  }

  #up(event) {
    const { press, studio } = this;
    this.press = null;
    if (!press) return;
    if (press.aiming) return studio.navigation.setEnabled(true);
    if (press.boxing && press.travel >= CLICK_PX) return studio.cutout.drag(press.x, press.y, event.clientX, event.clientY, true);
    if (!press.gizmo && press.travel < CLICK_PX && event.button === 0) studio.pick(event.clientX, event.clientY);
  }

  #keyDown(event) {
    const { studio } = this;
    const typing = event.target.closest?.("input, textarea, select, [contenteditable=true]");
    if (typing && !(typing.type === "range")) return;
    if (!studio.state || event.altKey) return;
    if (event.ctrlKey || event.metaKey) return this.#chord(event);
    const onButton = event.target.closest?.("button, a, [role=button], summary");
    if (onButton && (event.code === "Space" || event.code === "Enter")) return;
    if (this.#shortcut(event) || (event.code in ARROWS && studio.selected && this.#nudge(event))) return event.preventDefault();
    if (MOVEMENT.has(event.code) || event.code in ARROWS) {
      studio.navigation.keys.add(event.code);
      if (event.code === "Space" || event.code in ARROWS) event.preventDefault();
    }
  }

  #chord(event) {
    const { studio } = this;
    const actions = {
      KeyZ: () => studio.command(event.shiftKey ? "redo" : "undo"),
      KeyY: () => studio.command("redo"),
      KeyD: () => studio.duplicate(),
    };
    if (!actions[event.code]) return;
    event.preventDefault();
    actions[event.code]();
  }

  /** Keys that do one thing; true when this was one of them. */
  #shortcut(event) {
    const { studio } = this;
    const predicted = !!studio.timeline.prediction;
    const keys = {
      Digit1: () => studio.setGizmoMode("move"),
      Digit2: () => studio.setGizmoMode("rotate"),
      Digit3: () => studio.setGizmoMode("scale"),
      KeyV: () => studio.cycleMode(),
      KeyF: () => studio.hud.focusSelected(),
      KeyC: () => studio.mayCutOut && studio.toggleCutout(),
      ...(studio.cutout.found && { Enter: () => studio.acceptCutout("") }),
      KeyM: () => studio.state.scale.method !== "exact" && studio.toggleMeasure(),
      KeyI: () => studio.hud.about.any && studio.hud.about.toggle(),
      KeyP: () => (studio.push.active ? studio.stopPush() : studio.startPush()),
      Delete: () => studio.remove(),
      Backspace: () => studio.remove(),
      Escape: () => studio.hud.escape(),
      ...(predicted && {
        Space: () => studio.timeline.toggle(),
        Comma: () => studio.timeline.stepFrames(-1),
        Period: () => studio.timeline.stepFrames(1),
      }),
      ...(studio.selected && {
        PageUp: () => studio.nudge([0, 0, 1], step(event)),
        PageDown: () => studio.nudge([0, 0, -1], step(event)),
      }),
    };
    const action = event.key === "?" ? () => studio.hud.toggleHelp() : keys[event.code];
    if (!action || (event.repeat && event.code === "Space")) return !!action;
    action();
    if (predicted) studio.hud.showTime();
    return true;
  }

  /** Move the selection along the world axis that lies nearest to the arrow as seen on the screen. */
  #nudge(event) {
    const [right, forward] = ARROWS[event.code];
    const [fx, fy] = toWorld(this.studio.viewer.camera.getWorldDirection(new Vector3()));
    const [x, y] = [fx * forward + fy * right, fy * forward - fx * right];
    this.studio.nudge(Math.abs(x) > Math.abs(y) ? [Math.sign(x), 0, 0] : [0, Math.sign(y), 0], step(event));
    return true;
  }
}

const step = (event) => (event.shiftKey ? 10 * NUDGE_M : NUDGE_M);
