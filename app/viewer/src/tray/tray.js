// The files a person wants a world made of: sent to Python as they come, looked at there, kept until the page closes.
const ROOT = new URL("./spatialwm/tray", document.baseURI).pathname;
const AT_ONCE = 3;

export class Tray {
  /** @param onChange called whenever anything that is shown has changed */
  constructor(onChange = () => {}) {
    this.onChange = onChange;
    this.items = new Map(); // name -> { name, file, sent, done }
    this.told = null; // what Python says they are
    this.error = null;
    this.choices = { quality: "standard", depth: "auto", hints: null };
    this.sending = null;
    addEventListener("pagehide", () => this.url && navigator.sendBeacon(`${this.url}/leave`));
    addEventListener("pageshow", ({ persisted }) => persisted && this.#forget());
  }

  get bytes() {
    return [...this.items.values()].reduce((sum, { file }) => sum + file.size, 0);
  }

  /** Share of the bytes that have arrived, or null when nothing is on its way. */
  get progress() {
    if (!this.sending) return null;
    const sent = [...this.items.values()].reduce((sum, item) => sum + Math.min(item.sent, item.file.size), 0);
    return sent / Math.max(1, this.bytes);
  }

  /** @param {{name: string, file: File}[]} found */
  add(found) {
    this.error = found.length ? null : "That holds no files; drop pictures, a video, a folder of them or a ZIP.";
    for (const { name, file } of found) this.items.set(name, { name, file, sent: 0, done: false });
    this.choices.hints = null;
    if (found.length) this.sending ??= this.#send().finally(() => ((this.sending = null), this.onChange()));
    this.onChange();
  }

  async remove(name) {
    const item = this.items.get(name);
    this.items.delete(name);
    this.choices.hints = null;
    if (!this.items.size) return this.clear();
    this.onChange();
    item?.request?.abort();
    await this.#ask(() => fetch(`${this.url}/${path(name)}`, { method: "DELETE" }));
  }

  clear() {
    for (const { request } of this.items.values()) request?.abort();
    if (this.url) fetch(`${this.url}/leave`, { method: "POST" });
    this.error = null;
    this.#forget();
  }

  choose(name, value) {
    this.choices[name] = value;
    this.onChange();
  }

  /** For Python, once everything has arrived: the choices; null when there is nothing here. */
  async chosen() {
    await this.sending;
    if (!this.items.size || !this.url) return null;
    return { tray: this.url.split("/").at(-1), ...this.choices };
  }

  #forget() {
    this.items.clear();
    this.told = this.url = null;
    this.choices.hints = null;
    this.onChange();
  }

  async #send() {
    try {
      if (!this.url) {
        const reply = await fetch(ROOT, { method: "POST" });
        if (!reply.ok) throw new Error("The studio's server did not take the files.");
        this.url = `${ROOT}/${(await reply.json()).tray}`;
      }
      const next = () => [...this.items.values()].find((item) => !item.done && !item.request);
      const lane = async () => {
        for (let item = next(); item; item = next()) await this.#put(item);
      };
      while (next()) await Promise.all(Array.from({ length: AT_ONCE }, lane));
    } catch (error) {
      this.error = error.message;
    }
    if (this.items.size) await this.#ask(() => fetch(this.url));
  }

  #put(item) {
    const url = `${this.url}/${path(item.name)}`;
    return new Promise((resolve) => {
      const request = (item.request = new XMLHttpRequest());
      const fail = (text) => {
        if (this.items.get(item.name) === item) this.items.delete(item.name);
        this.error = text;
        resolve();
      };
      request.upload.onprogress = ({ loaded }) => {
        item.sent = loaded;
        this.onChange();
      };
      request.onload = () => {
        if (request.status >= 400) return fail(sentence(request.responseText) ?? `${item.name} was not taken (${request.status}).`);
        item.sent = item.file.size;
        item.done = true;
        resolve();
      };
      request.onerror = () => fail(`${item.name} did not arrive; is the studio still running?`);
      request.onabort = () => resolve();
      request.open("PUT", url);
      request.send(item.file);
    });
  }

  async #ask(request) {
    const { url } = this;
    try {
      const reply = await request();
      if (reply.ok && url === this.url) this.told = await reply.json();
    } catch {
      this.error = "The studio's server is not answering.";
    }
    this.onChange();
  }
}

const path = (name) => name.split("/").map(encodeURIComponent).join("/");

function sentence(text) {
  try {
    return JSON.parse(text).error;
  } catch {
    return null;
  }
}
