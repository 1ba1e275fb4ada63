import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, succeeded } from "../../cli/packed";
import type { Program } from "../resolve";
import { rolesIn, type SimulatedRole } from "../roles";
import type { RoleOf } from "./judge";

/** Program of a generated repository that delivers the environment dev, which is deployed from a machine otherwise. */
const DELIVERS_DEV = `
import { join } from "node:path";
import { App, DeliveryStack, ImageRepository, Pipeline, Source } from "antifragile";
import { environments } from "./environments";
import { infrastructure } from "./infrastructure";

const account = "123456789012";
const found = environments.filter(({ name }) => name === "dev");
const releases = found.map((dev) => ({ environment: { ...dev, account, state: "s3" as const } }));
const app = new App({ outdir: join(__dirname, "delivers-dev.out") });
infrastructure(app, releases.map(({ environment }) => environment) as never);
const stack = new DeliveryStack(app, "orders", { region: "eu-central-1", account, state: "s3" });
const images = new ImageRepository(stack, "Images");
new Pipeline(stack, "Pipeline", { source: Source.gitHub("acme/orders"), images, releases });
app.synth();
`;

/** Roles of the pipeline of a generated repository that delivers dev, too. */
export async function rolesOfRepository(repository: string): Promise<readonly SimulatedRole[]> {
  writeFileSync(join(repository, "infra", "delivers-dev.ts"), DELIVERS_DEV);
  succeeded(await run(["npx", "tsx", "infra/delivers-dev.ts"], repository));
  const program = join(repository, "infra", "delivers-dev.out", "stacks", "orders-delivery", "cdk.tf.json");
  return rolesIn(JSON.parse(readFileSync(program, "utf8")) as Program);
}

/** Role of these that an access key names: `plan`, `apply` or `release`. */
export const roleOfDev =
  (roles: readonly SimulatedRole[]): RoleOf =>
  (caller) =>
    roles.find(({ name }) => name === `orders-delivery-dev-${caller}`);

/** Calls of `apply` that its role may not make: without logs, it says why tasks stopped without their last lines. */
export const WITHOUT_LOGS = ["logs:GetLogEvents"];
