// What is selected, drawn as corner brackets around the object's own box.
import { BufferGeometry, Color, Float32BufferAttribute, LineBasicMaterial, LineSegments } from "three";
import { toThree } from "./frames.js";

const CORNER = 0.22; // share of each edge that a bracket covers
const MARGIN_M = 0.015;

export class SelectionBox {
  constructor() {
    // Drawn over the splats, which have no depth a line could be tested against.
    const material = new LineBasicMaterial({ color: new Color("#ffc46b"), depthTest: false, transparent: true });
    this.lines = new LineSegments(new BufferGeometry(), material);
    this.lines.renderOrder = 999;
    this.lines.matrixAutoUpdate = false;
    this.lines.frustumCulled = false;
    this.lines.visible = false;
  }

  show(entry) {
    this.entry = entry?.mesh ? entry : null;
    this.lines.visible = !!this.entry;
    if (!this.entry) return;
    this.lines.geometry.dispose();
    this.lines.geometry = bracketGeometry(this.entry.extent);
    this.follow();
  }

  /** Keep to the mesh while it is dragged or played. */
  follow() {
    if (!this.entry) return;
    this.entry.mesh.updateMatrixWorld();
    this.lines.matrix.copy(this.entry.mesh.matrixWorld);
    this.lines.matrixWorldNeedsUpdate = true;
  }
}

function bracketGeometry([low, high]) {
  const corners = [low.map((v) => v - MARGIN_M), high.map((v) => v + MARGIN_M)];
  const points = [];
  for (let c = 0; c < 8; c++) {
    const corner = [0, 1, 2].map((axis) => corners[(c >> axis) & 1][axis]);
    for (let axis = 0; axis < 3; axis++) {
      const end = [...corner];
      end[axis] += CORNER * (corners[1 - ((c >> axis) & 1)][axis] - corner[axis]);
      points.push(...toThree(corner), ...toThree(end));
    }
  }
  return new BufferGeometry().setAttribute("position", new Float32BufferAttribute(points, 3));
}
