/** The generated service without one of its parts: what a part costs is the difference. */

/** A change of one of its files: every text must be there. */
export interface Variant {
  readonly part: string;
  readonly file: string;
  readonly changes: readonly (readonly [from: string | RegExp, to: string])[];
}

export const VARIANTS: readonly Variant[] = [
  {
    part: "check of the token: signature, claims, scopes",
    file: "auth.ts",
    changes: [["await verify(request)", '{ subject: "caller", scopes: ["quotes:write"] }']],
  },
  { part: "server span and duration of each request", file: "app.ts", changes: [["observeRequests(app);", ""]] },
  { part: "log line of each request", file: "app.ts", changes: [['request.log.info(fields, "request");', ""]] },
  {
    part: "log line of the handler",
    file: "handlers.ts",
    changes: [[/context\.log\.info\([^;]*\);/, ""]],
  },
  {
    part: "deadline of each request",
    file: "app.ts",
    changes: [
      [/ {2}app\.addHook\("onRequest", \(request, reply, done\) => \{\n {4}const deadline[\s\S]*?\n {2}\}\);\n/, ""],
    ],
  },
  {
    part: "one host header, and the limit of all bodies",
    file: "app.ts",
    changes: [[/ {2}let bodies = 0;\n[\s\S]*?\n {2}\}\);\n/, ""]],
  },
  {
    part: "request id",
    file: "app.ts",
    changes: [
      [/genReqId: [\s\S]*?\n {4}\},\n/, ""],
      ['reply.header("x-request-id", request.id);', ""],
    ],
  },
  {
    part: "validation of the request",
    file: "contract.ts",
    changes: [
      [/LOCATIONS\.flatMap\(\(part\) => run\([^;]*\);/, "[] as Fault[];"],
      ["if (bodyChecks && (", "if (false as boolean && bodyChecks && ("],
    ],
  },
  {
    part: "texts that no database stores, and deep nesting",
    file: "contract.ts",
    changes: [["found.push(...unstorable({ ...parts, body: request.body }))", "{}"]],
  },
  {
    part: "validation of the response",
    file: "contract.ts",
    changes: [["(schema && !schema(answer.body))", "false"]],
  },
];

/** Text of a file in a variant. @throws Error where the service has changed */
export function changed(text: string, { part, changes }: Variant): string {
  return changes.reduce((before, [from, to]) => {
    const after = before.replace(from, to);
    if (after === before) throw new Error(`the service has changed: ${part}: ${from}`);
    return after;
  }, text);
}
