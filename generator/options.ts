import { PATH_FROM_ROOT } from "../contract/directory";
import { NAME_PATTERN, NAME_RULE } from "../contract/names";
import { type AnswersOf, choice, defineOptions, type Earlier, flag, text, type Value } from "./option-table";
import { callerOf, PACKAGE_MANAGERS, UNSUPPORTED } from "./package-managers";

/** The pattern of names, without some of them. */
const nameExcept = (words: string): RegExp => new RegExp(`^(?!(?:${words})$)${NAME_PATTERN.source.slice(1)}`);

// The name becomes a folder, and Windows reserves the names of devices.
const DEVICES = "con|prn|aux|nul|com[0-9]|lpt[0-9]";

const NAME = {
  pattern: nameExcept(DEVICES),
  allowed: `${NAME_RULE}, except Windows device names (con, nul, com1 ...)`,
};

const CALLED_SERVICE = {
  // The queue and the cache use QUEUE_URL and REDIS_URL.
  pattern: nameExcept(`${DEVICES}|queue|redis`),
  allowed: `${NAME.allowed}, queue and redis`,
};

const ENVIRONMENTS = {
  // Parts of names of roles, jobs and types: short, different, and without a meaning of their own in a CI file.
  pattern:
    /^none$|^(?!.*\b(\w+),(.*,)?\1\b)(?!.*\b(dev|staging|production|delivery|drift|test|image|build|pages|stages|include|default|variables|workflow|cache|services|spec|types|project|none|null|nil|true|false|yes|no|on|off)\b)[a-z][a-z0-9]{1,9}(,[a-z][a-z0-9]{1,9})*$/,
  allowed: "names of 2 to 10 lowercase letters and digits, except words of CI systems, separated by commas",
};

const DIRECTORY = {
  pattern: PATH_FROM_ROOT,
  allowed: "a path from the root of the repository, of letters, digits, dots, hyphens and underscores",
};

/** Applicability of rows that a platform does not have. */
const OF_A_SERVICE = {
  when: ({ platform }: Earlier) => platform !== true,
  otherwise: "does not apply with --platform, which generates no service",
};

// Terraform and CI systems evaluate "${" and "%{".
const SENTENCE = {
  pattern: /^(?!\s)(?!.*[$%]\{)[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]{1,200}(?<!\s)$/u,
  allowed: "one line of 1 to 200 characters, without leading or trailing spaces, control characters, ${ or %{",
};

/**
 * Options of a generated repository, in the order of the questions. To add one, add a row and use it in a template or in the
 * manifest. Flag, question, help, schema, reference and type follow from the row.
 */
export const options = defineOptions({
  name: text({
    ask: "What is the name?",
    hint: "lowercase, for example orders",
    help: "Name of the service or platform. Names the repository and the image, and prefixes AWS names.",
    example: "orders",
    rule: NAME,
    known: ({ folder }) => (folder !== undefined && NAME.pattern.test(folder) ? folder : undefined),
  }),
  platform: flag({
    help: "Generate a platform without a service: a VPC, a cluster and a load balancer that services of other repositories join.",
    default: false,
  }),
  description: text({
    ask: "What does it do, in one sentence?",
    help: "Description in one sentence.",
    example: "Takes orders and notifies payments",
    rule: SENTENCE,
    default: ({ name, platform }) => `The ${name} ${platform === true ? "platform" : "service"}`,
  }),
  joins: text({
    help: "Name of the platform in another repository that the service joins; none creates a platform.",
    example: "shop",
    rule: NAME,
    default: "none",
    ...OF_A_SERVICE,
  }),
  database: choice({
    need: "PostgreSQL database",
    help: "Database of the service.",
    values: { none: "No database", postgres: "PostgreSQL" },
    default: "none",
    ...OF_A_SERVICE,
  }),
  cache: choice({
    need: "Valkey cache (compatible with Redis)",
    help: "Cache of the service.",
    values: { none: "None", valkey: "Valkey (compatible with Redis)" },
    default: "none",
    ...OF_A_SERVICE,
  }),
  queue: choice({
    need: "SQS queue with a worker",
    help: "Queue that the service sends messages to, and a worker process that handles them.",
    values: { none: "None", sqs: "Amazon SQS" },
    default: "none",
    ...OF_A_SERVICE,
  }),
  job: flag({
    need: "Scheduled job",
    help: "Add a process that runs on a schedule.",
    default: false,
    ...OF_A_SERVICE,
  }),
  auth: choice({
    ask: "Who can call it?",
    help: "Authentication of the callers.",
    values: { oidc: "Callers with a token from an OIDC issuer", none: "Every caller on the network" },
    default: "oidc",
    ...OF_A_SERVICE,
  }),
  ci: choice({
    ask: "Which CI system deploys it?",
    help: "CI system that tests the service, builds the image and deploys to staging and production.",
    values: {
      codepipeline: "AWS CodePipeline",
      "github-actions": "GitHub Actions",
      gitlab: "GitLab CI",
      jenkins: "Jenkins",
      travis: "Travis CI",
      teamcity: "TeamCity",
      none: "None for now",
    },
    default: "codepipeline",
    ...OF_A_SERVICE,
  }),
  directory: text({
    ask: "In which folder of its git repository is it?",
    hint: "CI systems read files at the root, which start for changes in the folder; none writes nothing outside of it",
    help: "Folder of a git repository that the service is in. What the CI system reads at the root of the repository is written there, runs in the folder, and starts for changes in it; none writes nothing outside of the folder.",
    example: "services/orders",
    rule: DIRECTORY,
    // Not asked at the root of a repository.
    known: ({ directory }) => (directory === undefined ? "none" : undefined),
    suggested: ({ directory }) => directory,
    default: "none",
    when: ({ ci = "none" }) => ci !== "none",
    otherwise: "needs a CI system, which reads files at the root of the repository",
  }),
  accounts: choice({
    help: "AWS accounts that the CI system deploys to. In an account of its own, nothing that happens in another environment reaches production.",
    values: {
      separate: "Production in an account of its own, the rest in one with the images",
      one: "One account for everything",
    },
    excluded: ({ ci }): Readonly<Record<string, string>> =>
      ci === "none" ? { separate: "needs a CI system, which has roles in each account" } : {},
    default: ({ ci }) => (ci === "none" ? "one" : "separate"),
    ...OF_A_SERVICE,
  }),
  engine: choice({
    ask: "Which engine compiles the infrastructure to Terraform?",
    help: "Engine that compiles the infrastructure to Terraform. CDK for Terraform is archived and gets no fixes, but tests of antifragile apply what it writes. CDK Terrain is its maintained successor and needs Node.js 22.13; tests compare what it writes.",
    values: {
      cdktf: "CDK for Terraform: archived, but applied in tests",
      cdktn: "CDK Terrain: its maintained successor, with AWS provider 6, which tests do not apply",
    },
    default: "cdktf",
  }),
  provider: choice({
    help: "Major version of the AWS provider. Tests of antifragile apply 5; for 6 they check arguments and types.",
    values: { "5": "AWS provider 5", "6": "AWS provider 6" },
    excluded: ({ engine }): Readonly<Record<string, string>> =>
      engine === "cdktn" ? { "5": "CDK Terrain has bindings of AWS provider 6 only" } : {},
    default: ({ engine }) => (engine === "cdktn" ? "6" : "5"),
  }),
  deployment: choice({
    ask: "How does a new version go live?",
    help: "Deployment strategy. All but rolling shift traffic: by AWS CodeDeploy with AWS provider 5, by Amazon ECS itself with 6.",
    values: {
      rolling: "Rolling: replace tasks step by step",
      "blue-green": "Blue/green: shift all traffic at once",
      canary: "Canary: shift a tenth of the traffic first",
      linear: "Linear: shift a tenth of the traffic at a time",
    },
    default: "rolling",
    ...OF_A_SERVICE,
  }),
  calls: text({
    help: "Name of another service that this service calls.",
    example: "payments",
    rule: CALLED_SERVICE,
    default: "none",
    ...OF_A_SERVICE,
  }),
  capacity: choice({
    help: "Compute capacity that containers run on.",
    values: { fargate: "AWS Fargate: no instances to manage", ec2: "EC2 instances in an Auto Scaling group" },
    default: "fargate",
  }),
  chaos: flag({
    help: "Add a chaos experiment to staging that stops half of the tasks. With --ci codepipeline, production waits for its result; otherwise it runs each week.",
    default: false,
    ...OF_A_SERVICE,
  }),
  region: text({
    help: "AWS region.",
    example: "eu-west-1",
    rule: { pattern: /^[a-z]{2,4}(-[a-z]{2,12}){1,2}-[0-9]{1,2}$/, allowed: "an AWS region code" },
    default: "eu-central-1",
  }),
  environments: text({
    help: "Environments between staging and production, in order, separated by commas. Each has its own job in the CI file.",
    example: "qa",
    rule: ENVIRONMENTS,
    default: "none",
  }),
  branch: text({
    help: "Branch of the git repository that is deployed.",
    example: "trunk",
    rule: {
      pattern: /^(?!.*(?:\.\.|\/\/|\.lock$))[A-Za-z0-9][\w./-]{0,99}(?<![./])$/,
      allowed: "a branch name of letters, digits, dots, hyphens, underscores and slashes",
    },
    known: ({ branch }) => branch,
    default: "main",
  }),
  packageManager: choice({
    help: "Package manager of the repository.",
    values: { npm: PACKAGE_MANAGERS.npm.label, pnpm: PACKAGE_MANAGERS.pnpm.label },
    unsupported: UNSUPPORTED,
    known: ({ packageManager }) => callerOf(packageManager),
    default: "npm",
  }),
  license: choice({
    help: "License of the code in the new repository.",
    values: { none: "None: all rights reserved", "mit-0": "MIT No Attribution" },
    default: "none",
  }),
  updates: choice({
    help: "Bot that proposes new versions of what is pinned: packages, images and GitHub actions. What antifragile upgrade renews is left to it.",
    values: { none: "None", renovate: "Renovate", dependabot: "Dependabot" },
    excluded: ({ ci }): Readonly<Record<string, string>> =>
      ci === "gitlab" ? { dependabot: "GitLab has no Dependabot" } : {},
    default: "none",
  }),
});

/** Answers that a repository is rendered from. */
export type Answers = AnswersOf<typeof options>;

/** Answers of `--preset`. */
export const presets: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
  api: { database: "postgres" },
  worker: { queue: "sqs" },
  minimal: { auth: "none", ci: "none" },
  platform: { platform: true },
};
