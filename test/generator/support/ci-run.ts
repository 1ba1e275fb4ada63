import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { git as gitIn } from "../../cli/support/versions";
import { repositoryFiles, run as runProgram } from "../../templates/support/repository";
import { CI_FILES, type CiEvent, type CiJob, type CiStep, type CiSystem, type Passed } from "./ci-files";

/**
 * Programs that stand in for those of a runner. They record who calls them with what, and refuse what the real ones refuse: an image of a
 * changed clone, plans that are not there, a commit that is older than the one that was applied, unknown commands.
 * `fail/<command>-<environment>` in the control folder makes one fail.
 */
const ROLE = `role=none
[ -z "\${GITHUB_ROLE:-}" ] || role="$GITHUB_ROLE"
[ -z "\${AWS_PROFILE:-}" ] || role="$(sed -n 's/^role_arn = arn:aws:iam:://p' "$AWS_CONFIG_FILE")"
[ -z "\${AWS_ACCESS_KEY_ID:-}" ] || role=keys
record() { printf '%s\\037' "$JOB" "$role" "$@" >> "$CONTROL/calls"; printf '\\n' >> "$CONTROL/calls"; }
fails() { if [ -f "$CONTROL/fail/$1" ]; then exit "$(cat "$CONTROL/fail/$1")"; fi; }
`;

const ANTIFRAGILE = `#!/bin/sh
set -eu
${ROLE}
record antifragile "$@"
command="$1"; environment="$2"; shift 2
upload=; download=; image=; commit=
while [ $# -gt 0 ]; do
  case "$1" in
    --upload) upload="$2"; shift 2 ;;
    --download) download="$2"; shift 2 ;;
    --commit) commit="$2"; shift 2 ;;
    --image) image="$2"; shift 2 ;;
    --image-file) image="$(cat "$2")"; shift 2 ;;
    *) shift ;;
  esac
done
fails "$command-$environment"
applied="$(cat "$CONTROL/applied/$environment" 2>/dev/null || true)"
newest() {
  [ -z "$commit" ] || [ -z "$applied" ] || [ "$commit" = "$applied" ] || ! git merge-base --is-ancestor "$commit" "$applied" 2>/dev/null ||
    { echo "commit $commit is older than $applied, which $environment has" >&2; exit 1; }
}
case "$command" in
  plan) newest; mkdir -p infra/cdktf.out; git rev-parse HEAD > infra/cdktf.out/plans; [ -z "$upload" ] || cp infra/cdktf.out/plans "$CONTROL/bucket/$upload" ;;
  apply) [ -z "$download" ] || { mkdir -p infra/cdktf.out; cp "$CONTROL/bucket/$download" infra/cdktf.out/plans; }; newest; grep -q "$(git rev-parse HEAD)" infra/cdktf.out/plans; git rev-parse HEAD > "$CONTROL/applied/$environment" ;;
  release) case "$image" in *@sha256:*) ;; *) echo "no image: $image" >&2; exit 2 ;; esac ;;
  alarms|drift) ;;
  *) echo "unknown command $command" >&2; exit 2 ;;
esac
`;

const NPM = `#!/bin/sh
set -eu
${ROLE}
record npm "$@"
case "$*" in
  ci) mkdir -p node_modules/.bin; cp "$CONTROL/antifragile" node_modules/.bin/antifragile ;;
  "run lint"|"run typecheck") ;;
  test) fails test ;;
  "run doctor -- staging"|"run doctor -- qa"|"run doctor -- production") fails doctor ;;
  "run image")
    [ -z "$(git status --porcelain)" ] || { echo "there are uncommitted changes" >&2; exit 1; }
    echo "123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders@sha256:$(git rev-parse HEAD)" > image.txt ;;
  *) echo "unknown script: $*" >&2; exit 1 ;;
esac
`;

/** Downloads to the file that its arguments name. */
const CURL = `#!/bin/sh
while [ $# -gt 0 ]; do [ "$1" != -o ] || : > "$2"; shift; done
`;

/** Programs whose effect no test needs. */
const NOTHING = ["sudo", "unzip", "sha256sum", "terraform", "docker"];

/** A call of a stand-in. */
export interface Call {
  readonly job: string;
  /** Account and name of the role that it ran with, `123456789012:role/<name>`; `none`, or `keys` for plain access keys. */
  readonly role: string;
  readonly words: readonly string[];
}

export interface JobsResult {
  /** Job that failed. */
  readonly failed: string | undefined;
  /** Job that a person would have to start. */
  readonly waiting: string | undefined;
  readonly output: string;
  /** Values that the jobs pass on. */
  readonly passed: Passed;
}

export interface CiResult extends JobsResult {
  readonly calls: readonly Call[];
  /** Steps that are simulated. */
  readonly simulated: readonly string[];
  /** Ids of the plans in the bucket. */
  readonly plans: readonly string[];
}

export interface RunOptions {
  readonly event: Partial<CiEvent> & Pick<CiEvent, "kind">;
  /** True where a person approves production. */
  readonly approve?: boolean;
  /** Exit codes of commands that fail: `{ "plan-staging": 3 }`. */
  readonly fail?: Readonly<Record<string, number>>;
  /** Changes the text of the CI file. */
  readonly edit?: (text: string) => string;
  /** Values of the jobs that ran before. */
  readonly passed?: Passed;
  /** Runs only the jobs that wait for a person, or those whose lines `edit` changes. @default - all jobs */
  readonly only?: "waiting" | "edited";
}

/** Runner of jobs. */
export interface Runner {
  /** True where a person approves the jobs that wait for one. */
  readonly approve: boolean;
  /** Values of the jobs that ran before. @default - none */
  readonly passed?: Passed;
  /** Returns a fresh clone for a job. */
  readonly clone: (job: CiJob) => string;
  /** Variables of the machine; those of the vendor and of the file come on top. */
  readonly variables: (job: CiJob) => Readonly<Record<string, string>>;
  /** Does the work of an action, and returns the variables that it sets for later steps. */
  readonly act: (action: CiStep, job: CiJob) => Promise<Readonly<Record<string, string>>>;
}

/** Runs the script lines of jobs in order, each job in a clone of its own, until one fails or waits for a person. */
export async function runJobs(
  jobs: readonly CiJob[],
  { approve, passed = new Map(), clone: cloneFor, variables: machine, act }: Runner,
): Promise<JobsResult> {
  let output = "";
  for (const job of jobs) {
    if (job.approval && !approve) return { failed: undefined, waiting: job.name, output, passed };
    const clone = cloneFor(job);
    // Beside the clone, whose changes commands refuse.
    const [script, outputFile] = [`${clone}.script`, `${clone}.output`];
    const variables: Record<string, string> = {
      ...machine(job),
      ...job.variables(passed),
      ...(job.output?.variable === undefined ? {} : { [job.output.variable]: outputFile }),
    };
    // A variable may name another, as GitLab's do.
    for (const [name, value] of Object.entries(variables)) variables[name] = value.replace("$CI_PROJECT_DIR", clone);
    for (const step of job.steps) {
      if (step.uses !== undefined) {
        Object.assign(variables, await act(step, job));
        continue;
      }
      writeFileSync(script, step.run ?? "");
      const [shell = "sh", ...flags] = job.shell;
      const ended = await runProgram(shell, [...flags, script], clone, variables);
      output += ended.output;
      if (ended.code !== 0) return { failed: job.name, waiting: undefined, output, passed };
    }
    const file = job.output?.file === undefined ? outputFile : join(clone, job.output.file);
    for (const line of existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : []) {
      const [name = "", value = ""] = line.split(/=(.*)/s);
      passed.set(`${job.name}.${name}`, value);
    }
    rmSync(clone, { recursive: true });
  }
  return { failed: undefined, waiting: undefined, output, passed };
}

/** Checks a commit out into a new folder, as a CI system does that fetches so many commits, or all. */
export function checkOut(origin: string, folder: string, sha: string, depth?: number): void {
  mkdirSync(folder, { recursive: true });
  const git = (...words: string[]) => gitIn(folder, ...words);
  git("init", "--quiet");
  const what = depth === undefined ? ["+refs/heads/*:refs/remotes/origin/*"] : [`--depth=${depth}`];
  git("fetch", "--quiet", `file://${origin}`, ...what, ...(depth === undefined ? [] : [sha]));
  git("checkout", "--quiet", "--detach", sha);
}

/** A generated repository at its origin, from which each job gets a fresh clone. */
export class CiWorld {
  readonly folder = mkdtempSync(join(tmpdir(), "antifragile-ci-"));
  readonly sha: string;
  readonly text: string;
  readonly #origin = join(this.folder, "origin");
  readonly #git = (...words: string[]) => gitIn(this.#origin, ...words).trim();
  readonly #control = join(this.folder, "control");
  readonly #bin = join(this.folder, "bin");
  #clones = 0;

  constructor(
    readonly ci: CiSystem,
    environments = "none",
    directory = "none",
  ) {
    const files = repositoryFiles({ ci, region: "eu-west-1", auth: "none", environments, directory });
    const folder = join(this.#origin, directory === "none" ? "" : directory);
    for (const [path, text] of files) this.#write(join(folder, path), text);
    this.#git("init", "--quiet", "--initial-branch=main");
    this.sha = this.commit("feat: first version");
    this.text = files.get(CI_FILES[ci].path) ?? files.get("../../.github/workflows/orders.yml") ?? "";
    for (const [name, text] of Object.entries({
      npm: NPM,
      curl: CURL,
      ...Object.fromEntries(NOTHING.map((each) => [each, "#!/bin/sh\n"])),
    }))
      this.#write(join(this.#bin, name), text, 0o755);
  }

  /** Commits to the branch, and returns the commit. */
  commit(message: string): string {
    for (const name of readdirSync(this.folder)) {
      if (name.startsWith("checkout-")) rmSync(join(this.folder, name), { recursive: true });
    }
    this.#git("add", ".");
    this.#git("commit", "--quiet", "--allow-empty", "-m", message);
    return this.#git("rev-parse", "HEAD");
  }

  #write(path: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    chmodSync(path, mode);
  }

  end(): void {
    rmSync(this.folder, { recursive: true });
  }

  /** Runs the jobs of an event in order, until one fails or waits for a person. */
  run(options: RunOptions): Promise<CiResult> {
    rmSync(this.#control, { recursive: true, force: true });
    this.#write(join(this.#control, "antifragile"), ANTIFRAGILE, 0o755);
    this.#write(join(this.#control, "calls"), "");
    for (const folder of ["fail", "bucket", "applied"]) mkdirSync(join(this.#control, folder));
    return this.again(options);
  }

  /** The same, with the bucket and the environments that the run before has left. */
  async again({
    event: given,
    approve = false,
    fail = {},
    edit = (text) => text,
    passed,
    only,
  }: RunOptions): Promise<CiResult> {
    const text = edit(this.text);
    for (const [name, code] of Object.entries(fail)) this.#write(join(this.#control, "fail", name), String(code));
    const event = { sha: this.sha, id: "100", ...given };
    const unchanged = CI_FILES[this.ci].jobs(this.text, event).map(({ steps }) => JSON.stringify(steps));
    const jobs = CI_FILES[this.ci].jobs(text, event).filter(({ approval, steps }) => {
      if (only === "waiting") return approval;
      return only === undefined || !unchanged.includes(JSON.stringify(steps));
    });
    const simulated = new Set<string>();
    const run = await runJobs(jobs, {
      approve,
      passed,
      clone: ({ depth }) => {
        this.#clones += 1;
        const clone = join(this.folder, `clone-${this.#clones}`);
        const fresh = join(this.folder, `checkout-${event.sha}-${depth ?? "all"}`);
        // Once for all jobs: git takes longer than the stand-ins. A newer commit changes what all branches have.
        if (!existsSync(fresh)) checkOut(this.#origin, fresh, event.sha, depth);
        cpSync(fresh, clone, { recursive: true });
        return clone;
      },
      variables: ({ name }) => ({
        PATH: `${this.#bin}:${process.env.PATH}`,
        HOME: this.folder,
        CONTROL: this.#control,
        JOB: name,
      }),
      act: async ({ uses = "", with: inputs }): Promise<Record<string, string>> => {
        simulated.add(uses.split("@")[0] ?? "");
        const role = inputs?.["role-to-assume"];
        return role === undefined ? {} : { GITHUB_ROLE: String(role).replace("arn:aws:iam::", "") };
      },
    });
    return {
      ...run,
      calls: readFileSync(join(this.#control, "calls"), "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => {
          const [job = "", role = "", ...words] = line.split("\u001f").slice(0, -1);
          return { job, role, words };
        }),
      simulated: [...simulated],
      plans: readdirSync(join(this.#control, "bucket")),
    };
  }
}
