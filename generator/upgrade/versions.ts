/** Data of this version for upgrades from earlier ones. */

import type { Value } from "../option-table";
import type { Answers } from "../options";

/** Renamed files of generated repositories: old path, new path. Edits of the user move with the file. */
export const RENAMED_FILES: readonly (readonly [from: string, to: string])[] = [
  ["src/backing/aws-token.ts", "src/backing/cache-token.ts"],
];

/** Files that scripts of a generated repository write from others. */
export const GENERATED_FILES: Readonly<Record<string, string>> = { "src/contract-types.ts": "generate" };

/** Answers of repositories without this answer, which are older than the question, if not the default: it would change what is deployed. */
export const ANSWERED_BEFORE: Readonly<Record<string, Value>> = { accounts: "one" };

/** Answers that `antifragile add` changes. The others are part of names, or of every file. */
export const ADDABLE: readonly string[] = [
  "database",
  "cache",
  "queue",
  "job",
  "auth",
  "calls",
  "ci",
  "directory",
  "accounts",
  "deployment",
  "capacity",
  "chaos",
  "environments",
  "engine",
  "provider",
  "updates",
];

/** Answers that `antifragile remove` changes. Without a database, data is lost that no other service has. */
export const REMOVABLE: readonly string[] = ["cache", "queue", "job", "calls", "chaos"];

/** Change of a repository that replaces a protected resource. */
export interface Replacement {
  readonly of: (before: Answers, after: Answers) => boolean;
  readonly effect: string;
  /** Steps that lead to the same end without it. */
  readonly instead: string;
}

const byCodeDeploy = ({ provider, deployment }: Answers) => provider !== "6" && (deployment ?? "rolling") !== "rolling";

export const REPLACEMENTS: readonly Replacement[] = [
  {
    of: (before, after) => !byCodeDeploy(before) && byCodeDeploy(after),
    effect: "AWS CodeDeploy needs another service: the deployed one is replaced, an outage of some minutes",
    instead:
      "first `antifragile add provider=6`, commit, deploy; then add the deployment, which Amazon ECS does without another service",
  },
  {
    of: (before, after) => byCodeDeploy(before) && !byCodeDeploy(after),
    effect: "AWS CodeDeploy has another service: the deployed one is replaced, an outage of some minutes",
    instead:
      "add a second service with the new deployment, release it, move callers and paths, then remove the old one",
  },
];

/** Work that a removal leaves to the user. */
export const AFTER_REMOVE: readonly string[] = [
  "remove your own code that uses it; npm test and the type check find it",
  "deploy, release, and deploy again: the live release keeps its access until the release, and deploy names what --allow-delete has to allow",
];

/** Work that an addition leaves to the user. */
export const AFTER_ADD: readonly string[] = [
  "compare your .env with .env.example; README.md shows how to start what is new",
  "fill in what npm run doctor lists, then deploy",
];
