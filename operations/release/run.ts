import { badUsage, UserError } from "../../contract/user-error";
import { runAdmin } from "./admin";
import type { ReleaseContext } from "./context";
import { chooseService, servicesOf } from "./services";
import { familyAndRevision } from "./task";

export interface RunOptions {
  /** Service or job; may be left out where there is one. */
  readonly service: string | undefined;
  /** Command instead of the task definition's own; required unless the service is a job. */
  readonly command: readonly string[];
}

/** Runs a job now, or a command as a one-off task of the running release, with the role and config of the service. */
export async function runOnce(context: ReleaseContext, { service, command }: RunOptions): Promise<number> {
  const { cloud, place, print } = context;
  const [name, process] = chooseService(await servicesOf(context), service);
  if (process.kind !== "job" && command.length === 0) {
    throw badUsage(
      [`${name} is a ${process.kind}, which runs already: only a job can be started without a command`],
      `antifragile run ${place.environment} ${name} -- <command> runs a command in a task of its own.`,
    );
  }
  const task = await cloud.running(process);
  if (process.bootstrap && task === familyAndRevision(process.task)) {
    throw new UserError(
      `${name} has no release yet: antifragile release ${place.environment} --image <uri@sha256:...>`,
      1,
    );
  }
  print(`${command.length === 0 ? name : `${command.join(" ")} of ${name}`}, as ${task}\n`);
  // The role and the variables of admin processes may change a schema: a task that the service could run gets neither.
  const own = { ...process, adminRole: undefined, adminEnvironment: undefined };
  return await runAdmin(context, { process: own, task, command });
}
