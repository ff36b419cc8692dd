// Bundles the pages' modules and styles into static/dist. `node static/build.mjs [--watch]`
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { build, context } from "esbuild";

const common = {
  outdir: "static/dist",
  bundle: true,
  target: "es2022",
  minify: true,
  sourcemap: false,
  logLevel: "warning",
  legalComments: "none",
};

const pages = {
  ...common,
  entryPoints: {
    base: "static/src/base.js",
    list: "static/src/list.js",
    pod: "static/src/pod.js",
    space: "static/src/space.js",
    editor: "static/src/editor.js",
    graph: "static/src/graph.js",
    terminal: "static/src/terminal.js",
    clock: "static/src/clock_page.js",
    style: "static/src/style.css",
  },
  splitting: true,
  format: "esm",
  chunkNames: "part-[hash]",
};

// Goes into a file as it is: one piece, in ASCII.
const viewer = {
  ...common,
  entryPoints: { viewer: "static/src/viewer.js", "viewer-style": "static/src/viewer.css" },
  format: "iife",
  charset: "ascii",
};

if (process.argv.includes("--watch")) {
  for (const options of [pages, viewer]) await (await context(options)).watch();
} else {
  await rm(common.outdir, { recursive: true, force: true }); // chunks of earlier builds
  for (const options of [pages, viewer]) await build(options);
  // WhiteNoise sends these to whoever takes gzip.
  for (const name of await readdir(common.outdir)) {
    const file = `${common.outdir}/${name}`;
    await writeFile(`${file}.gz`, gzipSync(await readFile(file), { level: 9 }));
  }
}
