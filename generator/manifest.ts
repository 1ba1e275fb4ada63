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

/** Every file that `new` can write, sorted by path. `.antifragile.json` comes besides: it holds the answers. */
export const manifest: readonly ManifestRow[] = [
  { path: ".dockerignore", template: "service/_dockerignore" },
  { path: ".env.example", template: "service/_env.example.hbs" },
  { path: ".gitattributes", template: "repo/_gitattributes" },
  { path: ".gitignore", template: "repo/_gitignore" },
  { path: ".npmrc", template: "service/_npmrc" },
  { path: "Dockerfile", template: "service/Dockerfile" },
  { path: "LICENSE", template: "repo/LICENSE.hbs", when: ({ license }) => license === "mit-0" },
  { path: "README.md", template: "repo/README.md.hbs" },
  { path: "biome.json", template: "service/biome.json" },
  { path: "compose.yaml", template: "service/compose.yaml.hbs" },
  { path: "openapi.yaml", template: "service/openapi.yaml.hbs" },
  { path: "package.json", template: "repo/package.json.hbs" },
  { path: "scripts/dev.ts", template: "service/scripts/dev.ts" },
  { path: "scripts/env-example.ts", template: "service/scripts/env-example.ts" },
  { path: "scripts/generate.ts", template: "service/scripts/generate.ts" },
  { path: "src/app.ts", template: "service/src/app.ts" },
  { path: "src/config-declaration.ts", template: "service/src/config-declaration.ts.hbs" },
  { path: "src/config.ts", template: "service/src/config.ts" },
  { path: "src/contract-types.ts", template: "service/src/contract-types.ts" },
  { path: "src/contract.ts", template: "service/src/contract.ts" },
  { path: "src/docs-page.ts", template: "service/src/docs-page.ts" },
  { path: "src/handlers.ts", template: "service/src/handlers.ts" },
  { path: "src/log.ts", template: "service/src/log.ts" },
  { path: "src/main.ts", template: "service/src/main.ts" },
  { path: "src/problem.ts", template: "service/src/problem.ts" },
  { path: "src/process.ts", template: "service/src/process.ts" },
  { path: "src/quotes.ts", template: "service/src/quotes.ts" },
  { path: "test/config.test.ts", template: "service/test/config.test.ts" },
  { path: "test/contract.test.ts", template: "service/test/contract.test.ts" },
  { path: "test/support/app.ts", template: "service/test/support/app.ts" },
  { path: "test/support/service.ts", template: "service/test/support/service.ts" },
  { path: "test/support/slow-request.ts", template: "service/test/support/slow-request.ts" },
  { path: "test/web.test.ts", template: "service/test/web.test.ts" },
  { path: "tsconfig.build.json", template: "service/tsconfig.build.json" },
  { path: "tsconfig.json", template: "service/tsconfig.json" },
  { path: "vitest.config.mts", template: "service/vitest.config.mts" },
];
