import Handlebars from "handlebars";
import { COMPILE_OPTIONS, withOurHelpers } from "./template-rules";

type CompileOptions = NonNullable<Parameters<typeof Handlebars.compile>[1]>;

const handlebars = withOurHelpers(Handlebars.create());

/** Where templates are, below the package. In the built executable those that are compiled already are not there. */
export const TEMPLATES = { folder: "templates", compiled: false };

/** By source: tests render the same templates thousands of times. */
const compiled = new Map<string, (context: object) => string>();

/**
 * Makes a function of a template. In the built executable another module stands here, which holds the functions already
 * (scripts/precompile-templates.ts): to compile takes as long as all the rest of a run.
 */
export function compileTemplate(_path: string, source: string): (context: object) => string {
  const template = compiled.get(source) ?? handlebars.compile(source, COMPILE_OPTIONS as CompileOptions);
  compiled.set(source, template);
  return template;
}
