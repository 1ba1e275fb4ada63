import {
  type Cell,
  FEATURES,
  type Feature,
  STRATEGIES,
  STRATEGY_TABLE,
} from "../constructs/service/deployment/strategy-support";
import { table } from "./markdown";

const WORDS: Readonly<Record<Cell["verdict"], string>> = { yes: "yes", connect: "with Service Connect", no: "**no**" };

const features = Object.keys(FEATURES) as Feature[];

function verdict({ verdict, source }: Cell): string {
  return `[${WORDS[verdict]}](${source})`;
}

function grid(asked: boolean): string {
  return table(
    ["", ...STRATEGIES.map((strategy) => `\`${strategy}\``)],
    features
      .filter((feature) => FEATURES[feature].asked === asked)
      .map((feature) => [
        FEATURES[feature].title,
        ...STRATEGIES.map((strategy) => verdict(STRATEGY_TABLE[strategy][feature])),
      ]),
  );
}

/** Notes on the verdicts, without duplicates. */
function notes(): string {
  const lines = new Map<string, string[]>();
  for (const feature of features) {
    for (const strategy of STRATEGIES) {
      const { note } = STRATEGY_TABLE[strategy][feature];
      if (note === undefined) continue;
      const key = `- ${FEATURES[feature].title}, {}: ${note}.`;
      lines.set(key, [...(lines.get(key) ?? []), `\`${strategy}\``]);
    }
  }
  return [...lines].map(([text, strategies]) => text.replace("{}", strategies.join(", "))).join("\n");
}

/** Renders docs/strategies.md from the table that refusals and synthesized services are derived from. */
export function strategiesPage(): string {
  return `<!-- Written by npm run docs from constructs/service/deployment/strategy-support.ts. -->

# Deployment strategies

Set the strategy by which a new version goes live:

\`\`\`ts
new CloudNativeService(stack, "Orders", { deployment: rolling({ errorPercent: 2 }) });
new CloudNativeService(stack, "Payments", {
  deployment: codeDeploy(canary({ percent: 10, wait: Duration.minutes(10) })),
  addOns: [new Ingress({ paths: ["/payments", "/payments/*"] })],
});
\`\`\`

With AWS provider 6, ECS itself shifts the requests: \`deployment: canary({ percent: 10 })\`.

${STRATEGIES.map((strategy) => `- \`${strategy}\`: ${STRATEGY_TABLE[strategy].title}.`).join("\n")}

A strategy creates everything that it needs: second target group, listener rule, roles, alarm and CodeDeploy application. Terraform
ignores the attributes that AWS changes. Synth refuses unsupported combinations, with the reason.

## AWS provider

${table(
  ["AWS provider", ...STRATEGIES.map((strategy) => `\`${strategy}\``)],
  ([5, 6] as const).map((line) => [
    String(line),
    ...STRATEGIES.map((strategy) => verdict(STRATEGY_TABLE[strategy].lines[line])),
  ]),
)}

Provider 5 is \`@cdktf/provider-aws\` 20.1.0, provider 6 is 21.x.

## Supported combinations

Features that you choose. Each verdict links to its source:

${grid(true)}

Features that the service enables where AWS supports them:

${grid(false)}

${notes()}

## Automatic rollback

An alarm on the service's own tasks rolls a deployment back: the percentage of requests with a response of 500 or above, or with a failed
connection, in two consecutive minutes. With two target groups, the alarm evaluates both together and each one alone, so it detects a
canary whose requests all fail although most requests succeed. It ignores minutes with fewer than \`minimumRequests\`. Waits and bake
times under 3 minutes end before the alarm can go off.

Scaling by requests uses the busier of the two groups. ECS does not scale in while a deployment is in progress.

## Change the strategy

| from | to | what happens |
| --- | --- | --- |
| \`rolling\` | \`blueGreen\`, \`canary\`, \`linear\` | in place: a second target group is added to the rule, traffic does not move |
| one of these three | another of them | in place |
| these three | \`rolling\` | in place, but the rule returns to the first target group: release first until that group receives the traffic |
| any of them | \`codeDeploy\`, or back | **the service is replaced, with an outage of some minutes**: \`deploy\` and \`plan-gate\` refuse the plan unless you name the service |

Changes to capacity and network of a CodeDeploy service are deployed by the next release: Terraform ignores them until then.

## What is not proven

The strategies of provider 5 are applied in tests, on an emulator that refuses what AWS refuses, and planned again without a difference.
The strategies that only provider 6 supports are synthesized and type-checked against its bindings, but not applied: no test has seen
ECS shift traffic.
`;
}
