import { expect, it } from "vitest";
import { ciSetup } from "../../operations/ci-setup";

it("limits both environments of GitHub to deployments from the branch, and production to reviewers", () => {
  const repository = { owner: "acme", name: "orders" };
  const delivery = { account: "123456789012", repository };
  const answers = {
    name: "orders",
    packageManager: "npm",
    environments: [{ name: "staging" }, { name: "production" }],
  };
  const { steps = [] } = ciSetup({ ...answers, ci: "github-actions", branch: "trunk", delivery }) ?? {};
  for (const name of ["staging", "production"]) {
    const step = steps.find(({ what }) => what.startsWith(`the environment ${name}, for trunk alone`));
    expect(step?.how).toMatch(
      new RegExp(
        `environments/${name} .*custom_branch_policies\\]=true' && .*environments/${name}/deployment-branch-policies -f name=trunk$`,
      ),
    );
    expect([name, step?.how.includes("reviewers")]).toEqual([name, name === "production"]);
  }
});
