import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Result, run } from "../cli/packed";

/** A local deployment, as its caller has seen it. */
export interface Local {
  /** Statuses without a token, with one, and at a path of which the contract knows nothing. */
  readonly answers: number[];
  readonly created: Quote;
  /** The same quote, read from the database. */
  readonly stored: Quote;
  /** Output of the job. */
  readonly job: Result;
  /** Quotes that callers asked for all the time during the rollover; the status of each that they did not get. */
  readonly quotes: Quote[];
  readonly lost: unknown[];
  readonly rolledOver: Result;
  readonly result: Result;
}

interface Quote {
  readonly id: string;
  readonly totalCents: number;
}

const CALLERS = 3;
const PAUSE_MS = 100;

/** Changes what a quote costs, and the schema. */
function changeService(repository: string): void {
  const file = join(repository, "src/quotes.ts");
  const before = readFileSync(file, "utf8");
  writeFileSync(file, before.replace("line.quantity * line.unitPriceCents", "line.quantity * line.unitPriceCents * 2"));
  writeFileSync(join(repository, "migrations/0002-note.sql"), "alter table quotes add column note text;\n");
}

/**
 * Runs `npm run deploy:local`, calls what it has deployed by the URL and the token that it prints, runs the job, rolls a changed
 * service over by a second `npm run deploy:local` while others call it, and interrupts it.
 */
export async function deployLocally(repository: string): Promise<Local> {
  let output = "";
  const shown = async (holds: () => boolean) => {
    for (let tries = 0; tries < 600 && !holds(); tries++) await sleep(100);
  };
  const call = async (): Promise<Omit<Local, "result">> => {
    const url = /^ {2}(http:\/\/127\.0\.0\.1:\d+) /m.exec(output)?.[1];
    const issuer = /^ {2}token .*'(http:[^']+)'/m.exec(output)?.[1] ?? "";
    const variables = /^ {2}AWS +export (.*)$/m.exec(output)?.[1]?.split(" ") ?? [];
    const type = { "content-type": "application/json" };
    const holder = { ...type, authorization: `Bearer ${await (await fetch(issuer)).text()}` };
    const post = (sku: string, headers: Record<string, string> = holder) => {
      const body = JSON.stringify({ lines: [{ sku, quantity: 3, unitPriceCents: 250 }] });
      return fetch(`${url}/v1/quotes`, { method: "POST", headers, body });
    };
    const refused = await post("A-1", type);
    const answer = await post("A-1");
    const created = (await answer.json()) as Quote;
    const nothing = await fetch(`${url}/v1/nothing`, { headers: holder });
    const stored = (await (await fetch(`${url}/v1/quotes/${created.id}`, { headers: holder })).json()) as Quote;
    const env = Object.fromEntries(variables.map((each) => each.split(/=(.*)/s)));
    const job = await run(["npx", "antifragile", "run", "dev", "orders-job"], repository, { env });

    const quotes: Quote[] = [];
    const lost: unknown[] = [];
    let over = false;
    const callers = Array.from({ length: CALLERS }, async (_, caller) => {
      for (let turn = 0; !over; turn++) {
        const received = await post(`${caller}-${turn}`).catch((error: Error) => error.cause ?? error);
        if (received instanceof Response && received.status === 201) quotes.push((await received.json()) as Quote);
        else lost.push(received instanceof Response ? received.status : received);
        await sleep(PAUSE_MS);
      }
    });
    changeService(repository);
    const rolledOver = await run(["npm", "run", "deploy:local"], repository);
    await shown(() => STOPPED.test(output));
    over = true;
    await Promise.all(callers);
    await shown(() => [created, ...quotes].every(({ id }) => handled(output).has(id)));
    const answers = [refused, answer, nothing].map(({ status }) => status);
    return { answers, created, stored, job, quotes, lost, rolledOver };
  };
  let called: ReturnType<typeof call> | undefined;
  const result = await run(["npm", "run", "deploy:local"], repository, {
    group: true,
    onOutput: (text, kill) => {
      output = text;
      if (called !== undefined || !output.includes("Ctrl-C drains")) return;
      called = call().finally(() => kill("SIGINT"));
      called.catch(() => undefined);
    },
  });
  if (called === undefined) throw new Error(`it ended with ${result.code}:\n${output.slice(-3000)}${result.stderr}`);
  return { ...(await called), result };
}

/** The end of a task of the web service that another one has replaced. */
const STOPPED = /^ {2}orders-dev-orders \w+ {2}stopped, exit code 0$/m;

/** Ids of the quotes of which the worker has received the message. */
export function handled(output: string): Set<string> {
  const received = output.matchAll(/^ {2}orders-dev-orders-worker .*"quote":\{"id":"([^"]+)".*"message received"/gm);
  return new Set([...received].map(([, id]) => id as string));
}
