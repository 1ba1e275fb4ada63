import { inspect } from "node:util";
import { App } from "cdktf";
import { Construct } from "constructs";
import { describe, expect, it } from "vitest";
import {
  AwsStack,
  CloudNativeService,
  type CloudNativeServiceProps,
  httpEndpoint,
  InvalidPropsError,
  web,
} from "../../../constructs";
import { invalid, validateAtSynth, warn } from "../../../constructs/core/errors";
import { Registry } from "../../../constructs/core/registry";
import { synthesize } from "../../../constructs/testing";
import { DEV, ordersStack, refusals, warnings } from "../../support/synth";

const PROBLEM = { code: "A_B", prop: "a.b", problem: "must be 1, got 2", remedy: "Use 1." };

function tree() {
  const stack = new AwsStack(new App(), "shop", { environment: DEV, lifetime: "platform" });
  return { stack, construct: new Construct(stack, "Thing") };
}

const thrownBy = (act: () => unknown): InvalidPropsError => {
  try {
    act();
  } catch (error) {
    if (error instanceof InvalidPropsError) return error;
    throw error;
  }
  throw new Error("expected an error, got none");
};

describe("control characters in texts", () => {
  it("are refused in props, lists, maps and alternatives, with their place", () => {
    const of = (props: CloudNativeServiceProps) =>
      refusals(() => new CloudNativeService(ordersStack(), "Orders", props));
    expect(of({ environment: { GREETING: "a\0b" } })).toEqual(["PROP_CONTROL_CHARACTER environment.GREETING"]);
    expect(of({ environment: { GREETING: "\u{1f680}".slice(1) } })).toEqual([
      "PROP_CONTROL_CHARACTER environment.GREETING",
    ]);
    expect(refusals(() => web({ command: ["node", "\u001b[2J"] }))).toEqual(["PROP_CONTROL_CHARACTER command[1]"]);
    expect(refusals(() => httpEndpoint({ url: "https://in.example.com/\u0007" }))).toEqual([
      "PROP_CONTROL_CHARACTER url",
    ]);
  });

  it("leave tabs and line breaks, and name the character", () => {
    const text = (environment: Record<string, string>) =>
      thrownBy(() => new CloudNativeService(ordersStack(), "Orders", { environment })).message;
    expect(text({ A: "x\u007f" })).toContain("got U+007F");
    const lines = { A: "one\ttwo\r\nthree" };
    expect(() => new CloudNativeService(ordersStack(), "Orders", { environment: lines })).not.toThrow();
  });
});

describe("an InvalidPropsError", () => {
  it("names construct, prop, problem, remedy and code", () => {
    expect(invalid(tree().construct, PROBLEM).message).toBe(
      "shop-dev-platform/Thing: a.b must be 1, got 2\n  Use 1.  [A_B]",
    );
  });

  it("prints each problem once, also where Node prints an uncaught error", () => {
    const error = invalid(tree().construct, PROBLEM);
    // An uncaught error is printed without the hooks that an object has for its own printing.
    for (const customInspect of [true, false]) {
      expect(inspect(error, { customInspect }).match(/A_B/g)).toHaveLength(1);
    }
    expect(error.problems).toEqual([PROBLEM]);
  });
});

describe("a check at synth", () => {
  it("runs when the stack is written, and is attributed to its construct", () => {
    const { stack, construct } = tree();
    const found = [PROBLEM];
    validateAtSynth(construct, () => found);
    const { path, problems, message } = thrownBy(() => synthesize(stack));
    expect({ path, problems }).toEqual({ path: "shop-dev-platform/Thing", problems: [PROBLEM] });
    expect(message.match(/A_B/g)).toHaveLength(1);
    found.pop();
    expect(() => synthesize(stack)).not.toThrow();
  });

  it("is reported together with the checks of other constructs", () => {
    const { stack, construct } = tree();
    validateAtSynth(construct, () => [PROBLEM]);
    validateAtSynth(new Construct(stack, "Other"), () => [{ ...PROBLEM, code: "C_D" }]);
    const { problems, message } = thrownBy(() => synthesize(stack));
    expect(problems.map(({ code }) => code)).toEqual(["A_B", "C_D"]);
    expect(message).toContain("shop-dev-platform/Other: a.b");
  });
});

it("a warning has the same form, without the path that the app adds", () => {
  const { construct } = tree();
  warn(construct, PROBLEM);
  expect(warnings(construct)).toEqual(["a.b must be 1, got 2\n  Use 1.  [A_B]"]);
});

it("a registry keeps one value of an entry for each owner", () => {
  const entry = (): string[] => [];
  const [a, b] = [tree(), tree()];
  Registry.of(a.stack).get(entry).push("a");
  expect(Registry.of(a.stack).get(entry)).toEqual(["a"]);
  expect(Registry.of(a.construct).get(entry)).toEqual([]);
  expect(Registry.of(b.stack).get(entry)).toEqual([]);
});
