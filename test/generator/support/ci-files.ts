/**
 * The jobs of a CI file, as its vendor would run them for an event: which run, in which order, with which lines and variables. Only the
 * parts of each format that the templates use.
 */
import { parse } from "yaml";

/** Event that starts a run. */
export interface CiEvent {
  readonly kind: "push" | "pull-request" | "manual" | "schedule";
  readonly sha: string;
  /** Id of the run, the pipeline or the build. */
  readonly id: string;
  /** Values that a person gives a manual run: `ALLOW_DELETE`, for Travis also `PLANS` and `DEPLOY`. */
  readonly given?: Readonly<Record<string, string>>;
  /** Number of the run's attempt: from 2 on, a person repeats it. @default 1 */
  readonly attempt?: number;
  /** Set in a fork of the repository. */
  readonly fork?: boolean;
  /** Variables of the settings. @default - {@link ACCOUNTS} */
  readonly accounts?: Readonly<Record<string, string>>;
}

/** Variables that the settings of every CI system hold. */
export const ACCOUNTS = { AWS_ACCOUNT_ID: "123456789012", AWS_ACCOUNT_ID_PRODUCTION: "777788889999" } as const;

/** The same as GitHub finds them, by names whose case does not matter. */
const varsOf = ({ accounts = ACCOUNTS }: CiEvent) =>
  new Proxy<Readonly<Record<string, string>>>(accounts, { get: (all, name) => all[String(name).toUpperCase()] });

/** GitHub's function of this name. */
const format = (text: string, ...values: readonly string[]) => text.replace(/\{(\d)\}/g, (_, at) => values[at] ?? "");

/** Values that jobs pass on, by `job.name`. */
export type Passed = Map<string, string>;

export interface CiStep {
  /** Script, as the shell gets it. */
  readonly run?: string;
  /** Step that is simulated: an action of GitHub with its inputs. */
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly id?: string;
}

export interface CiJob {
  readonly name: string;
  /** True where a person starts it. */
  readonly approval: boolean;
  readonly steps: readonly CiStep[];
  readonly variables: (passed: Passed) => Readonly<Record<string, string>>;
  /** Number of commits in its clone. @default - all, with those after the commit of the run */
  readonly depth?: number;
  /** Shell of its steps, with its arguments. */
  readonly shell: readonly string[];
  /** File to which steps write values for later jobs, as `name=value`. */
  readonly output?: { readonly variable?: string; readonly file?: string };
  /** Text of the job that says where it runs: environment, tags, label. */
  readonly runsOn: string;
}

// biome-ignore lint/suspicious/noExplicitAny: YAML of a format of its own
type Yaml = any;

type Evaluate = (expression: string, scope: Readonly<Record<string, unknown>>) => unknown;

/** Evaluates an expression whose operators are those of JavaScript. */
const evaluate: Evaluate = (expression, scope) =>
  new Function(...Object.keys(scope), `return ${expression.replaceAll(/\.(\w+(?:-\w+)+)/g, '["$1"]')};`)(
    ...Object.values(scope),
  );

function gitHub(text: string, event: CiEvent): CiJob[] {
  const file = parse(text);
  const github = {
    event_name: { push: "push", "pull-request": "pull_request", manual: "workflow_dispatch", schedule: "schedule" }[
      event.kind
    ],
    ref: event.kind === "pull-request" ? "refs/pull/7/merge" : "refs/heads/main",
    run_id: event.id,
    event: { repository: { fork: event.fork === true } },
  };
  if (!(github.event_name in file.on)) return [];
  const inputs = Object.fromEntries(
    Object.keys(file.on.workflow_dispatch.inputs).map((name) => [name, event.given?.[name.toUpperCase()] ?? ""]),
  );
  const jobs: CiJob[] = [];
  for (const [name, job] of Object.entries<Yaml>(file.jobs).flatMap(ofMatrix)) {
    const needs: string[] = [job.needs ?? []].flat();
    if (needs.some((each) => !jobs.some((known) => known.name === each))) continue;
    if (job.if !== undefined && !evaluate(job.if, { github })) continue;
    const filled = (value: unknown, passed: Passed) =>
      String(value).replace(/\$\{\{(.*?)\}\}/g, (_, expression: string) =>
        String(
          evaluate(expression, {
            github,
            inputs,
            vars: varsOf(event),
            format,
            needs: Object.fromEntries(
              needs.map((each) => [each, { outputs: outputsOf(file.jobs[each], each, passed) }]),
            ),
          }),
        ),
      );
    jobs.push({
      name,
      // Its protection rules ask for a reviewer.
      approval: job.environment === "production",
      steps: job.steps.map((step: Yaml) => ({
        ...step,
        ...(step.run && { run: inFolder(step.run, file.defaults?.run["working-directory"]) }),
        with: Object.fromEntries(
          Object.entries(step.with ?? {}).map(([key, value]) => [key, filled(value, new Map())]),
        ),
      })),
      variables: (passed) => ({
        ...Object.fromEntries(
          Object.entries({ ...file.env, ...job.env }).map(([key, value]) => [key, filled(value, passed)]),
        ),
        GITHUB_SHA: event.sha,
        GITHUB_RUN_ID: event.id,
        GITHUB_RUN_ATTEMPT: String(event.attempt ?? 1),
      }),
      depth: allIfZero(
        job.steps.find(({ uses }: Yaml) => uses?.startsWith("actions/checkout@"))?.with["fetch-depth"] ?? 1,
      ),
      shell: ["bash", "-e"],
      output: { variable: "GITHUB_OUTPUT" },
      runsOn: JSON.stringify({ permissions: job.permissions, environment: job.environment }),
    });
  }
  return jobs;
}

/** Depth of a clone, of which 0 stands for the whole history. */
const allIfZero = (depth: unknown): number | undefined => Number(depth) || undefined;

/** Line that runs in a folder of the clone. */
const inFolder = (line: string, folder: string | undefined) => (folder === undefined ? line : `cd ${folder}\n${line}`);

/** Jobs that a matrix makes of one, each with its values in the place of the expressions. */
function ofMatrix([name, job]: readonly [string, Yaml]): (readonly [string, Yaml])[] {
  const [[key, values] = []] = Object.entries<string[]>(job.strategy?.matrix ?? {});
  if (values === undefined) return [[name, job]];
  const text = JSON.stringify(job);
  return values.map((value) => {
    const own = text.replaceAll(`\${{ matrix.${key} }}`, value).replaceAll(`matrix.${key}`, `'${value}'`);
    return [`${name} (${value})`, JSON.parse(own)];
  });
}

/** Outputs of a job of GitHub: its steps have written them to a file. */
function outputsOf(job: Yaml, name: string, passed: Passed): Record<string, string> {
  return Object.fromEntries(
    Object.entries<string>(job.outputs ?? {}).map(([key, value]) => {
      const [, output] = /steps\.\w+\.outputs\.(\w+)/.exec(value) ?? [];
      return [key, passed.get(`${name}.${output}`) ?? ""];
    }),
  );
}

/** Subject of the tokens of GitLab's jobs on the branch. */
const SUBJECT = "project_path:acme/orders:ref_type:branch:ref:main";

function gitLab(text: string, event: CiEvent): CiJob[] {
  const file = parse(text);
  const env: Record<string, string> = {
    CI_PIPELINE_SOURCE: { push: "push", "pull-request": "merge_request_event", manual: "web", schedule: "schedule" }[
      event.kind
    ],
    ...(event.kind === "pull-request" ? {} : { CI_COMMIT_BRANCH: "main" }),
    // Of a child pipeline.
    SOURCE: event.kind === "schedule" ? "schedule" : "push",
    CI_PIPELINE_ID: event.id,
    CI_COMMIT_SHA: event.sha,
    ...(event.accounts ?? ACCOUNTS),
  };
  const ruleOf = (rules: readonly Yaml[]) =>
    rules.find(({ if: condition }) => evaluate(condition.replaceAll(/\$(\w+)/g, "env.$1"), { env }));
  const started = ruleOf(file.workflow?.rules ?? [{ if: "true" }]);
  if (started === undefined || started.when === "never") return [];
  return file.stages.flatMap((stage: string) =>
    Object.entries<Yaml>(file).flatMap(([name, own], index): CiJob[] => {
      if (own?.stage !== stage || name.startsWith(".")) return [];
      const job = { ...(own.extends === undefined ? {} : file[own.extends]), ...own };
      const rule = job.rules === undefined ? {} : ruleOf(job.rules);
      if (rule === undefined) return [];
      const lines = [...(job.before_script ?? []), ...job.script];
      const dotenv = job.artifacts?.reports?.dotenv;
      const [[key, values] = []] = Object.entries<string[]>(job.parallel?.matrix[0] ?? {});
      return (values ?? [undefined]).map(
        (value): CiJob => ({
          name: value === undefined ? name : `${name}: [${value}]`,
          approval: rule.when === "manual",
          steps: [{ run: lines.join("\n") }, ...(job.after_script ?? []).map((run: string) => ({ run }))],
          variables: (passed) => ({
            ...env,
            ...Object.fromEntries(Object.entries<Yaml>(file.variables).map(([key, { value }]) => [key, value])),
            ...(event.given ?? {}),
            CI_JOB_ID: String(1000 + index),
            ...job.variables,
            ...(key === undefined || value === undefined ? {} : { [key]: value }),
            // The claims of the token, instead of a signed one.
            ...(job.id_tokens === undefined
              ? {}
              : { AWS_TOKEN: JSON.stringify({ ...job.id_tokens.AWS_TOKEN, sub: SUBJECT }) }),
            // Values of dotenv reports of earlier jobs.
            ...Object.fromEntries([...passed].map(([key, value]) => [key.split(".")[1], value])),
          }),
          // A project has 20 unless it sets another.
          depth: allIfZero(job.variables?.GIT_DEPTH ?? 20),
          shell: ["bash", "-eo", "pipefail"],
          output: dotenv === undefined ? undefined : { file: dotenv },
          runsOn: JSON.stringify(job.tags ?? []),
        }),
      );
    }),
  );
}

/** Content of each block `<head> {...}`, where the head matches. */
function blocks(text: string, head: RegExp): { readonly head: RegExpExecArray; readonly body: string }[] {
  return [...text.matchAll(new RegExp(head, "g"))].map((found) => {
    let at = text.indexOf("{", found.index);
    const start = at;
    for (let depth = 0; ; at += 1) {
      if (text[at] === "{") depth += 1;
      if (text[at] === "}") depth -= 1;
      if (depth === 0 || at > text.length) break;
    }
    return { head: found as RegExpExecArray, body: text.slice(start + 1, at) };
  });
}

function jenkins(text: string, event: CiEvent): CiJob[] {
  const branch = event.kind === "pull-request" ? "PR-7" : "main";
  let approval = false;
  const pipeline = text.replace(/^\/\/.*$/gm, "");
  const common = Object.fromEntries(
    [...pipeline.matchAll(/^ {4}(\w+) = '(.*)'$/gm)].map(([, name, value]) => [name, value]),
  );
  const parameters = Object.fromEntries(
    [...pipeline.matchAll(/string\(name: '(\w+)', defaultValue: '(.*?)'/g)].map(([, name, value]) => [name, value]),
  );
  return blocks(pipeline, /stage\('([^']+)'\)/).flatMap(({ head, body }): CiJob[] => {
    const [, only] = /branch '([^']+)'/.exec(body) ?? [];
    if (only !== undefined && only !== branch) return [];
    if (/\binput message:/.test(body)) {
      approval = true;
      return [];
    }
    const job: CiJob = {
      name: head[1]!,
      approval,
      steps: [...body.matchAll(/\bsh '(.*)'$/gm)].map(([, run]) => ({
        run: inFolder(run!, /dir\('(.*)'\)/.exec(body)?.[1]),
      })),
      variables: () =>
        ({
          ...common,
          ...parameters,
          ...(event.given ?? {}),
          GIT_COMMIT: event.sha,
          BUILD_NUMBER: event.id,
          BRANCH_NAME: branch,
          ...(event.accounts ?? ACCOUNTS),
        }) as Record<string, string>,
      shell: ["sh", "-e"],
      runsOn: /label '(\w+)'/.exec(body)?.[1] ?? "none",
    };
    return [job];
  });
}

function teamCity(text: string, event: CiEvent): CiJob[] {
  const functions = new Map(blocks(text, /fun BuildType\.(\w+)\(.*?\)/).map(({ head, body }) => [head[1]!, body]));
  const jobs: CiJob[] = [];
  for (const { head, body } of blocks(text, /object (\w+) : BuildType\(/)) {
    const own = body.replace(/^ {4}(\w+)\((\w*)\)$/gm, (call, name: string) => `${call}\n${functions.get(name) ?? ""}`);
    const follows = /follows\((\w+)\)/.exec(body)?.[1];
    if (follows !== undefined && !jobs.some(({ name }) => name === follows)) continue;
    // The triggers of all builds but Test are limited to the default branch.
    if (follows !== undefined && event.kind === "pull-request" && /branchFilter = "\+:<default>"/.test(own)) continue;
    const id = String(Number(event.id) + jobs.length);
    const parameter = (value: string) =>
      value
        .replace("%build.vcs.number%", event.sha)
        .replace("%teamcity.build.id%", id)
        // The build on which this one depends is the one before.
        .replace(/%dep\.\$\{\w+\.id\}\.teamcity\.build\.id%/, String(Number(id) - 1));
    const variables = [...own.matchAll(/(?:param|text)\("env\.(\w+)", "(.*?)"[,)\s]?(?!\w)/g)].map(
      ([, name, value]) => [name!, parameter(value!)],
    );
    jobs.push({
      name: head[1]!,
      approval: /\bapproval \{/.test(own),
      steps: [...body.matchAll(/\brun\("((?:[^"\\]|\\.)*)"\)/g)].map(([, line]) => ({
        run: inFolder(parameter(line!.replaceAll(/\\(.)/g, "$1")), /workingDir = "(.*)"/.exec(text)?.[1]),
      })),
      variables: () => ({ ...Object.fromEntries(variables), ...(event.given ?? {}), ...(event.accounts ?? ACCOUNTS) }),
      shell: ["sh"],
      runsOn: /requirements \{ (.*?) \}/.exec(own)?.[1] ?? "",
    });
  }
  return jobs;
}

function travis(text: string, event: CiEvent): CiJob[] {
  const file = parse(text);
  const type = { push: "push", "pull-request": "pull_request", manual: "api", schedule: "cron" }[event.kind];
  // Travis CI gives no secrets to pull requests of forks, and the settings limit these to the branch.
  const keys: Record<string, string> =
    event.kind === "pull-request" ? {} : { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "key" };
  return file.jobs.include.flatMap((job: Yaml): CiJob[] => {
    const condition = String(job.if ?? "true")
      .replaceAll(/env\((\w+)\) IS present/g, "(env.$1 ?? '') != ''")
      .replaceAll(/env\((\w+)\) = (\w+)/g, "env.$1 == '$2'")
      .replaceAll(/\b(branch|type) = (\w+)/g, "$1 == '$2'")
      .replaceAll(/\bAND\b/g, "&&")
      .replaceAll(/\bOR\b/g, "||");
    if (!evaluate(condition, { branch: "main", type, env: event.given ?? {} })) return [];
    const script: string[] = [job.script].flat();
    return [
      {
        name: job.stage,
        // A person triggers the build.
        approval: job.stage === "production",
        steps: [
          ...file.before_install.map((run: string) => ({ run })),
          ...(file.install === "skip" ? [] : [{ run: file.install }]),
          // A line runs even where the one before has failed; the job fails then.
          { run: `failed=0\n${script.map((line) => `(${line.trim()}\n) || failed=1`).join("\n")}\nexit $failed` },
        ],
        variables: () => ({
          ...Object.fromEntries(file.env.global.map((each: string) => each.split(/=(.*)/s).slice(0, 2))),
          ...(event.given ?? {}),
          ...keys,
          TRAVIS_COMMIT: event.sha,
          TRAVIS_BUILD_ID: event.id,
          ...(event.accounts ?? ACCOUNTS),
        }),
        depth: file.git?.depth === false ? undefined : (file.git?.depth ?? 50),
        shell: ["bash"],
        runsOn: file.arch,
      },
    ];
  });
}

/** CI files by the answer that generates them. */
export const CI_FILES = {
  "github-actions": { path: ".github/workflows/delivery.yml", jobs: gitHub },
  gitlab: { path: ".gitlab-ci.yml", jobs: gitLab },
  jenkins: { path: "Jenkinsfile", jobs: jenkins },
  teamcity: { path: ".teamcity/settings.kts", jobs: teamCity },
  travis: { path: ".travis.yml", jobs: travis },
} as const;

export type CiSystem = keyof typeof CI_FILES;
