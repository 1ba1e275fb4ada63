import type Handlebars from "handlebars";
import { comparisons, serializers } from "./serializers";

/** Blocks that a template may use. The other helpers of Handlebars are removed. */
const BLOCKS = ["if", "unless"];

/** Compiler options of every template: unknown or missing names are errors, and Handlebars escapes nothing. */
export const COMPILE_OPTIONS = {
  strict: true,
  noEscape: true,
  knownHelpersOnly: true,
  knownHelpers: Object.fromEntries(
    [...BLOCKS, ...Object.keys({ ...serializers, ...comparisons })].map((name) => [name, true]),
  ),
};

/** Restricts a Handlebars instance to our helpers and the allowed blocks. */
export function withOurHelpers(handlebars: typeof Handlebars): typeof Handlebars {
  for (const name of Object.keys(handlebars.helpers)) if (!BLOCKS.includes(name)) handlebars.unregisterHelper(name);
  for (const [name, helper] of Object.entries({ ...serializers, ...comparisons }))
    handlebars.registerHelper(name, helper);
  return handlebars;
}
