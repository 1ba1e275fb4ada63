import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Call, OperationError, readFlags, run } from "../command";
import { admin } from "./admin";
import { AwsCloud } from "./aws";
import { type FoundStack, findStacks } from "./find";
import { keepImage } from "./keep-image";
import { migrateWith, release, rollback } from "./release";
import { releases } from "./releases";
import { Interrupted, type World } from "./world";

const PLACE_HELP = `  --stack NAME     one of several stacks of the repository in this environment
  --platform NAME  with --stack and --region: needs no repository`;

const RELEASE_USAGE = `Usage: antifragile release <environment> [--image REGISTRY/NAME@sha256:...]... [--image-file FILE] [--unlock]

Makes an image live with the config that is applied: migrates with it, moves workers, then web, then schedules. Where a step
fails, all goes back. Without --image the images that are live get the config of now; where nothing is new, nothing is done.
Several stacks are released one after the other, each with the images that are its own.

  --image URI      by digest; once for each repository
  --image-file F   the same, from a file with a URI in each line
  --unlock         takes away the lock of a release that died
${PLACE_HELP}
`;

const ROLLBACK_USAGE = `Usage: antifragile rollback <environment> [--to RELEASE] [--unlock]

Makes an earlier release live again, its config with it, and no migration undone.

  --to RELEASE     its number: antifragile releases lists them. Without: the one that was live before
  --unlock         takes away the lock of a release that died
${PLACE_HELP}
`;

const MIGRATE_USAGE = `Usage: antifragile migrate <environment> [--image REGISTRY/NAME@sha256:...]

Runs the admin process migrate: of the release that runs, or with an image that is not live.

  --image URI      by digest
  --service NAME   the service, where several have one
${PLACE_HELP}
`;

const RELEASES_USAGE = `Usage: antifragile releases <environment> [--json]

Lists releases, and tells what is under way and which applied config is not live. Changes nothing.

${PLACE_HELP}
`;

const ADMIN_USAGE = `Usage: antifragile admin <environment> <name> [-- argument...]

Runs an admin process of the release that runs, as a task of its own: shows what it writes, waits, and ends as it ends.

  --service NAME   the service, where several have one of this name
${PLACE_HELP}
`;

/** A command that works in the folder of a repository, and ends with any exit code. */
export interface PlacedCall extends Call {
  readonly cwd: string;
  /** What stands in for AWS and for the terminal. @default - AWS, and this process */
  readonly world?: (stack: FoundStack, print: Call["print"]) => World & { readonly done?: () => void };
  /** Keeps an image from expiring, before it is released. @default - in ECR by a tag */
  readonly keep?: (image: string) => Promise<void>;
}

type Flags = Readonly<Record<string, readonly string[]>>;

const PLACE_FLAGS = { stack: {}, platform: {}, region: {} } as const;

/** The command `antifragile release`. */
export function runRelease(call: PlacedCall): Promise<number> {
  const used = new Set<string>();
  return command(
    call,
    RELEASE_USAGE,
    { flags: { image: { multiple: true }, "image-file": {} }, words: ["unlock"], several: true },
    async (world, { flags, given, stacks, last }) => {
      const images = [...(flags.image ?? []), ...imagesIn(call.cwd, flags["image-file"]?.[0])];
      const unlock = given.has("unlock");
      // Who stands in for AWS keeps no image.
      const { keep = call.world === undefined ? keepImage : async () => undefined } = call;
      for (const image of images) await keep(image);
      if (stacks === 1) return release(world, { images, unlock });
      const code = await release(world, { images, unlock, used });
      const unused = images.filter((image) => !used.has(image));
      if (code === 0 && last && unused.length > 0) {
        throw new OperationError(`no stack of the environment has a service of ${unused.join(", ")}`, 2);
      }
      return code;
    },
  );
}

/** URIs in a file, a line each. */
function imagesIn(cwd: string, file: string | undefined): string[] {
  if (file === undefined) return [];
  const path = resolve(cwd, file);
  if (!existsSync(path)) throw new OperationError(`--image-file ${file}: there is no such file`, 2);
  const images = readFileSync(path, "utf8").split(/\s+/).filter(Boolean);
  if (images.length === 0) throw new OperationError(`--image-file ${file}: is empty, which would release nothing`, 2);
  return images;
}

/** The command `antifragile rollback`. */
export function runRollback(call: PlacedCall): Promise<number> {
  return command(call, ROLLBACK_USAGE, { flags: { to: {} }, words: ["unlock"] }, (world, { flags, given }) => {
    const [to] = flags.to ?? [];
    if (to !== undefined && !/^[1-9]\d*$/.test(to)) throw new OperationError(`--to ${to} is no number of a release`, 2);
    return rollback(world, { to: to === undefined ? undefined : Number(to), unlock: given.has("unlock") });
  });
}

/** The command `antifragile migrate`. */
export function runMigrate(call: PlacedCall): Promise<number> {
  return command(call, MIGRATE_USAGE, { flags: { image: {}, service: {} } }, (world, { flags }) => {
    const [image] = flags.image ?? [];
    const [service] = flags.service ?? [];
    return image === undefined
      ? admin(world, { name: "migrate", args: [], service })
      : migrateWith(world, { image, service });
  });
}

/** The command `antifragile releases`. */
export function runReleases(call: PlacedCall): Promise<number> {
  return command(call, RELEASES_USAGE, { words: ["json"] }, (world, { given }) =>
    releases(world, { json: given.has("json") }),
  );
}

/** The command `antifragile admin`. */
export function runAdminCommand(call: PlacedCall): Promise<number> {
  const at = call.args.indexOf("--");
  const args = at < 0 ? [] : call.args.slice(at + 1);
  const own = { ...call, args: at < 0 ? call.args : call.args.slice(0, at) };
  return command(own, ADMIN_USAGE, { flags: { service: {} }, operands: 2 }, (world, { flags, operands }) =>
    admin(world, { name: operands[1] as string, args, service: flags.service?.[0] }),
  );
}

interface Shape {
  /** Flags with a value, besides those of the place. */
  readonly flags?: Readonly<Record<string, { readonly multiple?: boolean }>>;
  /** Flags without one. */
  readonly words?: readonly string[];
  /** How many operands there are, the environment first. @default 1 */
  readonly operands?: number;
  /** Whether it is done to all stacks of the environment where none is named. @default false */
  readonly several?: boolean;
}

interface Given {
  readonly flags: Flags;
  readonly given: ReadonlySet<string>;
  readonly operands: readonly string[];
  /** How many stacks it is done to, one after the other. */
  readonly stacks: number;
  /** Whether this is the last of them. */
  readonly last: boolean;
}

function command(
  call: PlacedCall,
  usage: string,
  { flags: own = {}, words = [], operands: count = 1, several = false }: Shape,
  work: (world: World, given: Given) => Promise<number>,
): Promise<number> {
  const { args, print, cwd } = call;
  let code = 0;
  return run(async () => {
    if (args.includes("--help") || args.includes("-h")) {
      print(usage);
      return 0;
    }
    const isWord = (arg: string) => words.includes(arg.replace(/^--/, "")) && arg.startsWith("--");
    const { flags, operands } = readFlags(
      args.filter((arg) => !isWord(arg)),
      { ...PLACE_FLAGS, ...own },
      usage,
    );
    const [environment] = operands;
    if (environment === undefined || operands.length !== count) {
      throw new OperationError(
        `${count === 1 ? "name an environment" : "name an environment and an admin process"}, and nothing else\n${usage}`,
        2,
      );
    }
    const stacks = await choose(cwd, environment, flags, several);
    const asked = { flags, given: new Set(args.filter(isWord).map((arg) => arg.slice(2))), operands };
    for (const [index, stack] of stacks.entries()) {
      const world = (call.world ?? ofThisProcess)(stack, print);
      try {
        code = await work(world, { ...asked, stacks: stacks.length, last: index === stacks.length - 1 });
      } catch (error) {
        if (!(error instanceof Interrupted)) throw forTheUser(error);
        code = 130;
      } finally {
        world.done?.();
      }
      if (code !== 0) break;
    }
    return 0;
  }).then((outcome) => (outcome === 0 ? code : outcome));
}

/** What AWS, or the way to it, said: no fault in this program. */
function forTheUser(error: unknown): unknown {
  const { name, message, code } = error as NodeJS.ErrnoException;
  const ofAws = typeof error === "object" && error !== null && "$metadata" in error;
  if (!ofAws && name !== "CredentialsProviderError" && code === undefined) return error;
  return new OperationError(`AWS: ${name}: ${message}`, 1);
}

async function choose(cwd: string, environment: string, flags: Flags, several: boolean): Promise<FoundStack[]> {
  const [stack] = flags.stack ?? [];
  const [platform] = flags.platform ?? [];
  const [region] = flags.region ?? [];
  if (stack !== undefined && platform !== undefined && region !== undefined) {
    return [{ environment, stack, platform, region }];
  }
  if (platform !== undefined || region !== undefined) {
    throw new OperationError("--platform and --region go with each other and with --stack", 2);
  }
  const stacks = await findStacks(cwd, environment);
  const found = stacks.filter((each) => stack === undefined || each.stack === stack);
  const names = stacks.map((each) => each.stack).join(", ");
  if (found.length === 0)
    throw new OperationError(`there is no stack ${stack} in ${environment}; there are: ${names}`, 2);
  if (found.length > 1 && !several)
    throw new OperationError(`there are several stacks in ${environment}: name one of ${names} by --stack`, 2);
  return found;
}

/** AWS, the clock, and a Ctrl-C that is heard: the first goes back, the second leaves at once. */
function ofThisProcess(stack: FoundStack, print: Call["print"]): World & { readonly done: () => void } {
  const cloud = new AwsCloud(stack.region);
  const controller = new AbortController();
  let wake = () => {};
  const hear = () => {
    if (controller.signal.aborted) {
      print(
        "\nleft at once: what has moved has not gone back. antifragile releases tells what runs; --unlock takes the lock away\n",
      );
      process.exit(130);
    }
    print("\ninterrupted: what has moved goes back; once more leaves at once\n");
    controller.abort();
    wake();
  };
  process.on("SIGINT", hear);
  process.on("SIGTERM", hear);
  const sleep = (milliseconds: number) =>
    new Promise<void>((resolve) => {
      if (controller.signal.aborted) return resolve();
      const timer = setTimeout(resolve, milliseconds);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  return {
    cloud,
    place: stack,
    print,
    now: Date.now,
    sleep,
    interrupted: controller.signal,
    by: whoAmI(process.env),
    done: () => {
      process.off("SIGINT", hear);
      process.off("SIGTERM", hear);
      cloud.destroy();
    },
  };
}

/** Who it is, as the CI system or the machine knows them; AWS keeps the true identity of every call in CloudTrail. */
export function whoAmI(env: NodeJS.ProcessEnv): string {
  const known = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "CODEBUILD_INITIATOR", "BUILD_USER_ID", "USER", "USERNAME"];
  return known.map((name) => env[name]).find((value) => value !== undefined && value !== "") ?? "unknown";
}
