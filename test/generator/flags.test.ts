import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../../generator/flags";
import { sampleTable } from "./support/sample-table";

const parse = (...args: string[]) => parseCommandLine(sampleTable, args);

describe("a command line", () => {
  it("returns operands, switches and answers", () => {
    const line = parse("orders", "-y", "--instance-type", "t3.small", "--no-chaos", "--answers=-", "--description=-x");
    expect(line.problems).toEqual([]);
    expect(line.operands).toEqual(["orders"]);
    expect([...line.switches]).toEqual([
      ["yes", ""],
      ["answers", "-"],
    ]);
    expect(Object.fromEntries(line.answers)).toEqual({ instanceType: "t3.small", chaos: false, description: "-x" });
  });

  it("accepts a single hyphen as a value, and everything after -- as operands", () => {
    expect(parse("--answers", "-").switches.get("answers")).toBe("-");
    expect(parse("--", "--name").operands).toEqual(["--name"]);
  });

  it.each([
    [["--instance-tpye", "t3"], "--instance-tpye: unknown flag; did you mean --instance-type?"],
    [["--nochaos"], "--nochaos: unknown flag; did you mean --no-chaos?"],
    [["-z"], "-z: unknown flag"],
    [["--no-name"], "--no-name: unknown flag"],
    [["--name"], "--name: needs a value; use --name TEXT, or --name=VALUE when the value starts with a hyphen"],
    [
      ["--name", "--yes"],
      "--name: needs a value; use --name TEXT, or --name=VALUE when the value starts with a hyphen",
    ],
    [
      ["--capacity"],
      "--capacity: needs a value; use --capacity fargate|ec2, or --capacity=VALUE when the value starts with a hyphen",
    ],
    [["--name", "a", "--name", "b"], "--name: occurs twice; keep one"],
    [["--yes=no"], '--yes: takes no value, got "no"; use --yes alone'],
    [["--chaos=true"], '--chaos: takes no value, got "true"; use --chaos alone'],
    [["--chaos", "--no-chaos"], "--chaos, --no-chaos: contradict each other; keep one"],
    [["--interactive", "--no-interactive"], "--interactive, --no-interactive: contradict each other; keep one"],
    [["a", "b", "c"], '"b", "c": one folder is enough; put a text with spaces in quotes'],
  ])("is refused: %j", (args, problem) => {
    expect(parse(...args).problems).toEqual([problem]);
  });

  it("reports all problems at once", () => {
    expect(parse("--nmae", "x", "--yes=1", "--name").problems).toHaveLength(3);
  });

  it("is parsed or refused for any input, and its problems contain no control characters", () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom("--name", "--chaos", "-y", "--", "-", "--__proto__=1", "--constructor", "\u001b[2J", "--\u001b"),
    );
    fc.assert(
      fc.property(fc.array(word), (args) => {
        for (const problem of parse(...args).problems) expect(problem).not.toMatch(/[\p{Cc}\u202e]/u);
        expect(({} as Record<string, unknown>)["1"]).toBeUndefined();
      }),
    );
  });
});
