// The tray in the rail: an invitation while it is empty, then thumbnails and only the choices that fit what was given.
import { el, icon, iconButton, segmented } from "../hud/dom.js";
import { DropZone } from "./drop_zone.js";
import { filesOfList } from "./dropped.js";
import { HintEditor } from "./hint_editor.js";
import { suffixOf, thumbnailOf } from "./thumbnail.js";
import { Tray } from "./tray.js";

const SHOWN = 8;
const TAKES = "image/*,video/*,.heic,.heif,.zip,.ply,.spz,.splat,.sog,.ksplat";

export class TrayPanel {
  constructor(host) {
    this.host = host;
    this.tray = new Tray(() => this.#later());
    this.files = this.#chooser({ multiple: true, accept: TAKES });
    this.folder = this.#chooser({ webkitdirectory: true });
    this.invitation = el("div.swm-invite", {},
      el("button.swm-invite-files", { type: "button", onclick: () => this.files.click() },
        icon("picture"), el("span", {}, el("b", {}, "Add pictures or video"), el("small", {}, "or drop them anywhere"))),
      el("button.swm-link", { type: "button", onclick: () => this.folder.click() }, "Folder"),
    ); // prettier-ignore
    this.title = el("b");
    this.size = el("span");
    this.thumbs = el("div.swm-thumbs");
    this.bar = el("i");
    this.progress = el("div.swm-bar", { role: "progressbar", "aria-label": "Sending" }, this.bar);
    this.error = el("p.swm-tray-error", { role: "alert" });
    this.choices = el("div.swm-tray-choices");
    this.card = el("section.swm-tray-card", { "aria-label": "Pictures" },
      el("header", {}, this.title, this.size, iconButton("plus", "Add more", () => this.files.click()),
        iconButton("close", "Remove all", () => this.tray.clear())),
      this.thumbs, this.progress, this.error, this.choices,
    ); // prettier-ignore
    host.append(this.files, this.folder, this.invitation, this.card);
    this.drop = new DropZone((found) => this.tray.add(found));
    this.#show();
  }

  /** For Python: see `Tray.chosen`. */
  chosen() {
    return this.tray.chosen();
  }

  #chooser(attributes) {
    const input = el("input", { type: "file", hidden: true, tabIndex: -1, ...attributes });
    input.onchange = () => {
      const found = filesOfList(input.files);
      input.value = ""; // so that choosing the same file again counts
      if (found.length) this.tray.add(found);
    };
    return input;
  }

  /** A hundred files report themselves in one go. */
  #later() {
    this.due ??= requestAnimationFrame(() => {
      this.due = null;
      this.#show();
    });
  }

  #show() {
    const { items, told, error, progress } = this.tray;
    const filled = items.size > 0;
    document.body.classList.toggle("swm-has-tray", filled);
    this.invitation.hidden = filled;
    this.card.hidden = !filled && !error;
    this.thumbs.hidden = !filled;
    this.title.textContent = (progress === null && told?.title) || countOf(items.size);
    this.size.textContent = filled ? sizeOf(this.tray.bytes) : "";
    this.progress.hidden = progress === null;
    this.bar.style.width = `${Math.round(100 * (progress ?? 0))}%`;
    const line = error ?? (filled && progress === null ? told?.error : null);
    this.error.hidden = !line;
    this.error.textContent = line ?? "";
    this.#showThumbs([...items.values()].sort((a, b) => isSeen(b) - isSeen(a)));
    this.#showChoices(filled && progress === null && !told?.error ? told : null);
  }

  #showThumbs(items) {
    const key = items.map(({ name }) => name).join("\n");
    if (key === this.thumbsKey) return;
    this.thumbsKey = key;
    const most = items.length > SHOWN ? SHOWN - 1 : SHOWN;
    const tiles = items.slice(0, most).map((item) => this.#tile(item));
    if (items.length > most) tiles.push(el("div.swm-thumb.swm-thumb-more", {}, `+${items.length - most}`));
    this.thumbs.classList.toggle("swm-thumbs-one", items.length === 1);
    this.thumbs.replaceChildren(...tiles);
  }

  #tile({ name, file }) {
    const tile = el("div.swm-thumb", { title: `${name}, ${sizeOf(file.size)}` }, el("em", {}, suffixOf(name)),
      iconButton("close", `Remove ${name}`, () => this.tray.remove(name))); // prettier-ignore
    thumbnailOf(file).then((canvas) => canvas && tile.firstChild.replaceWith(canvas));
    return tile;
  }

  #showChoices(told) {
    const { choices } = this.tray;
    const key = JSON.stringify([told?.kind, told?.qualities, told?.depths, choices, [...this.tray.items.keys()][0]]);
    if (key === this.choicesKey) return;
    this.choicesKey = key;
    this.choices.hidden = !told?.kind || told.kind === "splats";
    this.choices.replaceChildren();
    if (this.choices.hidden) return;
    const quality = segmented("Quality", told.qualities, (value) => this.tray.choose("quality", value));
    quality.mark(choices.quality);
    const { meaning } = told.qualities.find(({ value }) => value === choices.quality);
    this.choices.append(quality, el("p.swm-meaning", {}, meaning));
    if (told.depths.length > 1) this.choices.append(this.#depths(told.depths));
    if (told.hints) this.#hints();
  }

  #depths(depths) {
    const options = depths.map(({ value, name }) => el("option", { value, selected: value === this.tray.choices.depth }, name));
    const select = el("select", { onchange: () => this.tray.choose("depth", select.value) }, ...options);
    return el("label.swm-depth", {}, el("span", {}, "Depth"), select);
  }

  /** Only where the browser can show the picture that is drawn on. */
  async #hints() {
    const [{ file }] = this.tray.items.values();
    if (!(await thumbnailOf(file)) || this.tray.items.size !== 1 || this.tray.items.values().next().value.file !== file) return;
    const { hints } = this.tray.choices;
    const open = async () => {
      const drawn = await new HintEditor(file, this.tray.choices.hints).open();
      if (drawn !== undefined) this.tray.choose("hints", drawn);
    };
    const button = el("button.swm-hints-open", { type: "button", onclick: open }, icon("pencil"), hints ? "Hints drawn" : "Help it: draw hints on the picture");
    button.classList.toggle("swm-on", !!hints);
    this.choices.querySelector(".swm-hints-open")?.remove();
    this.choices.append(button);
  }
}

const isSeen = ({ file }) => /^(image|video)\//.test(file.type);

const countOf = (n) => (n === 1 ? "One file" : `${n.toLocaleString("en")} files`);

function sizeOf(bytes) {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
