import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Ended, type Started, start } from "../cli/support/child";
import { ROOT } from "./examples";
import type { FaultProxy } from "./faulty-endpoint";
import { runInTerminal } from "./in-terminal";
import type { Terminal } from "./terminal";

/** Program of a repository with one stack: a parameter, and another one that waits for it, both with the value of `VERSION`. */
const programOf = (s3: object) => `import { mkdirSync, writeFileSync } from "node:fs";
const parameter = (name: string) => ({ name: "/apply/" + name, type: "String", value: process.env.VERSION });
const program = {
  terraform: { required_providers: { aws: { source: "hashicorp/aws" } }, backend: { s3: ${JSON.stringify(s3)} } },
  provider: { aws: [{ region: "eu-central-1", default_tags: [{ tags: { Environment: "dev" } }] }] },
  resource: {
    aws_ssm_parameter: {
      first: parameter("first"),
      second: { ...parameter("second"), depends_on: ["aws_ssm_parameter.first"] },
    },
  },
};
mkdirSync("infra/cdktf.out/stacks/orders-dev-service", { recursive: true });
writeFileSync("infra/cdktf.out/stacks/orders-dev-service/cdk.tf.json", JSON.stringify(program));
writeFileSync("infra/cdktf.out/manifest.json", '{"stacks":{"orders-dev-service":{"dependencies":[]}}}');
`;

const DEPLOY = ["deploy", "dev", "--auto-approve"];

/** Repository whose stack is deployed by the packed executable, while faults hit the deployment. */
export class FaultyDeployment {
  readonly #env: NodeJS.ProcessEnv;

  constructor(
    readonly folder: string,
    private readonly aws: FaultProxy,
    private readonly command: (...words: string[]) => readonly string[],
    { s3, env }: { readonly s3: object; readonly env: NodeJS.ProcessEnv },
  ) {
    this.#env = { ...env, ...aws.variables };
    mkdirSync(join(folder, "infra"), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    writeFileSync(join(folder, "infra/main.ts"), programOf(s3));
  }

  /** Runs a line of a shell, as the messages of a command show it. */
  shell(line: string): Started {
    return start(["bash", "--norc", "-c", line], { cwd: this.folder, env: this.#env });
  }

  /** Runs a command, by default the deployment, with a version of the program. */
  run(
    version: number,
    { words = DEPLOY, shell = [] }: { words?: readonly string[]; shell?: readonly string[] } = {},
  ): Started {
    this.aws.calls.length = 0;
    const env = { ...this.#env, VERSION: `${version}` };
    return start([...shell, ...this.command(...words)], { cwd: this.folder, env });
  }

  /** Deploys in a terminal, to which something is done while Terraform changes the first parameter. */
  runInTerminal(version: number, act: (terminal: Terminal) => unknown): Promise<Pick<Ended, "code" | "text">> {
    return runInTerminal({
      words: this.command(...DEPLOY),
      env: { ...this.#env, VERSION: `${version}` },
      folder: this.folder,
      prepare: (terminal) => this.duringApply(() => act(terminal)),
    });
  }

  /** Holds the next change of the first parameter, and does something meanwhile. */
  duringApply(act: () => unknown): void {
    this.aws.before = async (call) => {
      if (!/^PutParameter .*first$/.test(call)) return;
      this.aws.before = () => undefined;
      await act();
    };
  }
}
