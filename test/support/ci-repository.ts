import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { run as runProgram, succeeded } from "../cli/packed";
import { git } from "../cli/support/versions";
import { CI_FILES, type CiEvent, type CiJob, type CiSystem, type Passed } from "../generator/support/ci-files";
import { checkOut, type JobsResult, type Runner, runJobs } from "../generator/support/ci-run";
import type { Program } from "../iam/resolve";
import { repositoryFiles } from "../templates/support/repository";
import { AwsCaller, field } from "./aws-call";
import { tools } from "./deployment";
import { ImageRegistry } from "./image-registry";

/** Files that a repository does not commit. */
const IGNORED = /(^|\/)(node_modules|cdktf\.out|delivers-dev.*|.*\.tfstate.*|\.terraform|__snapshots__|plans\.tgz)$/;

/** Tests of the service, which take half a minute, but for one file: they run elsewhere. */
const SERVICE_TESTS = /^(?!config\b).*\.test\.ts$/;

/** Programs of Travis CI's machine that download and install Terraform, which this one has. */
const INSTALLERS = ["curl", "sha256sum", "sudo"];

export interface CiRepositoryOptions {
  readonly ci: CiSystem;
  /** Repository of any CI system with its packages installed, which becomes the first commit. */
  readonly from: string;
  /** Folder of the origin, the clones and the machine's programs. */
  readonly folder: string;
  /** Changes infra/environments.ts. */
  readonly environments: (text: string) => string;
  /** Variables of the machine. */
  readonly variables: NodeJS.ProcessEnv;
  /** Endpoint of the emulator. */
  readonly url: string;
  /** Account of the images. */
  readonly account: string;
  /** Commands of antifragile that are only recorded: `apply staging`. All others, and all other programs, are real. */
  readonly recorded: readonly string[];
}

type RunEvent = Pick<CiEvent, "sha" | "id"> & Partial<CiEvent>;

/** A generated repository at its origin, and the machine that runs the jobs of its CI file with real programs. */
export class CiRepository {
  readonly origin: string;
  /** Variables of the machine. */
  readonly variables: NodeJS.ProcessEnv;
  readonly #recorded: string;

  /** Writes the repository, and starts a registry to which Buildah pushes in the place of ECR's, which gets the manifests. */
  static async start(options: CiRepositoryOptions): Promise<CiRepository> {
    const { ci, folder, url, account } = options;
    mkdirSync(folder, { recursive: true });
    const RoleArn = `arn:aws:iam::${account}:role/orders-delivery-${{ "github-actions": "gh", gitlab: "gl" }[ci as string] ?? "ci"}-image`;
    const registry = await ImageRegistry.start(folder, async (repositoryName, imageTag, imageManifest) => {
      // What ECR checks of a push are the permissions of who asked for its password.
      const session = { RoleArn, RoleSessionName: "push", WebIdentityToken: "token" };
      const answer = await new AwsCaller(url).call("sts", "AssumeRoleWithWebIdentity", session);
      const aws = new AwsCaller(url, "eu-central-1", field(answer, "AccessKeyId"));
      const { image } = await aws.call("ecr", "PutImage", { repositoryName, imageTag, imageManifest });
      return image.imageId.imageDigest;
    });
    return new CiRepository(options, registry);
  }

  private constructor(
    private readonly options: CiRepositoryOptions,
    private readonly registry: ImageRegistry,
  ) {
    const { ci, from, folder, environments } = options;
    this.origin = join(folder, "origin");
    this.#recorded = join(folder, "recorded");
    cpSync(from, this.origin, { recursive: true, filter: (path) => !IGNORED.test(path) });
    for (const name of readdirSync(join(this.origin, "test"))) {
      if (SERVICE_TESTS.test(name)) rmSync(join(this.origin, "test", name));
    }
    const written = repositoryFiles({ ci, region: "eu-central-1", capacity: "ec2" });
    for (const path of [CI_FILES[ci].path, "infra/delivery.ts", "scripts/with-role.sh"]) {
      const text = written.get(path);
      if (text !== undefined) this.#write(join(this.origin, path), text);
    }
    // That of the template, which needs a base image from a registry, is built elsewhere.
    this.#write(join(this.origin, "Dockerfile"), "FROM scratch\nCOPY package.json /\n");
    // Nothing is left to fill in.
    this.edit("infra/environments.ts", environments);
    git(this.origin, "init", "--quiet", "--initial-branch=main");
    // As servers do, for clones of one commit.
    git(this.origin, "config", "uploadpack.allowAnySHA1InWant", "true");
    this.variables = this.#machine();
  }

  /** Installs the programs of the machine, and returns its variables. */
  #machine(): NodeJS.ProcessEnv {
    const { ci, from, folder, variables, account, recorded } = this.options;
    const machine = join(folder, "machine");
    const program = (name: string, ...lines: string[]) =>
      this.#write(join(machine, name), ["#!/bin/sh", ...lines, ""].join("\n"), 0o755);
    const npm = join(dirname(process.execPath), "npm");
    const instead = `cp -al "${join(from, "node_modules")}" node_modules && cp --remove-destination "${join(machine, "antifragile")}" node_modules/.bin/`;
    program("npm", `if [ "$*" = ci ]; then ${instead}; else exec "${npm}" "$@"; fi`);
    program(
      "antifragile",
      `case "$1 $2" in ${recorded.map((each) => `"${each}"`).join("|")})`,
      `image="$(cat image.txt 2>/dev/null || true)"`,
      `echo "$*" | sed "s|--image-file image.txt|--image $image|" >> "${this.#recorded}"; exit 0 ;; esac`,
      `exec "${process.execPath}" node_modules/antifragile/dist/bin/antifragile.js "$@"`,
    );
    // Docker is there, and its engine is not running.
    program("docker", "exit 1");
    const rewritten = `for word; do shift; set -- "$@" "$(printf %s "$word" | sed 's|${account}.dkr.ecr.eu-central-1.amazonaws.com|${this.registry.host}|')"; done`;
    program("buildah", rewritten, 'exec /usr/bin/env PATH="$BUILDER_PATH" buildah "$@"');
    if (ci === "travis") for (const name of INSTALLERS) program(name, "exit 0");
    const terraform = tools.terraform.found ? dirname(tools.terraform.path) : "";
    return {
      ...variables,
      ...this.registry.variables,
      BUILDER_PATH: process.env.PATH,
      PATH: [machine, terraform, process.env.PATH].join(delimiter),
      HOME: machine,
    };
  }

  #write(path: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode });
  }

  stop(): void {
    this.registry.stop();
  }

  /** Path of the CI file. */
  get file(): string {
    return CI_FILES[this.options.ci].path;
  }

  /** Changes a file of the next commit. */
  edit(path: string, change: (text: string) => string): void {
    const file = join(this.origin, path);
    writeFileSync(file, change(readFileSync(file, "utf8")));
  }

  /** Commits to the branch, and returns the commit. */
  commit(message: string): string {
    git(this.origin, "add", ".");
    git(this.origin, "commit", "--quiet", "--allow-empty", "-m", message);
    return git(this.origin, "rev-parse", "HEAD").trim();
  }

  /** Commands that were recorded. */
  get recorded(): string[] {
    return existsSync(this.#recorded) ? readFileSync(this.#recorded, "utf8").trim().split("\n") : [];
  }

  /** Stacks of the newest commit, as a person synthesizes them at the origin. */
  async synthesized(...stacks: readonly string[]): Promise<Program[]> {
    for (const words of [["ci"], ["run", "synth"]]) {
      succeeded(await runProgram(["npm", ...words], this.origin, { env: this.variables }));
    }
    const file = (stack: string) => join(this.origin, "infra/cdktf.out/stacks", stack, "cdk.tf.json");
    return stacks.map((stack) => JSON.parse(readFileSync(file(stack), "utf8")));
  }

  /** Jobs of an event. */
  jobs(event: RunEvent): CiJob[] {
    // Alarms are checked once instead of for 5 minutes.
    const text = readFileSync(join(this.origin, this.file), "utf8").replaceAll("--minutes 5", "--minutes 0");
    return CI_FILES[this.options.ci].jobs(text, { kind: "push", ...event });
  }

  /** Runs jobs of an event in their order, until one fails or waits for a person. */
  run(
    event: RunEvent,
    {
      jobs: names,
      approve = false,
      passed,
      act = async () => ({}),
      variables = () => ({}),
    }: {
      /** @default - all */
      readonly jobs?: readonly string[];
      readonly approve?: boolean;
      readonly passed?: Passed;
      readonly act?: Runner["act"];
      readonly variables?: (job: CiJob) => Record<string, string>;
    } = {},
  ): Promise<JobsResult> {
    return runJobs(
      this.jobs(event).filter(({ name }) => names?.includes(name) ?? true),
      {
        approve,
        passed,
        clone: ({ depth }) => {
          const clone = mkdtempSync(join(this.options.folder, "job-"));
          checkOut(this.origin, clone, event.sha, depth);
          return clone;
        },
        variables: (job) => ({ ...(this.variables as Record<string, string>), ...variables(job) }),
        act,
      },
    );
  }
}
