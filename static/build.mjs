// Bundles the pages' modules and styles into static/dist. `node static/build.mjs [--watch]`
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { build, context } from "esbuild";

const options = {
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
  outdir: "static/dist",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  sourcemap: false,
  chunkNames: "part-[hash]",
  logLevel: "warning",
  legalComments: "none",
};

if (process.argv.includes("--watch")) {
  await (await context(options)).watch();
} else {
  await rm(options.outdir, { recursive: true, force: true }); // chunks of earlier builds
  await build(options);
  // WhiteNoise sends these to whoever takes gzip.
  for (const name of await readdir(options.outdir)) {
    const file = `${options.outdir}/${name}`;
    await writeFile(`${file}.gz`, gzipSync(await readFile(file), { level: 9 }));
  }
}
