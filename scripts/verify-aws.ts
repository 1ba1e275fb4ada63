/**
 * Settles the assumptions about AWS that a deployment can settle, on a real account:
 * `npm run verify:aws -- --account ID --region R [--yes]`.
 */
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { ANSWERS_FILE } from "./verify-aws/answers";
import { verifyAws } from "./verify-aws/verify";

const USAGE = "usage: npm run verify:aws -- --account ID --region R [--yes]";
const root = join(__dirname, "..");

function readOptions() {
  const { account, region, yes } = parseArgs({
    options: { account: { type: "string" }, region: { type: "string" }, yes: { type: "boolean" } },
  }).values;
  if (!/^\d{12}$/.test(account ?? "")) throw new Error("--account must be an account id of 12 digits");
  if (!region) throw new Error("--region must name a region, such as eu-central-1");
  return { account: account as string, region, yes: yes === true };
}

async function main(): Promise<number> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions();
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  const { account, region, yes } = options;
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      console.log("Interrupted: everything is destroyed first, which takes minutes.");
      interruption.abort();
    });
  }
  return verifyAws({
    account,
    region,
    folder: join(root, ".verify-aws"),
    program: join(__dirname, "verify-aws/program.ts"),
    answersFile: ANSWERS_FILE,
    print: console.log,
    confirm: (question) => (yes ? Promise.resolve(true) : ask(question, interruption.signal)),
    signal: interruption.signal,
  });
}

async function ask(question: string, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Error(`${question} Run it in a terminal, or add --yes.`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  terminal.on("SIGINT", () => process.emit("SIGINT"));
  try {
    return /^y(es)?$/i.test(await terminal.question(`${question} (y/N) `, { signal }));
  } catch {
    return false; // interrupted
  } finally {
    terminal.close();
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
