// What comes and goes: toasts, loading, a running job, the empty state and the list of keys.
import { el, iconButton } from "./dom.js";

const TOAST_MS = 4200;
const KEYS = [
  ["Look around", [["Drag", "orbit or look"], ["Wheel", "closer, further"], ["V", "orbit, walk, fly"], ["W A S D", "walk, fly, slide"], ["Q E", "down, up (fly, orbit)"], ["Shift", "faster"], ["Space", "jump (walk)"], ["F", "look at the selection"], ["I", "about this world"]]],
  ["Edit", [["Click", "select an object"], ["1 2 3", "move, rotate, scale"], ["Arrows", "nudge 5 cm"], ["Page Up, Down", "nudge up, down"], ["Shift", "nudge ten times as far"], ["Ctrl D", "duplicate"], ["Delete", "delete"], ["C", "take a thing out of a capture"], ["M", "fix the scale"], ["Ctrl Z", "undo"], ["Ctrl Shift Z", "redo"], ["Esc", "one step back"]]],
  ["Push", [["P", "aim a push"], ["Drag", "on the floor: direction and distance"], ["Space", "play or pause"], [", .", "one step back, on"]]],
]; // prettier-ignore

const timeOf = (seconds) => (seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`);

export class Toasts {
  constructor() {
    this.element = el("div.swm-toasts", { role: "status", "aria-live": "polite" });
  }

  add(text, kind = "note") {
    const toast = el(`div.swm-toast.swm-toast-${kind}`, {}, text);
    this.element.append(toast);
    while (this.element.children.length > 4) this.element.firstChild.remove();
    setTimeout(() => toast.remove(), TOAST_MS + 45 * text.length);
  }
}

export class Loading {
  constructor() {
    this.text = el("span");
    this.bar = el("i");
    this.element = el("div.swm-loading", { hidden: true }, el("div.swm-orb"), this.text, el("div.swm-progress", {}, this.bar));
  }

  /** @param {number|null} done null hides it */
  show(done, total = 0) {
    this.element.hidden = done === null || (total > 0 && done === total);
    this.text.textContent = total ? `Loading ${done} of ${total}` : "Opening the world";
    this.bar.style.width = `${total ? (100 * done) / total : 8}%`;
  }
}

/** A world that is being made, seen as it forms. */
export class Forming {
  constructor() {
    this.text = el("span");
    this.bar = el("i");
    this.element = el("section.swm-panel.swm-forming", { hidden: true, role: "status" }, el("i.swm-pulse"), this.text, el("div.swm-progress", {}, this.bar));
  }

  /** @param status null hides it */
  show(status) {
    this.element.hidden = !status;
    if (!status) return;
    const left = status.eta_s === null ? "" : ` · about ${timeOf(status.eta_s)} left`;
    this.text.textContent = `${status.stage.replace(/^./, (c) => c.toUpperCase())}${left}`;
    this.bar.style.width = `${100 * status.fraction}%`;
  }
}

export class Job {
  constructor(oncancel) {
    this.text = el("span");
    this.bar = el("i");
    const cancel = el("button.swm-button", { type: "button", onclick: () => oncancel(this.id) }, "Cancel");
    this.element = el("section.swm-panel.swm-job", { hidden: true }, this.text, el("div.swm-progress", {}, this.bar), cancel);
  }

  show(status) {
    this.element.hidden = !status;
    if (!status) return;
    this.id = status.job;
    const left = status.eta_s === null ? "" : ` · about ${timeOf(status.eta_s)} left`;
    this.text.textContent = `Predicting: ${status.stage}${left}`;
    this.bar.style.width = `${Math.max(4, 100 * status.fraction)}%`;
  }
}

export class Empty {
  constructor() {
    this.element = el("div.swm-empty", { hidden: true },
      el("div.swm-orb"), el("h2", {}, "No world yet"),
      el("p", {}, "Describe a place in a sentence and press Create. Or drop a picture, photos or a video of a place anywhere here.")); // prettier-ignore
  }
}

export class Help {
  constructor(onclose) {
    const groups = KEYS.map(([title, keys]) =>
      el("section", {}, el("h3", {}, title), el("dl", {}, keys.flatMap(([key, what]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)]))),
    );
    this.close = iconButton("close", "Close", onclose, "?");
    const card = el("div.swm-help-card", { role: "dialog", "aria-modal": "true", "aria-label": "Keys", onclick: (event) => event.stopPropagation() },
      el("header", {}, el("b", {}, "Keys"), this.close), el("div.swm-help-groups", {}, groups)); // prettier-ignore
    this.element = el("div.swm-help", { hidden: true, onclick: onclose }, card);
  }

  get open() {
    return !this.element.hidden;
  }

  /** Focus goes into the card, and back to where it was. */
  toggle() {
    if (!this.open) this.opener = document.activeElement;
    this.element.hidden = !this.element.hidden;
    if (this.open) this.close.focus();
    else this.opener?.focus({ preventScroll: true });
  }
}
