// Files may be dropped anywhere on the page; while they hover, the world view says so.
import { el, icon } from "../hud/dom.js";
import { filesOfList, filesOfTransfer } from "./dropped.js";

export class DropZone {
  /** @param onFiles called with `{ name, file }[]` */
  constructor(onFiles) {
    this.onFiles = onFiles;
    this.card = el("div.swm-drop-card", {}, icon("picture"), el("b", {}, "Drop to make a world of it"),
      el("span", {}, "A picture, a panorama, photos or a video of one place, a posed capture, or splats")); // prettier-ignore
    this.veil = el("div.swm-drop-veil", { hidden: true }, this.card);
    document.body.append(this.veil);
    const options = { capture: true }; // Gradio's text boxes would take the files for themselves
    document.addEventListener("dragenter", (event) => this.#hover(event), options);
    document.addEventListener("dragover", (event) => this.#hover(event), options);
    document.addEventListener("dragleave", (event) => event.relatedTarget === null && this.#show(false), options);
    document.addEventListener("drop", (event) => this.#drop(event), options);
    document.addEventListener("paste", (event) => this.#paste(event), options);
  }

  #hover(event) {
    if (!carriesFiles(event.dataTransfer)) return;
    event.preventDefault();
    event.stopPropagation();
    event.dataTransfer.dropEffect = "copy";
    this.#show(true);
  }

  async #drop(event) {
    if (!carriesFiles(event.dataTransfer)) return;
    event.preventDefault();
    event.stopPropagation();
    this.#show(false);
    this.onFiles(await filesOfTransfer(event.dataTransfer));
  }

  #paste(event) {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    event.stopPropagation();
    this.onFiles(filesOfList(event.clipboardData.files));
  }

  /** Over the world view, which is where the eye is; the whole page takes the drop. */
  #show(hovering) {
    const host = document.querySelector(".swm-host");
    if (hovering && host && this.veil.parentElement !== host) host.append(this.veil);
    this.veil.hidden = !hovering;
  }
}

const carriesFiles = (transfer) => !!transfer && [...transfer.types].includes("Files");
