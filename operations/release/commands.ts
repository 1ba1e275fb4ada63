import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type CommandContext, type CommandLine, defineCommand, type FlagTable } from "../../contract/command-line";
import { type Interruption, listenForInterruption } from "../../contract/interruption";
import { quoted } from "../../contract/text";
import { badUsage, UserError } from "../../contract/user-error";
import { awsErrorForUser } from "../aws-sdk";
import { admin } from "./admin";
import { AwsCloud } from "./aws";
import { Interrupted, type ReleaseContext } from "./context";
import { detach, reportBegun } from "./detach";
import { exec, isConnected } from "./exec";
import { type FoundStack, findStacks } from "./find";
import { keepImage } from "./keep-image";
import { ageOf, logs } from "./logs";
import { migrateWith, release, rollback } from "./release";
import { releases } from "./releases";
import { runOnce } from "./run";
import { show } from "./show";

export const PLACE = {
  stack: { value: "NAME", help: "one of several stacks of the repository in this environment" },
  platform: { value: "NAME", help: "with --stack and --region: needs no repository" },
  region: { value: "REGION", help: "with --stack and --platform" },
} as const;
const UNLOCK = { unlock: { help: "remove the lock of a release that died" } } as const;
const SERVICE = {
  service: { value: "NAME", help: "the service, where several have an admin process of this name" },
} as const;

/** Listens for an interruption of a command in a stack. */
type Listen = (stack: FoundStack, print: CommandContext["print"]) => Interruption;

/** Context of a command over the releases of one environment. */
export interface ReleaseCommandContext extends CommandContext {
  /** @default - AWS, and this process */
  readonly contextOf?: (
    stack: FoundStack,
    print: CommandContext["print"],
    listen?: Listen,
  ) => ReleaseContext & { readonly done?: () => void };
  /** Keeps an image from expiring before it is released. @default - by a tag in ECR */
  readonly keep?: (image: string) => Promise<void>;
}

/** The command `antifragile release`. */
export const runRelease = defineCommand(
  {
    name: "release",
    operands: ["<environment>"],
    description:
      "Makes an image live with the config that is applied: migrates with it, moves workers, then web services, then schedules. A step that fails rolls all of them back, unless --no-rollback is given. Without --image the images that are live get the current config; where nothing is new, nothing is done. Several stacks are released one after the other, each with its own images.",
    flags: {
      image: { value: "URI", multiple: true, help: "REGISTRY/NAME@sha256:..., once for each repository" },
      "image-file": { value: "FILE", help: "the same, from a file with a URI on each line" },
      ...UNLOCK,
      "no-rollback": { help: "leave everything as it is when a step fails or is interrupted, to look at it" },
      detach: {
        help: "return once the release has begun; it continues in the background on this machine, without the terminal",
      },
      ...PLACE,
    },
  },
  (line, context: ReleaseCommandContext) => {
    if (line.has("detach")) {
      return detach(["release", ...context.args.filter((word) => word !== "--detach")], context.print);
    }
    const used = new Set<string>();
    const leaveFailed = line.has("no-rollback");
    const listen = leaveFailed ? listenToStop : undefined;
    return inStacks(line, context, { several: true, listen }, async (releaseContext, { stacks, last }) => {
      const images = [...line.values("image"), ...imagesIn(context.cwd, line.value("image-file"))];
      const unlock = line.has("unlock");
      // A test that replaces AWS keeps no image.
      const { keep = context.contextOf === undefined ? keepImage : async () => undefined } = context;
      for (const image of images) await keep(image);
      if (stacks === 1) return release(releaseContext, { images, unlock, leaveFailed });
      const code = await release(releaseContext, { images, unlock, used, leaveFailed });
      const unused = images.filter((image) => !used.has(image));
      if (code === 0 && last && unused.length > 0) {
        throw new UserError(`no stack of the environment has a service of ${unused.join(", ")}`, 2);
      }
      return code;
    });
  },
);

/** URIs in a file, a line each. */
function imagesIn(cwd: string, file: string | undefined): string[] {
  if (file === undefined) return [];
  const path = resolve(cwd, file);
  if (!existsSync(path)) throw new UserError(`--image-file ${file}: the file does not exist`, 2);
  const images = readFileSync(path, "utf8").split(/\s+/).filter(Boolean);
  if (images.length === 0) throw new UserError(`--image-file ${file}: is empty, which would release nothing`, 2);
  return images;
}

/** The command `antifragile rollback`. */
export const runRollback = defineCommand(
  {
    name: "rollback",
    operands: ["<environment>"],
    description: "Makes an earlier release live again, with its config. Undoes no migration.",
    flags: {
      to: {
        value: "RELEASE",
        help: "its number, as antifragile releases lists it (default: the previously live release)",
      },
      ...UNLOCK,
      ...PLACE,
    },
  },
  (line, context: ReleaseCommandContext) => {
    const to = line.value("to");
    if (to !== undefined && !/^[1-9]\d*$/.test(to)) {
      throw badUsage([`--to ${to}: must be the number of a release`], "antifragile releases lists them.");
    }
    return inStacks(line, context, {}, (context) =>
      rollback(context, { to: to === undefined ? undefined : Number(to), unlock: line.has("unlock") }),
    );
  },
);

/** The command `antifragile migrate`. */
export const runMigrate = defineCommand(
  {
    name: "migrate",
    operands: ["<environment>"],
    description: "Runs the admin process migrate: of the release that is live, or with an image that is not.",
    flags: { image: { value: "URI", help: "REGISTRY/NAME@sha256:..." }, ...SERVICE, ...PLACE },
  },
  (line, context: ReleaseCommandContext) => {
    const image = line.value("image");
    const service = line.value("service");
    return inStacks(line, context, { listen: listenToStopTask }, (context) =>
      image === undefined
        ? admin(context, { name: "migrate", args: [], service })
        : migrateWith(context, { image, service }),
    );
  },
);

/** The command `antifragile releases`. */
export const runReleases = defineCommand(
  {
    name: "releases",
    operands: ["<environment>"],
    description: "Lists releases, and shows what is under way and which applied config is not live. Only reads.",
    flags: { json: { help: "print all of it as JSON" }, ...PLACE },
  },
  (line, context: ReleaseCommandContext) =>
    inStacks(line, context, { listen: listenToExit }, (context) => releases(context, { json: line.has("json") })),
);

/** The command `antifragile admin`. */
export const runAdminCommand = defineCommand(
  {
    name: "admin",
    operands: ["<environment>", "<name>"],
    rest: "[-- argument...]",
    description:
      "Runs an admin process of the release that is live as a task of its own: shows its output, waits, and ends with its exit code.",
    flags: { ...SERVICE, ...PLACE },
  },
  (line, context: ReleaseCommandContext) =>
    inStacks(line, context, { listen: listenToStopTask }, (context) =>
      admin(context, { name: line.operands[1] as string, args: line.rest, service: line.value("service") }),
    ),
);

/** The command `antifragile run`. */
export const runRun = defineCommand(
  {
    name: "run",
    operands: ["<environment>", "[service]"],
    rest: "[-- command...]",
    description:
      "Starts a job now, or runs a command as a one-off task of the release that is live, with the role and config of the service: shows its output, waits, and ends with its exit code. Ctrl-C stops the task.",
    flags: { ...PLACE },
  },
  (line, context: ReleaseCommandContext) =>
    inStacks(line, context, { listen: listenToStopTask }, (context) =>
      runOnce(context, { service: line.operands[1], command: line.rest }),
    ),
);

/** The command `antifragile exec`. */
export const runExec = defineCommand(
  {
    name: "exec",
    operands: ["<environment>", "[service]"],
    rest: "[-- command...]",
    description:
      "Opens a shell in a running task of a service, or runs a command there, by ECS Exec. The service needs its prop exec, the platform cluster: { exec: {} }, and this machine AWS's session-manager-plugin, whose exit code it ends with. Sessions are logged.",
    flags: {
      task: { value: "ID", help: "this task; the beginning of its id is enough (default: the newest)" },
      ...PLACE,
    },
  },
  (line, context: ReleaseCommandContext) =>
    inStacks(line, context, { listen: listenToSession }, (context) =>
      exec(context, {
        service: line.operands[1],
        task: line.value("task"),
        command: line.rest,
        region: context.place.region,
        env: process.env,
      }),
    ),
);

/** The command `antifragile logs`. */
export const runLogs = defineCommand(
  {
    name: "logs",
    operands: ["<environment>", "[service]"],
    description:
      "Shows what the services have logged to CloudWatch, in order of time: all services of a stack, or one. Only reads. Exit code 1: nothing was logged.",
    flags: {
      follow: { short: "f", help: "go on until Ctrl-C" },
      since: { value: "AGE", help: "age of the oldest line: 30s, 10m, 2h or 1d (default: 10m)" },
      filter: { value: "PATTERN", help: "only what matches this filter pattern of CloudWatch Logs" },
      task: { value: "ID", help: "only this task; the beginning of its id is enough" },
      json: { help: "print a JSON object for each line" },
      ...PLACE,
    },
  },
  (line, context: ReleaseCommandContext) => {
    const since = line.value("since") ?? "10m";
    const age = ageOf(since);
    if (age === undefined) {
      throw badUsage(
        [`--since ${quoted(since)}: must be a number with s, m, h or d, such as 10m`],
        "antifragile logs --help explains it.",
      );
    }
    const [, service] = line.operands;
    const [filter, task] = [line.value("filter"), line.value("task")];
    const options = { service, age, filter, task, follow: line.has("follow"), json: line.has("json") };
    return inStacks(line, context, { listen: listenToReader }, (context) => logs(context, options));
  },
);

/** The command `antifragile show`. */
export const runShow = defineCommand(
  {
    name: "show",
    operands: ["<environment>", "[service]"],
    description:
      "Shows what the services of a stack consist of, as they run: URL, release, image, variables, secrets by name, roles, admin processes and alarms. Shows no value of a secret. Only reads.",
    flags: { json: { help: "print the services as one JSON array" }, ...PLACE },
  },
  (line, context: ReleaseCommandContext) =>
    inStacks(line, context, { listen: listenToExit }, (context) =>
      show(context, { service: line.operands[1], json: line.has("json") }),
    ),
);

interface StackRun {
  /** Number of stacks that the command runs in, one after the other. */
  readonly stacks: number;
  /** True for the last of them. */
  readonly last: boolean;
}

/** Runs a command in the stack that the flags name, or in all stacks of the environment. */
async function inStacks(
  line: CommandLine<typeof PLACE & FlagTable>,
  commandContext: ReleaseCommandContext,
  { several = false, listen }: { readonly several?: boolean; readonly listen?: Listen },
  work: (context: ReleaseContext & { readonly place: FoundStack }, run: StackRun) => Promise<number>,
): Promise<number> {
  const stacks = await chooseStacks(commandContext.cwd, line, several);
  let code = 0;
  for (const [index, stack] of stacks.entries()) {
    const context = releaseContext(stack, commandContext, listen);
    try {
      code = await work({ ...context, place: stack }, { stacks: stacks.length, last: index === stacks.length - 1 });
    } catch (error) {
      if (!(error instanceof Interrupted)) throw awsErrorForUser(error);
      code = 130;
    } finally {
      context.done?.();
    }
    if (code !== 0) break;
  }
  return code;
}

/** Stack that the flags name, or all stacks of the environment. */
export async function chooseStacks(
  cwd: string,
  line: CommandLine<typeof PLACE & FlagTable>,
  several: boolean,
): Promise<FoundStack[]> {
  const environment = line.operands[0] as string;
  const [stack, platform, region] = [line.value("stack"), line.value("platform"), line.value("region")];
  if (stack !== undefined && platform !== undefined && region !== undefined) {
    return [{ environment, stack, platform, region }];
  }
  if (platform !== undefined || region !== undefined) {
    throw new UserError("--platform and --region go with each other and with --stack", 2);
  }
  const stacks = await findStacks(cwd, environment);
  const found = stacks.filter((each) => stack === undefined || each.stack === stack);
  const names = stacks.map((each) => each.stack).join(", ");
  if (found.length === 0)
    throw new UserError(`stack ${stack} does not exist in ${environment}; its stacks are: ${names}`, 2);
  if (found.length > 1 && !several)
    throw new UserError(`there are several stacks in ${environment}: name one of ${names} by --stack`, 2);
  return found;
}

/**
 * Context of releases of a stack: that of this process, unless the command has another.
 *
 * @param listen listens for an interruption. Default: the first signal rolls back, a second Ctrl-C leaves at once
 */
export function releaseContext(
  stack: FoundStack,
  { print, contextOf = ofThisProcess }: ReleaseCommandContext,
  listen?: Listen,
): ReleaseContext & { readonly done?: () => void } {
  return contextOf(stack, print, listen);
}

/** Context of this process: AWS, the clock and signals. */
function ofThisProcess(
  stack: FoundStack,
  print: CommandContext["print"],
  listen: Listen = listenToRollBack,
): ReleaseContext & { readonly done: () => void } {
  const cloud = new AwsCloud(stack.region, { print });
  const interruption = listen(stack, print);
  return {
    cloud,
    place: stack,
    print,
    now: Date.now,
    sleep: interruption.sleep,
    interrupted: interruption.signal,
    by: userName(process.env),
    begun: reportBegun,
    done: () => {
      interruption.dispose();
      cloud.destroy();
    },
  };
}

/** The first signal ends a command that only reads. */
const listenToExit: Listen = () =>
  listenForInterruption({ onStop: () => process.exit(130), onForce: () => process.exit(130) });

/** The same until a session is open, where Ctrl-C is for the program in the container. */
const listenToSession: Listen = () =>
  listenForInterruption({ onStop: () => isConnected() || process.exit(130), onForce: () => undefined });

/** The same, and the end of the reader: `| head -1` ends a log that is followed. */
const listenToReader: Listen = (...args) => {
  process.stdout.once("error", () => process.exit(0));
  return listenToExit(...args);
};

/** The first signal stops the task of an admin process, a second Ctrl-C leaves it running. */
const listenToStopTask: Listen = (_, print) =>
  listenForInterruption({
    onStop: (signal) => print(`\ninterrupted by ${signal}: stopping the task; Ctrl-C now leaves it running\n`),
    onForce: () => process.exit(130),
  });

/** The first signal ends a release in order, a second Ctrl-C leaves at once. */
const listenToEnd =
  (first: string): Listen =>
  ({ environment }, print) =>
    listenForInterruption({
      onStop: (signal) => print(`\ninterrupted by ${signal}: ${first}; Ctrl-C now leaves at once\n`),
      onForce: () => {
        print(
          `\nleft at once: what has moved was not rolled back, and the lock stays. antifragile releases ${environment} shows what runs; antifragile release ${environment} --unlock completes it\n`,
        );
        process.exit(130);
      },
    });

const listenToRollBack = listenToEnd("rolling back what has moved");

const listenToStop = listenToEnd("nothing more is moved, and what has moved stays");

/** Name of the user in the CI system or on the machine; CloudTrail keeps the true identity of every call. */
export function userName(env: NodeJS.ProcessEnv): string {
  const known = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "CODEBUILD_INITIATOR", "BUILD_USER_ID", "USER", "USERNAME"];
  return known.map((name) => env[name]).find((value) => value !== undefined && value !== "") ?? "unknown";
}
