import { toRoot } from "../contract/directory";
import type { Answers } from "./options";

/** One file of a generated repository. */
export interface ManifestRow {
  /** Path of the file in the new repository, with forward slashes. */
  readonly path: string;

  /**
   * Path of its template below `templates/`. A template that ends in `.hbs` is rendered, any other is copied. Dotfiles are
   * stored with an underscore (`_gitignore`), because npm leaves some dotfiles out of a package.
   */
  readonly template: string;

  /**
   * Path from the root of the git repository, where the CI system or a bot reads the file of a service in a folder; `<name>` is that of the service.
   *
   * @default - in the folder, too
   */
  readonly atRoot?: string;

  /**
   * Kind of repository that has the file.
   *
   * @default - both
   */
  readonly of?: "platform" | "service";

  /**
   * Answers for which the file is written.
   *
   * @default - all
   */
  readonly when?: (answers: Answers) => boolean;

  /**
   * Permission bits.
   *
   * @default 0o644
   */
  readonly mode?: number;
}

type When = NonNullable<ManifestRow["when"]>;

const postgres: When = ({ database }) => database === "postgres";
const valkey: When = ({ cache }) => cache === "valkey";
const sqs: When = ({ queue }) => queue === "sqs";
const oidc: When = ({ auth }) => auth === "oidc";
const job: When = (answers) => answers.job === true;
const calls: When = (answers) => answers.calls !== "none";
const cdktn: When = ({ engine }) => engine === "cdktn";
const npm: When = ({ packageManager }) => packageManager === "npm";
const pnpm: When = ({ packageManager }) => packageManager === "pnpm";
const ci =
  (...systems: readonly string[]): When =>
  (answers) =>
    systems.includes(answers.ci ?? "");
/** CI systems whose jobs assume a role by a profile of the AWS SDKs. */
const WITH_ROLE = ["gitlab", "jenkins", "teamcity", "travis"];
const inFolder =
  (system: string): When =>
  ({ ci: chosen, directory }) =>
    chosen === system && directory !== "none";
const either =
  (...conditions: readonly When[]): When =>
  (answers) =>
    conditions.some((condition) => condition(answers));

/** Every file that `new` can write, sorted by path. `.antifragile.json`, which holds the answers, comes in addition. */
export const manifest: readonly ManifestRow[] = [
  { path: ".dockerignore", template: "service/_dockerignore.hbs", of: "service" },
  { path: ".env.example", template: "service/_env.example.hbs", of: "service" },
  { path: ".gitattributes", template: "repo/_gitattributes" },
  {
    path: ".github/dependabot.yml",
    atRoot: ".github/dependabot.yml",
    template: "repo/dependabot.yml.hbs",
    when: ({ updates }) => updates === "dependabot",
  },
  {
    path: ".github/workflows/delivery.yml",
    atRoot: ".github/workflows/<name>.yml",
    template: "ci/github-actions.yml.hbs",
    of: "service",
    when: ci("github-actions"),
  },
  { path: ".gitignore", template: "repo/_gitignore" },
  { path: ".gitlab-ci.yml", template: "ci/gitlab-ci.yml.hbs", of: "service", when: ci("gitlab") },
  {
    path: ".gitlab-ci.yml",
    atRoot: ".gitlab-ci.yml",
    template: "ci/gitlab-root.yml.hbs",
    of: "service",
    when: inFolder("gitlab"),
  },
  { path: ".gitlab-trigger.yml", template: "ci/gitlab-trigger.yml.hbs", of: "service", when: inFolder("gitlab") },
  { path: ".npmrc", template: "repo/_npmrc", when: npm },
  { path: ".teamcity/settings.kts", template: "ci/teamcity.kts.hbs", of: "service", when: ci("teamcity") },
  { path: ".travis.yml", template: "ci/travis.yml.hbs", of: "service", when: ci("travis") },
  {
    path: ".travis.yml",
    atRoot: ".travis.yml",
    template: "ci/travis-root.yml.hbs",
    of: "service",
    when: inFolder("travis"),
  },
  { path: "Dockerfile", template: "service/Dockerfile.hbs", of: "service" },
  { path: "Jenkinsfile", template: "ci/Jenkinsfile.hbs", of: "service", when: ci("jenkins") },
  { path: "LICENSE", template: "repo/LICENSE.hbs", when: ({ license }) => license === "mit-0" },
  { path: "README.md", template: "platform/README.md.hbs", of: "platform" },
  { path: "README.md", template: "repo/README.md.hbs", of: "service" },
  { path: "biome.json", template: "repo/biome.json.hbs" },
  { path: "compose.yaml", template: "service/compose.yaml.hbs", of: "service" },
  { path: "elasticmq.conf", template: "service/elasticmq.conf", of: "service", when: sqs },
  { path: "gameday/hypothesis.json", template: "service/gameday/hypothesis.json", of: "service" },
  { path: "infra/cdktf.json", template: "infra/cdktf.json.hbs" },
  {
    path: "infra/delivery.ts",
    template: "infra/ci-roles.ts.hbs",
    of: "service",
    when: ci("github-actions", ...WITH_ROLE),
  },
  { path: "infra/delivery.ts", template: "infra/delivery.ts.hbs", of: "service", when: ci("none") },
  { path: "infra/delivery.ts", template: "infra/pipeline.ts.hbs", of: "service", when: ci("codepipeline") },
  { path: "infra/engine.d.ts", template: "infra/engine.d.ts", when: cdktn },
  { path: "infra/environments.ts", template: "platform/environments.ts.hbs", of: "platform" },
  { path: "infra/environments.ts", template: "infra/environments.ts.hbs", of: "service" },
  { path: "infra/infrastructure.ts", template: "platform/infrastructure.ts.hbs", of: "platform" },
  { path: "infra/infrastructure.ts", template: "infra/infrastructure.ts.hbs", of: "service" },
  { path: "infra/main.ts", template: "infra/main.ts.hbs" },
  { path: "infra/test/infrastructure.test.ts", template: "infra/test/infrastructure.test.ts.hbs" },
  { path: "migrations/0001-quotes.sql", template: "service/migrations/0001-quotes.sql", of: "service", when: postgres },
  { path: "openapi.yaml", template: "service/openapi.yaml.hbs", of: "service" },
  { path: "package.json", template: "platform/package.json.hbs", of: "platform" },
  { path: "package.json", template: "repo/package.json.hbs", of: "service" },
  { path: "pnpm-workspace.yaml", template: "repo/pnpm-workspace.yaml", when: pnpm },
  {
    path: "renovate.json",
    atRoot: "renovate.json",
    template: "repo/renovate.json",
    when: ({ updates }) => updates === "renovate",
  },
  { path: "scripts/dev.ts", template: "service/scripts/dev.ts.hbs", of: "service" },
  { path: "scripts/environment.ts", template: "service/scripts/environment.ts", of: "service" },
  { path: "scripts/generate.ts", template: "service/scripts/generate.ts", of: "service" },
  { path: "scripts/image.ts", template: "service/scripts/image.ts", of: "service" },
  { path: "scripts/issuer.ts", template: "service/scripts/issuer.ts", of: "service", when: oidc },
  { path: "scripts/run.ts", template: "service/scripts/run.ts", of: "service" },
  { path: "scripts/with-role.sh", template: "ci/with-role.sh.hbs", of: "service", when: ci(...WITH_ROLE), mode: 0o755 },
  { path: "src/admin/console.ts", template: "service/src/admin/console.ts", of: "service" },
  { path: "src/admin/migrate.ts", template: "service/src/admin/migrate.ts", of: "service", when: postgres },
  { path: "src/admin/seed.ts", template: "service/src/admin/seed.ts", of: "service", when: postgres },
  { path: "src/app.ts", template: "service/src/app.ts", of: "service" },
  { path: "src/auth.ts", template: "service/src/auth.ts", of: "service", when: oidc },
  { path: "src/backing.ts", template: "service/src/backing.ts.hbs", of: "service" },
  { path: "src/backing/cache-token.ts", template: "service/src/backing/cache-token.ts", of: "service", when: valkey },
  { path: "src/backing/client.ts", template: "service/src/backing/client.ts", of: "service", when: calls },
  {
    path: "src/backing/health.ts",
    template: "service/src/backing/health.ts",
    of: "service",
    when: either(postgres, valkey, sqs, calls, oidc),
  },
  { path: "src/backing/postgres.ts", template: "service/src/backing/postgres.ts", of: "service", when: postgres },
  { path: "src/backing/queue.ts", template: "service/src/backing/queue.ts", of: "service", when: sqs },
  { path: "src/backing/valkey.ts", template: "service/src/backing/valkey.ts", of: "service", when: valkey },
  { path: "src/cached-quote.ts", template: "service/src/cached-quote.ts", of: "service", when: valkey },
  { path: "src/config-declaration.ts", template: "service/src/config-declaration.ts.hbs", of: "service" },
  { path: "src/config.ts", template: "service/src/config.ts", of: "service" },
  { path: "src/contract-types.ts", template: "service/src/contract-types.ts.hbs", of: "service" },
  { path: "src/contract.ts", template: "service/src/contract.ts", of: "service" },
  { path: "src/docs-page.ts", template: "service/src/docs-page.ts", of: "service" },
  { path: "src/handlers.ts", template: "service/src/handlers.ts.hbs", of: "service" },
  { path: "src/job.ts", template: "service/src/job.ts.hbs", of: "service", when: job },
  { path: "src/log.ts", template: "service/src/log.ts", of: "service" },
  { path: "src/main.ts", template: "service/src/main.ts.hbs", of: "service" },
  { path: "src/methods.ts", template: "service/src/methods.ts", of: "service" },
  { path: "src/problem.ts", template: "service/src/problem.ts", of: "service" },
  { path: "src/process.ts", template: "service/src/process.ts", of: "service" },
  { path: "src/quote-store.ts", template: "service/src/quote-store.ts", of: "service", when: postgres },
  { path: "src/quotes.ts", template: "service/src/quotes.ts", of: "service" },
  { path: "src/shutdown.ts", template: "service/src/shutdown.ts", of: "service" },
  { path: "src/telemetry.ts", template: "service/src/telemetry.ts.hbs", of: "service" },
  { path: "src/worker.ts", template: "service/src/worker.ts", of: "service", when: sqs },
  { path: "test/auth.test.ts", template: "service/test/auth.test.ts", of: "service", when: oidc },
  { path: "test/client.test.ts", template: "service/test/client.test.ts", of: "service", when: calls },
  { path: "test/config.test.ts", template: "service/test/config.test.ts", of: "service" },
  { path: "test/console.test.ts", template: "service/test/console.test.ts", of: "service" },
  { path: "test/contract.test.ts", template: "service/test/contract.test.ts", of: "service" },
  { path: "test/drain.test.ts", template: "service/test/drain.test.ts", of: "service" },
  { path: "test/http.test.ts", template: "service/test/http.test.ts", of: "service" },
  { path: "test/job.test.ts", template: "service/test/job.test.ts.hbs", of: "service", when: job },
  { path: "test/logs.test.ts", template: "service/test/logs.test.ts", of: "service" },
  { path: "test/postgres.test.ts", template: "service/test/postgres.test.ts.hbs", of: "service", when: postgres },
  { path: "test/support/app.ts", template: "service/test/support/app.ts.hbs", of: "service" },
  { path: "test/support/collector.ts", template: "service/test/support/collector.ts", of: "service" },
  { path: "test/support/crash.ts", template: "service/test/support/crash.ts", of: "service" },
  { path: "test/support/postgres.ts", template: "service/test/support/postgres.ts", of: "service", when: postgres },
  {
    path: "test/support/proxy.ts",
    template: "service/test/support/proxy.ts",
    of: "service",
    when: either(postgres, valkey, sqs, calls),
  },
  {
    path: "test/support/reachable.ts",
    template: "service/test/support/reachable.ts",
    of: "service",
    when: either(postgres, valkey),
  },
  { path: "test/support/service.ts", template: "service/test/support/service.ts.hbs", of: "service" },
  { path: "test/support/slow-request.ts", template: "service/test/support/slow-request.ts", of: "service" },
  { path: "test/support/sqs.ts", template: "service/test/support/sqs.ts", of: "service", when: sqs },
  { path: "test/telemetry.test.ts", template: "service/test/telemetry.test.ts", of: "service" },
  { path: "test/valkey.test.ts", template: "service/test/valkey.test.ts", of: "service", when: valkey },
  { path: "test/web.test.ts", template: "service/test/web.test.ts", of: "service" },
  { path: "test/worker.test.ts", template: "service/test/worker.test.ts", of: "service", when: sqs },
  { path: "tsconfig.build.json", template: "service/tsconfig.build.json", of: "service" },
  { path: "tsconfig.json", template: "repo/tsconfig.json" },
  { path: "vitest.config.mts", template: "repo/vitest.config.mts" },
];

/** Rows of the files that a repository with these answers has. */
export function rowsFor(answers: Answers): readonly ManifestRow[] {
  const kind = answers.platform ? "platform" : "service";
  return manifest.filter(({ of = kind, when }) => of === kind && (when?.(answers) ?? true));
}

/** Path of a file from the folder of the repository. */
export function pathOf({ path, atRoot }: ManifestRow, { directory = "none", name }: Answers): string {
  if (atRoot === undefined || directory === "none") return path;
  return `${toRoot(directory)}${atRoot.replace("<name>", name)}`;
}

/** Files outside of the folder of a repository with these answers. */
export const outsideOf = (answers: Answers): readonly string[] =>
  rowsFor(answers)
    .map((row) => pathOf(row, answers))
    .filter(isOutside);

/** True for a file at the root of the git repository that the folder is in. */
export const isOutside = (path: string): boolean => path.startsWith("../");

/** True for a file outside of the folder that other services do not use as well, as they use a list of files to include. */
export const isOwn = (path: string): boolean => path.includes(".github/workflows/");
