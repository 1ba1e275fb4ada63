/**
 * Lets a program run as if other packages were installed: `node --require other-packages.cjs <program>`, with a folder for the
 * name of each replaced package, as JSON, in `PACKAGES`. An npm alias has the same effect.
 */
const Module = require("node:module");

/** @type {Record<string, string>} */
const folders = JSON.parse(process.env.PACKAGES ?? "{}");

/** @type {any} */
const loader = Module;
const original = loader._resolveFilename;
loader._resolveFilename = (/** @type {string} */ request, /** @type {unknown[]} */ ...rest) => {
  const [name] = Object.keys(folders).filter((each) => request === each || request.startsWith(`${each}/`));
  const path = name === undefined ? request : `${folders[name]}${request.slice(name.length)}`;
  return original.call(loader, path, ...rest);
};
