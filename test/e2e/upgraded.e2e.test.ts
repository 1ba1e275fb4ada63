import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { DescribeServicesCommand, DescribeTaskDefinitionCommand } from "@aws-sdk/client-ecs";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Emulator } from "../../emulator";
import { type Result, run, succeeded, usePackage } from "../cli/packed";
import { edit, editAsTeam } from "../cli/support/team";
import { binOf, commit, git, put, textOf, useVersions } from "../cli/support/versions";
import { itWithIam } from "../iam/packages";
import { judgeCalls } from "../iam/recorded/judge";
import { roleOfDev, rolesOfRepository, WITHOUT_LOGS } from "../iam/recorded/repository";
import {
  accountOf,
  CALLS,
  type Clients,
  clientsFor,
  describeOnEmulator,
  resultsFolder,
  startEmulator,
} from "../support/deployment";
import { missingServers, type Servers, startServers } from "../templates/support/servers";

/** An image of another registry: none is built here, and only images of ECR are tagged by a release. */
const image = (digit: string) => `ghcr.io/acme/orders@sha256:${digit.repeat(64)}`;

const SECOND_SERVICE = `    new CloudNativeService(stack, "Stock", {
      process: worker({ command: ["node", "dist/stock.js"] }),
      environment: environment.variables,
    });
`;

/** A repository of the oldest version that deploys: a team has edited, deployed and released it; it is upgraded, deployed and released again. */
describeOnEmulator("a deployed repository of an early version", () => {
  const results = resultsFolder("upgraded");
  const packed = usePackage();
  const versionOf = useVersions();
  let folder: string;
  let repository: string;
  let emulator: Emulator;
  let clients: Clients;
  let account: NodeJS.ProcessEnv;
  let servers: Servers | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "antifragile-upgraded-"));
    repository = join(folder, "orders");
    if (missingServers().length === 0) servers = await startServers();
    emulator = await startEmulator(results);
    clients = clientsFor(emulator.url, "eu-central-1");
    account = { ...accountOf(emulator, folder), NO_COLOR: "1", CI: "1" };
  });

  afterAll(async () => {
    for (const client of Object.values(clients ?? {})) client.destroy();
    await emulator?.stop();
    await servers?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The account for a role of the pipeline: the access key says who calls. */
  const as = (role: "apply" | "release"): NodeJS.ProcessEnv => ({ ...account, AWS_ACCESS_KEY_ID: role });

  let calls = 0;
  /** Runs a command in the repository, keeps what it prints, and returns it. */
  async function inRepository(command: string, env: NodeJS.ProcessEnv = account): Promise<Result> {
    const result = await run(command.split(" "), repository, { env });
    const name = `${calls++}-${command.replaceAll(/[^\w.]+/g, "-").slice(0, 40)}.log`;
    writeFileSync(join(results, name), `${result.stdout}\n${result.stderr}`);
    return { ...result, stdout: stripVTControlCharacters(result.stdout) };
  }
  const outputOf = async (command: string, env?: NodeJS.ProcessEnv): Promise<string> =>
    succeeded(await inRepository(command, env), command);

  /** Images that the services run. */
  async function running(): Promise<readonly (string | undefined)[]> {
    const { services = [] } = await clients.ecs.send(
      new DescribeServicesCommand({ cluster: "orders-dev", services: ["orders", "orders-worker", "stock"] }),
    );
    const tasks = services.map(({ taskDefinition }) =>
      clients.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition })),
    );
    return (await Promise.all(tasks)).map((each) => each.taskDefinition?.containerDefinitions?.[0]?.image);
  }

  it("is edited as a team would, deployed and released by its own version", async () => {
    const needs = ["--database=postgres", "--cache=valkey", "--queue=sqs", "--job"];
    const bin = binOf(versionOf("0.0.2"));
    const made = await run([process.execPath, bin, "new", repository, "--yes", "--no-git", ...needs], folder);
    expect(made.code, made.stderr).toBe(0);
    editAsTeam(repository);
    // And a second service, which is deployed with the first.
    edit(repository, "infra/infrastructure.ts", /^(?= {2}\}\n\}\n$)/m, SECOND_SERVICE);
    put(repository, "src/stock.ts", "setInterval(() => undefined, 60_000);\n");
    await outputOf("npm run generate");
    await outputOf("npm run snapshot");
    git(repository, "init", "--quiet");
    commit(repository);

    await outputOf("npm run deploy -- dev --auto-approve");
    await outputOf(`npm run release -- dev --image ${image("a")}`);
    expect(await running()).toEqual([image("a"), image("a"), image("a")]);
  });

  it("is upgraded without a conflict, and passes its type check, its linter and its tests", async () => {
    const upgraded = await inRepository(`${process.execPath} ${packed.bin} upgrade`);
    expect(upgraded.code, upgraded.stdout + upgraded.stderr).toBe(0);
    commit(repository);
    expect(textOf(repository, "Dockerfile")).toContain("LABEL team=orders");
    expect(textOf(repository, "infra/infrastructure.ts")).toContain(SECOND_SERVICE);
    expect(existsSync(join(repository, "test/logs.test.ts"))).toBe(false);
    for (const script of ["generate", "snapshot", "typecheck", "lint"]) await outputOf(`npm run ${script}`);
    const environment = { ...servers?.env, ...(servers ? { CI: "1" } : {}) };
    await outputOf("npm test", environment);
  });

  it("is deployed again: nothing is deleted or replaced that the plan gate protects, and nothing is left to change", async () => {
    const plan = await outputOf("npm run deploy -- dev --auto-approve", as("apply"));
    expect(plan).toContain("dev is deployed");
    expect(await running()).toEqual([image("a"), image("a"), image("a")]);
    const again = await outputOf("npm run deploy -- dev --auto-approve", as("apply"));
    expect(again).not.toMatch(/[1-9]\d* (added|changed|destroyed)/);
  });

  it("releases as before, and rolls back to what the old version had released", async () => {
    await outputOf(`npm run release -- dev --image ${image("b")}`, as("release"));
    expect(await running()).toEqual([image("b"), image("b"), image("b")]);
    expect(await outputOf("npm run releases -- dev", as("release"))).toMatch(
      /aaaaaaaa[\s\S]*bbbbbbbb|bbbbbbbb[\s\S]*aaaaaaaa/,
    );
    await outputOf("npm run rollback -- dev", as("release"));
    expect(await running()).toEqual([image("a"), image("a"), image("a")]);
  });

  // What the early version called is settled; a person did it.
  itWithIam("is deployed and released by calls that the roles of its upgraded pipeline may make", async () => {
    const roleOf = roleOfDev(await rolesOfRepository(repository));
    const { problems, simulated } = await judgeCalls(join(results, CALLS), roleOf, WITHOUT_LOGS);
    expect(problems).toEqual([]);
    expect(simulated["orders-delivery-dev-apply"]).toBeGreaterThan(100);
    expect(simulated["orders-delivery-dev-release"]).toBeGreaterThan(10);
  });
});
