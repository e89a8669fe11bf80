// The scene as Python last described it: one SplatMesh per object, fetched by content and never changed here for good.
import { SplatMesh } from "@sparkjsdev/spark";
import { Box3, Group, Vector3 } from "three";
import { setPose, toThree } from "./frames.js";

const PARALLEL = 4;
// Spark keeps centres as half floats: beyond this distance from the object's origin they would be a centimetre off.
const HALF_FLOAT_REACH_M = 10;

const INVENTED = "#ff7ad9"; // no place looks like that

export class World {
  constructor() {
    this.root = new Group();
    this.objects = new Map(); // id -> { ...description, mesh }
    this.generation = 0;
    this.marked = false;
  }

  /** Make the view agree with a scene message; resolves when every object is there. Later calls overtake earlier ones. */
  async sync(message, base, onProgress = () => {}) {
    const generation = ++this.generation;
    const wanted = new Map(message.objects.map((o) => [o.id, o]));
    for (const [id, entry] of this.objects)
      if (!wanted.has(id)) {
        this.#drop(entry.mesh);
        this.objects.delete(id);
      }
    const missing = [];
    for (const o of message.objects) {
      const entry = this.objects.get(o.id);
      const mesh = entry?.mesh ?? null;
      const next = { ...o, mesh, shown: entry?.shown };
      this.objects.set(o.id, next);
      if (mesh) setPose(mesh, o.pose);
      if (o.content && entry?.shown !== o.content) missing.push(o);
    }
    // Structure first: a room with things still arriving reads better than things in a void.
    missing.sort((a, b) => (a.role === "object") - (b.role === "object"));
    let done = 0;
    const queue = missing.slice();
    const worker = async () => {
      for (let o = queue.shift(); o; o = queue.shift()) {
        const mesh = await this.#load(o, base);
        if (generation !== this.generation) return mesh.dispose();
        this.#show(o, mesh);
        onProgress(++done, missing.length);
      }
    };
    onProgress(0, missing.length);
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    return generation === this.generation;
  }

  get(id) {
    return this.objects.get(id);
  }

  clear() {
    this.generation++;
    for (const { mesh } of this.objects.values()) this.#drop(mesh);
    this.objects.clear();
  }

  /** Show an object elsewhere for now: while it is dragged, or in a predicted future. */
  preview(id, pose) {
    const mesh = this.objects.get(id)?.mesh;
    if (mesh) setPose(mesh, pose);
  }

  /** Put one object back where the scene has it. */
  restore(id) {
    const entry = this.objects.get(id);
    if (entry?.mesh) setPose(entry.mesh, entry.pose);
  }

  /** Ids of what stands on an object, directly or through others. */
  riders(id) {
    const found = [id];
    for (const base of found) for (const o of this.objects.values()) if (o.supported_by === base && !found.includes(o.id)) found.push(o.id);
    return found.slice(1);
  }

  /** The object under a ray (three.js frame), or null for structure, captured places and empty space. */
  pick(raycaster) {
    const box = new Box3();
    const point = new Vector3();
    const near = [...this.objects.values()].filter((o) => o.mesh && o.role !== "backdrop" && raycaster.ray.intersectBox(boundsOf(o, box), point));
    const hits = raycaster.intersectObjects(near.map((o) => o.mesh), false);
    hits.sort((a, b) => a.distance - b.distance);
    if (!hits.length) return null;
    const hit = near.find((o) => o.mesh === hits[0].object);
    return hit.role === "object" && !hit.place ? { id: hit.id, point: hits[0].point } : null;
  }

  /** Where a ray (three.js frame) meets anything solid, structure included; null in empty space. */
  probe(raycaster) {
    const meshes = [...this.objects.values()].filter((o) => o.mesh && o.role !== "backdrop").map((o) => o.mesh);
    const hits = raycaster.intersectObjects(meshes, false);
    return hits.length ? hits.reduce((a, b) => (b.distance < a.distance ? b : a)).point : null;
  }

  /** Tint what no picture showed. */
  mark(marked) {
    this.marked = marked;
    for (const o of this.objects.values()) this.#tint(o);
  }

  #tint({ mesh, provenance }) {
    if (!mesh) return;
    mesh.recolor.set(this.marked && provenance === "invented" ? INVENTED : "#ffffff");
    mesh.updateVersion();
  }

  async #load(o, base) {
    const response = await fetch(`${base}/gaussians/${o.content}.spz`);
    if (!response.ok) throw new Error(`${o.name} could not be loaded (${response.status}).`);
    const fileBytes = new Uint8Array(await response.arrayBuffer());
    const far = Math.max(...o.extent.flat().map(Math.abs)) > HALF_FLOAT_REACH_M;
    const mesh = new SplatMesh({ fileBytes, fileName: "object.spz", extSplats: far });
    await mesh.initialized;
    return mesh;
  }

  #show(o, mesh) {
    const entry = this.objects.get(o.id);
    this.#drop(entry.mesh);
    setPose(mesh, entry.pose);
    this.root.add(mesh);
    Object.assign(entry, { mesh, shown: o.content });
    if (this.marked) this.#tint(entry);
  }

  #drop(mesh) {
    if (!mesh) return;
    mesh.removeFromParent();
    mesh.dispose();
  }
}

/** World bounds of a description as a three.js box. */
export function boundsOf({ bounds: [low, high] }, out = new Box3()) {
  return out.makeEmpty().expandByPoint(toThree(low)).expandByPoint(toThree(high));
}
