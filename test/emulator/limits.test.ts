import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { TEXT_LIMITS } from "../../constructs/core/text-limits";
import { describeOnEmulator, tools } from "../support/deployment";

interface Model {
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
}

/** Reads limits of fields from AWS's service models: `service operation path`, where lists are skipped. */
const READ = `
import json, sys
from botocore.session import get_session
session, found = get_session(), {}
for api in json.load(sys.stdin):
    service, operation, path = api.split(" ")
    shape = session.get_service_model(service).operation_model(operation).input_shape
    for name in path.split("."):
        while shape.type_name == "list":
            shape = shape.member
        if shape.type_name == "map":
            shape = shape.key if name == "key" else shape.value
        else:
            shape = shape.members[name]
    while shape.type_name == "list":
        shape = shape.member
    found[api] = {key: shape.metadata[key] for key in ("min", "max", "pattern") if key in shape.metadata}
print(json.dumps(found))
`;

function models(): Readonly<Record<string, Model>> {
  const apis = [...new Set(TEXT_LIMITS.map(({ api }) => api))];
  const python = tools.python.found ? tools.python.path : "python3";
  return JSON.parse(execFileSync(python, ["-c", READ], { input: JSON.stringify(apis), encoding: "utf8" }));
}

/** Texts of one character of each kind, and of each between others. */
const SAMPLES = [
  ...Array.from({ length: 0x180 }, (_, code) => String.fromCharCode(code)).flatMap((sign) => [
    sign,
    `a${sign}b`,
    `${sign}b`,
    `a${sign}`,
    `https://a${sign}b`,
  ]),
  "aws/a",
  "AWS/a",
  "/a/",
  ":a",
];

describeOnEmulator("limits of texts, compared with the service models of AWS", () => {
  const found = models();

  it.each(TEXT_LIMITS.map((limit) => [`${limit.api} ${limit.fields[0]}`, limit] as const))("%s", (_, limit) => {
    const model = found[limit.api] ?? {};
    expect(limit.max).toBeLessThanOrEqual(model.max ?? Number.POSITIVE_INFINITY);
    if (model.pattern === undefined || /\\p\{Print\}/.test(model.pattern)) return;
    const pattern = new RegExp(`^(?:${model.pattern.replace(/^\^|\$$/g, "")})$`, "u");
    const accepted = SAMPLES.filter((text) => limit.pattern?.test(text) !== false && text.length >= (limit.min ?? 0));
    expect(accepted.filter((text) => !pattern.test(text))).toEqual([]);
  });

  it("are those of requests that exist", () => {
    expect(Object.keys(found)).toHaveLength(new Set(TEXT_LIMITS.map(({ api }) => api)).size);
  });
});
