// The two frames: the world (+Z up, right-handed, metres, quaternions wxyz) and three.js (+Y up, quaternions xyzw).
// Everything outside this file says which one it holds; SPZ files hold object frames in the three.js convention already.
import { Quaternion, Vector3 } from "three";

export const toThree = ([x, y, z], out = new Vector3()) => out.set(x, z, -y);
export const toWorld = ({ x, y, z }) => [x, -z, y];
export const quatToThree = ([w, x, y, z], out = new Quaternion()) => out.set(x, z, -y, w);
export const quatToWorld = ({ x, y, z, w }) => [w, x, -z, y];

/** Put an Object3D at a world pose [x, y, z, qw, qx, qy, qz, scale]. */
export function setPose(object, pose) {
  toThree(pose, object.position);
  quatToThree(pose.slice(3, 7), object.quaternion);
  object.scale.setScalar(pose[7] ?? 1);
}
