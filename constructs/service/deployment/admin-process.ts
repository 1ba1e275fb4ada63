import type { Problems } from "../../core/errors";
import { NAME_PATTERN, NAME_RULE } from "../../core/names";

/** All commands of a service together; they stand in a parameter of 4 KB, with what else a release needs. */
const ADMIN_BYTES = 2000;

/** Commands of a service's admin processes, by name. */
export type AdminCommands = ReadonlyMap<string, readonly string[]>;

/** Notes ADMIN_NAME, ADMIN_TWICE, ADMIN_COMMAND, ADMIN_SIZE. */
export function checkAdmin(
  problems: Problems,
  known: AdminCommands,
  { name, command }: { readonly name: string; readonly command: readonly string[] },
): void {
  const prop = `addAdminProcess(${JSON.stringify(name)})`;
  problems.check(NAME_PATTERN.test(name), {
    code: "ADMIN_NAME",
    prop,
    problem: "is no name for an admin process",
    remedy: `Use ${NAME_RULE}.`,
  });
  problems.check(!known.has(name), {
    code: "ADMIN_TWICE",
    prop,
    problem: "is there already",
    remedy: "Give the second its own name.",
  });
  problems.check(command.length > 0 && command.every((word) => word !== ""), {
    code: "ADMIN_COMMAND",
    prop,
    problem: `has ${JSON.stringify(command)}, which is no command`,
    remedy: 'Use its words: ["node", "dist/admin/seed.js"].',
  });
  const bytes = Buffer.byteLength(JSON.stringify([...known, [name, command]]));
  problems.check(bytes <= ADMIN_BYTES, {
    code: "ADMIN_SIZE",
    prop,
    problem: `makes ${bytes} bytes of commands with the others, and ${ADMIN_BYTES} can be told to a release`,
    remedy: "Put the long ones into files of the image.",
  });
}
