import { expect, it } from "vitest";
import { ciSetup } from "../../operations/ci-setup";

it("limits both environments of GitHub to deployments from the branch, and production to reviewers", () => {
  const repository = { owner: "acme", name: "orders" };
  const delivery = { account: "123456789012", repository };
  const answers = {
    name: "orders",
    packageManager: "npm",
    directory: "none",
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

it("names the paths of a service in a folder, from the root", () => {
  const answers = {
    name: "orders",
    packageManager: "npm",
    branch: "main",
    environments: [],
    directory: "services/orders",
  };
  const how = (ci: string) => {
    const { steps = [] } = ciSetup({ ...answers, ci, delivery: { project: "acme/shop" } }) ?? {};
    return steps.map((step) => step.how).join("\n");
  };
  expect(how("jenkins")).toMatch(/Script Path services\/orders\/Jenkinsfile$/m);
  expect(how("teamcity")).toMatch(/Settings path in VCS services\/orders\/\.teamcity$/m);
  expect(how("gitlab")).toContain("protected_environments -f name=orders/production ");
});
