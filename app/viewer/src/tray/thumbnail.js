// A small picture of a file, where the browser can draw one.
import { el } from "../hud/dom.js";

const WIDTH_PX = 480;
const VIDEO_WAIT_MS = 4000;
const known = new WeakMap(); // File -> Promise<HTMLCanvasElement | null>

/** @returns {Promise<HTMLCanvasElement | null>} */
export function thumbnailOf(file) {
  if (!known.has(file)) known.set(file, draw(file).catch(() => null));
  return known.get(file);
}

/** What a file without a picture is shown by. */
export const suffixOf = (name) => (/\.([^./]{1,7})$/.exec(name)?.[1] ?? "file").toLowerCase();

async function draw(file) {
  if (/^image\//.test(file.type)) {
    // Decoded small: a hundred photos of a phone would take gigabytes.
    const bitmap = await createImageBitmap(file, { resizeWidth: WIDTH_PX, resizeQuality: "medium" });
    return paint(bitmap, bitmap.width, bitmap.height);
  }
  return /^video\//.test(file.type) ? frame(file) : null;
}

async function frame(file) {
  const url = URL.createObjectURL(file);
  const video = el("video", { muted: true, preload: "auto", src: url });
  try {
    await new Promise((resolve, reject) => {
      video.onloadeddata = resolve;
      video.onerror = reject;
      setTimeout(reject, VIDEO_WAIT_MS);
    });
    return paint(video, video.videoWidth, video.videoHeight);
  } finally {
    URL.revokeObjectURL(url);
  }
}

function paint(source, width, height) {
  const canvas = el("canvas", { width: Math.min(WIDTH_PX, width), height: Math.round((height * Math.min(WIDTH_PX, width)) / width) });
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}
