import Handlebars from "handlebars";
import { COMPILE_OPTIONS, withOurHelpers } from "./template-rules";

type CompileOptions = NonNullable<Parameters<typeof Handlebars.compile>[1]>;

const handlebars = withOurHelpers(Handlebars.create());

/** Folder of the templates in the package. The built executable contains the compiled templates and omits their sources. */
export const TEMPLATES = { folder: "templates", compiled: false };

/** Cache by source: tests render the same templates thousands of times. */
const compiled = new Map<string, (context: object) => string>();

/**
 * Compiles a template. The build replaces this module with the compiled functions (scripts/precompile-templates.ts), because
 * compiling takes as long as the rest of a run.
 */
export function compileTemplate(_path: string, source: string): (context: object) => string {
  const template = compiled.get(source) ?? handlebars.compile(source, COMPILE_OPTIONS as CompileOptions);
  compiled.set(source, template);
  return template;
}
