/** Process of one `verify:aws` run of the small app, for tests that end it: `verify-run.ts ACCOUNT REGION FOLDER ANSWERS`. */
import { join } from "node:path";
import { verifyAws } from "../../../scripts/verify-aws/verify";

const [account = "", region = "", folder = "", answersFile = ""] = process.argv.slice(2);
verifyAws({
  account,
  region,
  folder,
  answersFile,
  program: join(__dirname, "verify-small.ts"),
  print: console.log,
  confirm: async () => true,
  signal: new AbortController().signal,
}).catch(console.error);
