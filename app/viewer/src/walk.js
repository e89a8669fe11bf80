// A person on foot: gravity, walls, steps, and a way back from a fall. World frame; knows nothing of three.js.
export const EYE_M = 1.65;
const RADIUS_M = 0.25;
const STEP_UP_M = 0.35;
const HEAD_M = 1.75;
const GRAVITY = 9.81;
const JUMP_M_S = 3.4;
const KILL_DEPTH_M = 4;

export class Walker {
  constructor() {
    this.feet = [0, 0, 0];
    this.fall = 0;
    this.grounded = false;
    this.home = [0, 0, 0];
  }

  /** Stand as near to a point as there is free ground, and come back here after a fall. */
  place(collider, [x, y, z]) {
    this.feet = this.home = standNear(collider, x, y, z) ?? [x, y, z - EYE_M];
    this.fall = 0;
  }

  get eye() {
    return [this.feet[0], this.feet[1], this.feet[2] + EYE_M];
  }

  /** Advance by dt; `move` is the wished velocity in the floor plane. */
  step(collider, move, jump, dt) {
    const [dx, dy] = [move[0] * dt, move[1] * dt];
    // Half a voxel at a time, so that a slow frame cannot tunnel through a wall.
    const count = Math.max(1, Math.ceil(Math.hypot(dx, dy) / (collider.voxel * 0.5)));
    for (let i = 0; i < count; i++) {
      this.#shift(collider, dx / count, 0);
      this.#shift(collider, 0, dy / count);
    }
    if (jump && this.grounded) this.fall = JUMP_M_S;
    this.fall -= GRAVITY * dt;
    const ground = collider.ground(this.feet[0], this.feet[1], this.feet[2] + STEP_UP_M, RADIUS_M * 0.8);
    const next = this.feet[2] + this.fall * dt;
    this.grounded = next <= ground;
    this.feet = [this.feet[0], this.feet[1], this.grounded ? ground : next];
    if (this.grounded) this.fall = 0;
    if (this.feet[2] < collider.origin[2] - KILL_DEPTH_M) {
      this.feet = [...this.home];
      this.fall = 0;
    }
  }

  #shift(collider, dx, dy) {
    const [x, y, z] = this.feet;
    // Someone who is stuck already (an object was moved onto them) may walk out.
    const free = !collider.blocked(x + dx, y + dy, z + STEP_UP_M, z + HEAD_M, RADIUS_M);
    if (free || collider.blocked(x, y, z + STEP_UP_M, z + HEAD_M, RADIUS_M * 0.8)) this.feet = [x + dx, y + dy, z];
  }
}

/** Free ground nearest to a point: where a person with their eyes there would stand, rather than up on the furniture. */
function standNear(collider, x, y, z) {
  let perch = null;
  for (let ring = 0; ring <= 24; ring++) {
    const radius = ring * 0.3;
    const spots = Math.max(1, ring * 6);
    for (let s = 0; s < spots; s++) {
      const angle = (2 * Math.PI * s) / spots;
      const [px, py] = [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
      const ground = collider.ground(px, py, z, RADIUS_M);
      if (!Number.isFinite(ground) || collider.blocked(px, py, ground + STEP_UP_M, ground + HEAD_M, RADIUS_M)) continue;
      if (ground <= z - EYE_M + STEP_UP_M) return [px, py, ground];
      perch ??= [px, py, ground];
    }
  }
  return perch;
}
