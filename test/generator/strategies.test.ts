import { describe, expect, it } from "vitest";
import { blueGreen, canary, codeDeploy, type Deployment, linear, rolling } from "../../constructs";
import { STRATEGIES, STRATEGY_TABLE, strategyCell } from "../../constructs/service/strategies";
import { STRATEGY_CHOICES } from "../../generator/strategies";

const FUNCTIONS = { blueGreen, canary, codeDeploy, linear, rolling };

/** What an expression of a choice makes, with nothing in reach but what it says that it imports. */
function made({
  expression,
  imports,
}: {
  readonly expression: string;
  readonly imports: readonly string[];
}): Deployment {
  const values = imports.map((name) => FUNCTIONS[name as keyof typeof FUNCTIONS]);
  return new Function(...imports, `return ${expression};`)(...values) as Deployment;
}

describe("the strategies that the generator offers", () => {
  it.each(Object.values(STRATEGY_CHOICES))("$expression works on provider 5, released by a pipeline", (choice) => {
    const { kind } = made(choice);
    expect(strategyCell(kind, 5, "ownerPipeline").verdict).toBe("yes");
    expect(strategyCell(kind, 5, "internal").verdict === "yes").toBe(!choice.needsIngress);
  });

  it("are all that there are on provider 5", () => {
    const offered = Object.values(STRATEGY_CHOICES).map((choice) => {
      const deployment = made(choice);
      return deployment.kind === "codeDeploy" ? `codeDeploy ${deployment.shift.kind}` : deployment.kind;
    });
    const shifts = STRATEGIES.filter((name) => STRATEGY_TABLE[name].twoGroups && name !== "codeDeploy");
    const there = STRATEGIES.filter((name) => STRATEGY_TABLE[name].lines[5].verdict === "yes").flatMap((name) =>
      name === "codeDeploy" ? shifts.map((shift) => `codeDeploy ${shift}`) : [name],
    );
    expect(offered.sort()).toEqual(there.sort());
  });
});
