import type Handlebars from "handlebars";
import { comparisons, serializers } from "./serializers";

/** The blocks that a template may use. Everything else that Handlebars brings is taken away. */
const BLOCKS = ["if", "unless"];

/** How every template is compiled: what is unknown or missing is an error, and nothing is escaped behind our back. */
export const COMPILE_OPTIONS = {
  strict: true,
  noEscape: true,
  knownHelpersOnly: true,
  knownHelpers: Object.fromEntries(
    [...BLOCKS, ...Object.keys({ ...serializers, ...comparisons })].map((name) => [name, true]),
  ),
};

/** Leaves an instance of Handlebars with our helpers and the blocks alone. */
export function withOurHelpers(handlebars: typeof Handlebars): typeof Handlebars {
  for (const name of Object.keys(handlebars.helpers)) if (!BLOCKS.includes(name)) handlebars.unregisterHelper(name);
  for (const [name, helper] of Object.entries({ ...serializers, ...comparisons }))
    handlebars.registerHelper(name, helper);
  return handlebars;
}
