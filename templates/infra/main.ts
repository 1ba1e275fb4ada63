/** Compiles the infrastructure to Terraform: `npm run synth` writes infra/cdktf.out. */
import { join } from "node:path";
import { App } from "antifragile";
import { infrastructure } from "./infrastructure";

const app = new App({ outdir: join(__dirname, "cdktf.out") });
infrastructure(app);
app.synth();
