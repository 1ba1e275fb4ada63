/** Merges JSON files by meaning: key by key, versions of dependencies by their order. Pure. */

type Json = unknown;
type JsonObject = Readonly<Record<string, Json>>;

/** Merged text, and the keys that both sides changed: the user's value stays. */
export interface JsonMerge {
  readonly text: string;
  readonly conflicts: readonly string[];
}

const isObject = (value: Json): value is JsonObject =>
  value !== null && typeof value === "object" && !Array.isArray(value);

const equal = (left: Json, right: Json): boolean => JSON.stringify(left) === JSON.stringify(right);

const SECTIONS = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"];

/** Parts of a version such as `^1.2.3`, or undefined for a tag, a range or a file. */
const partsOf = (version: Json): readonly number[] | undefined =>
  typeof version === "string" && /^[~^]?\d+\.\d+\.\d+$/.test(version)
    ? version.replace(/^[~^]/, "").split(".").map(Number)
    : undefined;

/** Compares two versions: negative if the first is older, undefined if one is not a plain version. */
export function compareVersions(first: Json, second: Json): number | undefined {
  const [left, right] = [partsOf(first), partsOf(second)];
  if (left === undefined || right === undefined) return undefined;
  return left.map((part, index) => part - right[index]!).find((difference) => difference !== 0) ?? 0;
}

function mergeValue(base: Json, ours: Json, theirs: Json, path: readonly string[], conflicts: string[]): Json {
  if (equal(ours, base)) return theirs;
  if (equal(theirs, base) || equal(theirs, ours)) return ours;
  // A key that one side removed: the user's removal stays, and so does what the user changed.
  if (theirs === undefined || ours === undefined) return theirs;
  if (isObject(ours) && isObject(theirs)) return mergeObject(isObject(base) ? base : {}, ours, theirs, path, conflicts);
  const [section = "", name] = path;
  if (path.length === 2 && SECTIONS.includes(section)) {
    // The package itself is what the upgrade replaces.
    if (name === "antifragile") return ours;
    const order = compareVersions(theirs, ours);
    if (order !== undefined) return order < 0 ? ours : theirs;
  }
  conflicts.push(
    `${path.join(".")}: yours stays, ${JSON.stringify(theirs)}; the new version has ${JSON.stringify(ours)}`,
  );
  return theirs;
}

function mergeObject(
  base: JsonObject,
  ours: JsonObject,
  theirs: JsonObject,
  path: readonly string[],
  conflicts: string[],
): JsonObject {
  const merged: [string, Json][] = [];
  const mergedValue = (key: string): Json => {
    const [b, o, t] = [base, ours, theirs].map((from) => (Object.hasOwn(from, key) ? from[key] : undefined));
    return mergeValue(b, o, t, [...path, key], conflicts);
  };
  for (const key of Object.keys(theirs)) {
    const value = mergedValue(key);
    if (value !== undefined) merged.push([key, value]);
  }
  let after = -1;
  for (const key of Object.keys(ours)) {
    const at = merged.findIndex(([name]) => name === key);
    const value = at >= 0 || Object.hasOwn(theirs, key) ? undefined : mergedValue(key);
    if (at >= 0) after = at;
    else if (value !== undefined) merged.splice(++after, 0, [key, value]);
  }
  return Object.fromEntries(merged);
}

/** Manifest in which dependencies are in the section that the user moved them to. */
function withMoves(manifest: JsonObject, base: JsonObject, theirs: JsonObject): JsonObject {
  const has = (from: JsonObject, section: string, name: string): boolean =>
    isObject(from[section]) && Object.hasOwn(from[section], name);
  const sections: Record<string, Record<string, Json>> = {};
  for (const section of SECTIONS) if (isObject(manifest[section])) sections[section] = { ...manifest[section] };
  for (const [section, dependencies] of Object.entries(sections)) {
    for (const [name, version] of Object.entries(dependencies)) {
      const to = SECTIONS.find((other) => has(theirs, other, name));
      if (to === undefined || !has(base, section, name) || has(theirs, section, name)) continue;
      delete dependencies[name];
      sections[to] = { ...sections[to], [name]: version };
    }
  }
  return { ...manifest, ...sections };
}

/** Merges three versions of a JSON file, or returns undefined if one is not a JSON object. Keeps the user's order and indent. */
export function mergeJson(base: string, ours: string, theirs: string): JsonMerge | undefined {
  let values: Json[];
  try {
    values = [base, ours, theirs].map((text) => JSON.parse(text));
  } catch {
    return undefined;
  }
  const [b, o, t] = values;
  if (!isObject(b) || !isObject(o) || !isObject(t)) return undefined;
  const conflicts: string[] = [];
  const merged = mergeObject(withMoves(b, b, t), withMoves(o, b, t), t, [], conflicts);
  if (equal(merged, t)) return { text: theirs, conflicts };
  const indent = /^[\t ]+(?=")/m.exec(theirs)?.[0] ?? 2;
  return { text: `${JSON.stringify(merged, null, indent)}${theirs.endsWith("\n") ? "\n" : ""}`, conflicts };
}
