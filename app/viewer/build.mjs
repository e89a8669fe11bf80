// Bundles src/main.js and every style sheet into OUT/viewer.js, with the licences of what it contains beside it.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as esbuild from "esbuild";

const out = process.argv[2];
if (!out) throw new Error("usage: node build.mjs OUT_FOLDER");

await esbuild.build({
  entryPoints: ["src/main.js"],
  outfile: join(out, "viewer.js"),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  loader: { ".css": "text" },
  logLevel: "warning",
});

const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const licences = Object.keys(dependencies)
  .concat("fflate") // bundled inside Spark
  .map((name) => {
    const folder = join("node_modules", name);
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    return `== ${name}\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
  });
mkdirSync(out, { recursive: true });
writeFileSync(join(out, "viewer.licenses.txt"), licences.join("\n"));
