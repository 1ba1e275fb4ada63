import type { Construct } from "constructs";
import { Problems } from "../../core/errors";
import { literal } from "../../core/literal";
import { NAME_PATTERN, NAME_RULE } from "../../core/names";

/**
 * Size limit of all admin commands of a service: the SSM parameter that holds them, together with the rest of a template, is
 * limited to 4 KB.
 */
const ADMIN_BYTES = 2000;

/** Admin processes of a service, by name. */
export class AdminProcesses {
  readonly #scope: Construct;
  readonly #commands = new Map<string, readonly string[]>();

  constructor(scope: Construct) {
    this.#scope = scope;
  }

  /** Commands by name. */
  get commands(): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries(this.#commands);
  }

  /** @throws InvalidPropsError ADMIN_NAME, ADMIN_TWICE, ADMIN_COMMAND, ADMIN_SIZE */
  add(name: string, command: readonly string[]): void {
    const problems = new Problems(this.#scope);
    const prop = `addAdminProcess(${JSON.stringify(name)})`;
    problems.check(NAME_PATTERN.test(name), {
      code: "ADMIN_NAME",
      prop,
      problem: "must have a valid name",
      remedy: `Use ${NAME_RULE}.`,
    });
    problems.check(!this.#commands.has(name), {
      code: "ADMIN_TWICE",
      prop,
      problem: "is already defined",
      remedy: "Use another name.",
    });
    problems.check(command.length > 0 && !command.includes(""), {
      code: "ADMIN_COMMAND",
      prop,
      problem: `must have a command as a list of words, got ${JSON.stringify(command)}`,
      remedy: 'Use a command such as ["node", "dist/admin/seed.js"].',
    });
    const bytes = Buffer.byteLength(JSON.stringify([...this.#commands, [name, command]]));
    problems.check(bytes <= ADMIN_BYTES, {
      code: "ADMIN_SIZE",
      prop,
      problem: `must keep all admin commands within ${ADMIN_BYTES} bytes, got ${bytes}`,
      remedy: "Move long commands into scripts in the image.",
    });
    problems.throwIfAny();
    this.#commands.set(name, command.map(literal));
  }
}
