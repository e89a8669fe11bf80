// A stick for thumbs, shown on touch screens while walking or flying.
import { el } from "./dom.js";

const REACH_PX = 42;

export class Stick {
  constructor(navigation) {
    this.navigation = navigation;
    this.knob = el("i");
    this.element = el("div.swm-stick", { hidden: true, "aria-hidden": "true",
      onpointerdown: (event) => this.#hold(event), onpointermove: (event) => this.#drag(event),
      onpointerup: () => this.#release(), onpointercancel: () => this.#release() }, this.knob); // prettier-ignore
  }

  show(moving) {
    this.element.hidden = !(moving && matchMedia("(pointer: coarse)").matches);
    if (this.element.hidden) this.#release();
  }

  #hold(event) {
    this.held = true;
    if (event.isTrusted) this.element.setPointerCapture(event.pointerId);
    this.#drag(event);
  }

  #drag(event) {
    if (!this.held) return;
    const box = this.element.getBoundingClientRect();
    let x = (event.clientX - box.left - box.width / 2) / REACH_PX;
    let y = (event.clientY - box.top - box.height / 2) / REACH_PX;
    const length = Math.max(1, Math.hypot(x, y));
    x /= length;
    y /= length;
    this.knob.style.transform = `translate(${x * REACH_PX}px, ${y * REACH_PX}px)`;
    this.navigation.stick = [x, -y];
  }

  #release() {
    this.held = false;
    this.knob.style.transform = "";
    this.navigation.stick = [0, 0];
  }
}
