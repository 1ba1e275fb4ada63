/**
 * Compiles the infrastructure to Terraform: `npm run synth` writes infra/cdktf.out for all environments that are filled in,
 * `npm run synth -- dev` for one.
 */
import { join } from "node:path";
import { App, chooseEnvironments, InvalidPropsError } from "antifragile";
import { environments } from "./environments";
import { infrastructure } from "./infrastructure";

try {
  const { chosen, leftOut } = chooseEnvironments(environments, process.argv[2], "infra/environments.ts");
  for (const sentence of leftOut) console.error(sentence);
  const app = new App({ outdir: join(__dirname, "cdktf.out") });
  infrastructure(app, chosen);
  app.synth();
} catch (error) {
  if (!(error instanceof InvalidPropsError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
