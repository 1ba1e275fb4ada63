import type { Problems } from "../core/errors";
import { NAME_PATTERN, NAME_RULE } from "../core/names";

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
  const prop = `admin(${JSON.stringify(name)})`;
  problems.check(NAME_PATTERN.test(name), "ADMIN_NAME", prop, "is no name for an admin process", `Use ${NAME_RULE}.`);
  problems.check(!known.has(name), "ADMIN_TWICE", prop, "is there already", "Give the second its own name.");
  problems.check(
    command.length > 0 && command.every((word) => word !== ""),
    "ADMIN_COMMAND",
    prop,
    `has ${JSON.stringify(command)}, which is no command`,
    'Use its words: ["node", "dist/admin/seed.js"].',
  );
  const bytes = Buffer.byteLength(JSON.stringify([...known, [name, command]]));
  problems.check(
    bytes <= ADMIN_BYTES,
    "ADMIN_SIZE",
    prop,
    `makes ${bytes} bytes of commands with the others, and ${ADMIN_BYTES} can be told to a release`,
    "Put the long ones into files of the image.",
  );
}
