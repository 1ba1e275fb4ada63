import type { Answers } from "./options";

/** One file of a generated repository. */
export interface ManifestRow {
  /** Where the file goes, relative to the new repository, with forward slashes. */
  readonly path: string;

  /**
   * Which file below `templates/` it is made of. One that ends in `.hbs` is rendered, any other is copied as it is.
   * Dotfiles are stored with an underscore (`_gitignore`): npm leaves some dotfiles out of a package.
   */
  readonly template: string;

  /**
   * For which answers the file is written.
   *
   * @default - always
   */
  readonly when?: (answers: Answers) => boolean;

  /**
   * Permission bits.
   *
   * @default 0o644
   */
  readonly mode?: number;
}

const attached = ({ database, cache, queue, calls }: Answers): boolean =>
  database !== "none" || cache !== "none" || queue !== "none" || calls !== "none";

/** Files of every repository. */
const shared: readonly ManifestRow[] = [
  { path: ".gitattributes", template: "repo/_gitattributes" },
  { path: ".gitignore", template: "repo/_gitignore" },
  { path: ".npmrc", template: "repo/_npmrc" },
  { path: "LICENSE", template: "repo/LICENSE.hbs", when: ({ license }) => license === "mit-0" },
  { path: "biome.json", template: "repo/biome.json.hbs" },
  { path: "infra/cdktf.json", template: "infra/cdktf.json.hbs" },
  { path: "infra/main.ts", template: "infra/main.ts.hbs" },
  { path: "infra/test/infrastructure.test.ts", template: "infra/test/infrastructure.test.ts.hbs" },
  { path: "tsconfig.json", template: "repo/tsconfig.json" },
  { path: "vitest.config.mts", template: "repo/vitest.config.mts" },
];

/** Files of a repository that holds a platform alone. */
const platform: readonly ManifestRow[] = [
  { path: "README.md", template: "platform/README.md.hbs" },
  { path: "infra/environments.ts", template: "platform/environments.ts.hbs" },
  { path: "infra/infrastructure.ts", template: "platform/infrastructure.ts.hbs" },
  { path: "package.json", template: "platform/package.json.hbs" },
];

/** Files of a service. */
const service: readonly ManifestRow[] = [
  { path: ".dockerignore", template: "service/_dockerignore.hbs" },
  { path: ".env.example", template: "service/_env.example.hbs" },
  {
    path: ".github/workflows/delivery.yml",
    template: "ci/github-actions.yml.hbs",
    when: ({ ci }) => ci === "github-actions",
  },
  { path: ".gitlab-ci.yml", template: "ci/gitlab-ci.yml.hbs", when: ({ ci }) => ci === "gitlab" },
  { path: ".teamcity/settings.kts", template: "ci/teamcity.kts", when: ({ ci }) => ci === "teamcity" },
  { path: ".travis.yml", template: "ci/travis.yml.hbs", when: ({ ci }) => ci === "travis" },
  { path: "Dockerfile", template: "service/Dockerfile.hbs" },
  { path: "Jenkinsfile", template: "ci/Jenkinsfile", when: ({ ci }) => ci === "jenkins" },
  { path: "README.md", template: "repo/README.md.hbs" },
  { path: "compose.yaml", template: "service/compose.yaml.hbs" },
  { path: "elasticmq.conf", template: "service/elasticmq.conf", when: ({ queue }) => queue === "sqs" },
  { path: "gameday/hypothesis.json", template: "service/gameday/hypothesis.json" },
  {
    path: "infra/delivery.ts",
    template: "infra/delivery.ts.hbs",
    when: ({ ci }) => ci !== "codepipeline" && ci !== "github-actions",
  },
  { path: "infra/delivery.ts", template: "infra/github-actions.ts.hbs", when: ({ ci }) => ci === "github-actions" },
  { path: "infra/delivery.ts", template: "infra/pipeline.ts.hbs", when: ({ ci }) => ci === "codepipeline" },
  { path: "infra/environments.ts", template: "infra/environments.ts.hbs" },
  { path: "infra/infrastructure.ts", template: "infra/infrastructure.ts.hbs" },
  {
    path: "migrations/0001-quotes.sql",
    template: "service/migrations/0001-quotes.sql",
    when: ({ database }) => database === "postgres",
  },
  { path: "openapi.yaml", template: "service/openapi.yaml.hbs" },
  { path: "package.json", template: "repo/package.json.hbs" },
  { path: "scripts/balancer.ts", template: "service/scripts/balancer.ts" },
  { path: "scripts/dev.ts", template: "service/scripts/dev.ts.hbs" },
  { path: "scripts/environment.ts", template: "service/scripts/environment.ts" },
  { path: "scripts/gameday-report.ts", template: "service/scripts/gameday-report.ts" },
  { path: "scripts/gameday.ts", template: "service/scripts/gameday.ts.hbs" },
  { path: "scripts/generate.ts", template: "service/scripts/generate.ts" },
  { path: "scripts/image.ts", template: "service/scripts/image.ts" },
  { path: "scripts/issuer.ts", template: "service/scripts/issuer.ts", when: ({ auth }) => auth === "oidc" },
  { path: "scripts/run.ts", template: "service/scripts/run.ts" },
  { path: "src/admin/console.ts", template: "service/src/admin/console.ts" },
  {
    path: "src/admin/migrate.ts",
    template: "service/src/admin/migrate.ts",
    when: ({ database }) => database === "postgres",
  },
  { path: "src/admin/seed.ts", template: "service/src/admin/seed.ts", when: ({ database }) => database === "postgres" },
  { path: "src/app.ts", template: "service/src/app.ts" },
  { path: "src/auth.ts", template: "service/src/auth.ts", when: ({ auth }) => auth === "oidc" },
  { path: "src/backing.ts", template: "service/src/backing.ts.hbs" },
  {
    path: "src/backing/aws-token.ts",
    template: "service/src/backing/aws-token.ts",
    when: ({ database, cache }) => database === "postgres" || cache === "valkey",
  },
  { path: "src/backing/client.ts", template: "service/src/backing/client.ts", when: ({ calls }) => calls !== "none" },
  { path: "src/backing/health.ts", template: "service/src/backing/health.ts", when: attached },
  {
    path: "src/backing/postgres.ts",
    template: "service/src/backing/postgres.ts",
    when: ({ database }) => database === "postgres",
  },
  { path: "src/backing/queue.ts", template: "service/src/backing/queue.ts", when: ({ queue }) => queue === "sqs" },
  { path: "src/backing/valkey.ts", template: "service/src/backing/valkey.ts", when: ({ cache }) => cache === "valkey" },
  { path: "src/config-declaration.ts", template: "service/src/config-declaration.ts.hbs" },
  { path: "src/config.ts", template: "service/src/config.ts" },
  { path: "src/contract-types.ts", template: "service/src/contract-types.ts.hbs" },
  { path: "src/contract.ts", template: "service/src/contract.ts" },
  { path: "src/docs-page.ts", template: "service/src/docs-page.ts" },
  { path: "src/handlers.ts", template: "service/src/handlers.ts.hbs" },
  { path: "src/job.ts", template: "service/src/job.ts.hbs", when: ({ job }) => job === true },
  { path: "src/log.ts", template: "service/src/log.ts" },
  { path: "src/main.ts", template: "service/src/main.ts.hbs" },
  { path: "src/problem.ts", template: "service/src/problem.ts" },
  { path: "src/process.ts", template: "service/src/process.ts" },
  {
    path: "src/quote-store.ts",
    template: "service/src/quote-store.ts",
    when: ({ database }) => database === "postgres",
  },
  { path: "src/quotes.ts", template: "service/src/quotes.ts" },
  { path: "src/telemetry.ts", template: "service/src/telemetry.ts.hbs" },
  { path: "src/worker.ts", template: "service/src/worker.ts", when: ({ queue }) => queue === "sqs" },
  { path: "test/auth.test.ts", template: "service/test/auth.test.ts", when: ({ auth }) => auth === "oidc" },
  { path: "test/client.test.ts", template: "service/test/client.test.ts", when: ({ calls }) => calls !== "none" },
  { path: "test/config.test.ts", template: "service/test/config.test.ts" },
  { path: "test/console.test.ts", template: "service/test/console.test.ts" },
  { path: "test/contract.test.ts", template: "service/test/contract.test.ts" },
  { path: "test/drain.test.ts", template: "service/test/drain.test.ts" },
  { path: "test/gameday.test.ts", template: "service/test/gameday.test.ts" },
  { path: "test/job.test.ts", template: "service/test/job.test.ts.hbs", when: ({ job }) => job === true },
  { path: "test/logs.test.ts", template: "service/test/logs.test.ts" },
  {
    path: "test/postgres.test.ts",
    template: "service/test/postgres.test.ts.hbs",
    when: ({ database }) => database === "postgres",
  },
  { path: "test/support/app.ts", template: "service/test/support/app.ts.hbs" },
  { path: "test/support/collector.ts", template: "service/test/support/collector.ts" },
  { path: "test/support/crash.ts", template: "service/test/support/crash.ts" },
  {
    path: "test/support/postgres.ts",
    template: "service/test/support/postgres.ts",
    when: ({ database }) => database === "postgres",
  },
  {
    path: "test/support/reachable.ts",
    template: "service/test/support/reachable.ts",
    when: ({ database, cache }) => database === "postgres" || cache === "valkey",
  },
  { path: "test/support/service.ts", template: "service/test/support/service.ts.hbs" },
  { path: "test/support/slow-request.ts", template: "service/test/support/slow-request.ts" },
  { path: "test/support/sqs.ts", template: "service/test/support/sqs.ts", when: ({ queue }) => queue === "sqs" },
  { path: "test/telemetry.test.ts", template: "service/test/telemetry.test.ts" },
  { path: "test/valkey.test.ts", template: "service/test/valkey.test.ts", when: ({ cache }) => cache === "valkey" },
  { path: "test/web.test.ts", template: "service/test/web.test.ts" },
  { path: "test/worker.test.ts", template: "service/test/worker.test.ts", when: ({ queue }) => queue === "sqs" },
  { path: "tsconfig.build.json", template: "service/tsconfig.build.json" },
];

function only(applies: (answers: Answers) => boolean, rows: readonly ManifestRow[]): ManifestRow[] {
  return rows.map((row) => ({ ...row, when: (answers) => applies(answers) && (row.when?.(answers) ?? true) }));
}

/** The groups, each sorted by path. */
export const groups = { shared, platform, service };

/** Every file that `new` can write. `.antifragile.json` comes besides: it holds the answers. */
export const manifest: readonly ManifestRow[] = [
  ...shared,
  ...only((answers) => answers.platform, platform),
  ...only((answers) => !answers.platform, service),
];
