// The socket to Python: commands with replies, and events that arrive on their own. Reconnects by itself.
const RETRY_MS = [300, 800, 2000, 5000];

export class Channel {
  constructor(base, { onEvent, onStatus }) {
    this.url = new URL(`${base}/socket`, location.href);
    this.url.protocol = this.url.protocol.replace("http", "ws");
    this.onEvent = onEvent;
    this.onStatus = onStatus;
    this.waiting = new Map();
    this.lastId = 0;
    this.failures = 0;
    this.#open();
  }

  /** Send a command; resolves with its reply, rejects with the plain sentence of what went wrong. */
  command(op, fields = {}) {
    return new Promise((resolve, reject) => {
      if (this.socket.readyState !== WebSocket.OPEN) return reject(new Error("The studio's server is not answering."));
      const id = ++this.lastId;
      this.waiting.set(id, { resolve, reject });
      this.socket.send(JSON.stringify({ id, op, ...fields }));
    });
  }

  close() {
    this.closed = true;
    this.socket.close();
  }

  #open() {
    this.socket = new WebSocket(this.url);
    this.socket.onopen = () => {
      this.failures = 0;
      this.onStatus(true);
    };
    this.socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    this.socket.onclose = () => {
      for (const { reject } of this.waiting.values()) reject(new Error("The studio's server went away."));
      this.waiting.clear();
      if (this.closed) return;
      this.onStatus(false);
      setTimeout(() => this.#open(), RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)]);
    };
  }

  #receive(message) {
    if (message.event !== "reply") return this.onEvent(message);
    const waiting = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.error) waiting?.reject(new Error(message.error));
    else waiting?.resolve(message);
  }
}
