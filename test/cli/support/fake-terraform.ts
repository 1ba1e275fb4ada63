import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";

const LOCK_ID = "7d5c1b7e-7c9e-b0a1-c1c9-0d7c1b7e7c9e";

/**
 * Terraform's manners, in a shell: a plan is of a stack that is not applied yet, or of one that is and is to be destroyed; an apply holds a lock and takes as long as it
 * is held; the first interrupt ends it in order, the second at once. A signal by a closed pipe ends it as it ends a Go program.
 */
const SCRIPT = `#!/bin/bash
stack=$(basename "$PWD")
say() { echo "$stack $1" >> "$FAKE/log"; }
[ "$1" = version ] && exit 0
say "$*"
[ -e "$FAKE/$1.fault" ] && { cat "$FAKE/$1.fault" >&2; exit 1; }
# Ends, as Terraform does, if someone else has the lock.
acquire() {
  [ -e lock ] || return 0
  printf 'Error: Error acquiring the state lock\\n\\nLock Info:\\n  ID:        ${LOCK_ID}\\n  Path:      bucket/key\\n' >&2
  printf '  Operation: OperationTypeApply\\n  Who:       mia@laptop\\n  Version:   1.10.5\\n  Created:   2026-11-27\\n  Info:      \\n' >&2
  exit 1
}
case "$1" in
  init) trap "" INT; while [ -e "$FAKE/hold-init" ]; do sleep 0.05; done ;;
  plan)
    case " $* " in *" -lock=false "*) locks=no ;; *) locks=yes ;; esac
    [ $locks = no ] || acquire
    case " $* " in *" -destroy "*) does=destroy ;; *) does=create ;; esac
    for word in "$@"; do case $word in -out=*) echo "$stack $does" > "\${word#-out=}" ;; esac; done
    if [ -e applied ]; then is=create; else is=destroy; fi
    [ $does = $is ] && { echo "No changes."; exit 0; }
    echo "Plan: 1 to add, 0 to change, 0 to destroy."
    case " $* " in *" -detailed-exitcode "*) exit 2 ;; esac ;;
  show) [ -e "$FAKE/show.json" ] && { cat "$FAKE/show.json"; exit 0; }
    echo '{"format_version":"1.2","planned_values":{},"resource_changes":[]}' ;;
  apply)
    interrupts=0
    trap 'interrupts=$((interrupts + 1)); say "interrupt $interrupts"; [ $interrupts -lt 2 ] || exit 1' INT
    acquire
    touch lock
    say "apply begins"
    for turn in 1 2 3 4 5; do echo "Still creating..."; sleep 0.02; done
    while [ -e "$FAKE/hold-apply" ]; do
      sleep 0.05
      [ $interrupts = 1 ] && [ ! -e "$FAKE/stubborn" ] && { rm lock; say "apply ends in order"; exit 1; }
    done
    for plan in "$@"; do :; done
    if grep -q destroy "$plan"; then rm -f applied; else touch applied; fi
    rm lock; say "apply ends" ;;
esac
`;

/** Repository of the environment `dev` with two stacks, whose Terraform is a shell script. */
export class FakeTerraform {
  readonly folder = mkdtempSync(join(tmpdir(), "antifragile-terraform-"));
  readonly repository: string;
  /** Further variables of the environment. */
  readonly variables: NodeJS.ProcessEnv = {};
  readonly #fake: string;

  constructor() {
    const { folder } = this;
    this.repository = join(folder, "repository");
    this.#fake = join(folder, "fake");
    for (const each of ["bin", "fake", "tmp", "repository/infra"]) mkdirSync(join(folder, each), { recursive: true });
    writeFileSync(join(folder, "bin/terraform"), SCRIPT, { mode: 0o755 });
    symlinkSync(join(__dirname, "../../../node_modules"), join(this.repository, "node_modules"));
    const manifest = {
      stacks: {
        "orders-dev-platform": { dependencies: [] },
        "orders-dev-service": { dependencies: ["orders-dev-platform"] },
      },
    };
    writeFileSync(
      join(this.repository, "infra/main.ts"),
      `import { mkdirSync, writeFileSync } from "node:fs";
const [, , name = "dev"] = process.argv;
if (name !== "dev") {
  console.error(\`infra/environments.ts: has no environment \${JSON.stringify(name)}\`);
  process.exit(1);
}
const manifest = ${JSON.stringify(manifest)};
for (const name of Object.keys(manifest.stacks)) {
  mkdirSync(\`infra/cdktf.out/stacks/\${name}\`, { recursive: true });
  writeFileSync(\`infra/cdktf.out/stacks/\${name}/cdk.tf.json\`, "{}");
}
writeFileSync("infra/cdktf.out/manifest.json", JSON.stringify(manifest));
`,
    );
  }

  /** Environment in which this is Terraform, and temporary files are kept apart. */
  environment(): NodeJS.ProcessEnv {
    const { npm_lifecycle_event, NODE_OPTIONS, ...inherited } = process.env;
    return {
      ...inherited,
      PATH: `${join(this.folder, "bin")}:${process.env.PATH}`,
      FAKE: this.#fake,
      TMPDIR: join(this.folder, "tmp"),
      ...this.variables,
    };
  }

  /** Calls and events: `orders-dev-platform apply begins`. */
  get log(): readonly string[] {
    const file = join(this.#fake, "log");
    return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  }

  /** Lines of the log on what apply did. */
  get applies(): readonly string[] {
    return this.log
      .filter((line) => /(apply (begins|ends)|interrupt)/.test(line))
      .map((line) => line.replace("orders-dev-", ""));
  }

  /** Makes applies, or inits that ignore interrupts, take until this is switched off. */
  hold(on: boolean, command: "apply" | "init" = "apply"): void {
    this.#switch(`hold-${command}`, on);
  }

  /** Makes applies go on after the first interrupt. */
  stubborn(on: boolean): void {
    this.#switch("stubborn", on);
  }

  /** Makes a command fail with these words. */
  fault(command: string, words: string | undefined): void {
    if (words === undefined) rmSync(join(this.#fake, `${command}.fault`), { force: true });
    else writeFileSync(join(this.#fake, `${command}.fault`), words);
  }

  /** Makes plans hold this. */
  plans(plan: object): void {
    writeFileSync(join(this.#fake, "show.json"), JSON.stringify(plan));
  }

  file(stack: string, name: string): string {
    return join(this.repository, "infra/cdktf.out/stacks", stack, name);
  }

  /** Lets an apply end that is held, and removes the repository. */
  remove(): void {
    this.hold(false);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 });
  }

  #switch(name: string, on: boolean): void {
    if (on) writeFileSync(join(this.#fake, name), "");
    else rmSync(join(this.#fake, name), { force: true });
  }
}

/** Makes a repository with a fake Terraform for each test of a file. */
export function useFakeTerraform(): () => FakeTerraform {
  let current: FakeTerraform;
  beforeEach(() => {
    current = new FakeTerraform();
  });
  afterEach(() => current.remove());
  return () => current;
}
