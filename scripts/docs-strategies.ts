import {
  type Cell,
  FEATURES,
  type Feature,
  STRATEGIES,
  STRATEGY_TABLE,
} from "../constructs/service/deployment/strategy-support";

const WORDS: Readonly<Record<Cell["verdict"], string>> = { yes: "yes", connect: "with Service Connect", no: "**no**" };

const features = Object.keys(FEATURES) as Feature[];

function verdict({ verdict, source }: Cell): string {
  return `[${WORDS[verdict]}](${source})`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
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

/** What stands behind the verdicts, each thing once. */
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

/** docs/strategies.md, from the table that refusals and synthesized services come from. */
export function strategiesPage(): string {
  return `<!-- Written by npm run docs from constructs/service/deployment/strategy-support.ts. -->

# How a new version goes live

\`\`\`ts
new CloudNativeService(stack, "Orders", { deployment: rolling({ errorPercent: 2 }) });
new CloudNativeService(stack, "Orders", { deployment: canary({ percent: 10, wait: Duration.minutes(10) }) });
new CloudNativeService(stack, "Orders", { deployment: codeDeploy(canary({ percent: 10 })) });
\`\`\`

${STRATEGIES.map((strategy) => `- \`${strategy}\`: ${STRATEGY_TABLE[strategy].title}.`).join("\n")}

The word brings all that it needs: second target group, listener rule, roles, alarm, CodeDeploy application, and what Terraform
must leave alone since AWS writes it. What does not go together is refused at synth, with the reason.

## On which provider

${table(
  ["AWS provider", ...STRATEGIES.map((strategy) => `\`${strategy}\``)],
  ([5, 6] as const).map((line) => [
    String(line),
    ...STRATEGIES.map((strategy) => verdict(STRATEGY_TABLE[strategy].lines[line])),
  ]),
)}

Provider 5 is \`@cdktf/provider-aws\` 20.1.0, provider 6 is 21.x. **What provider 5 can is applied in tests**, on an emulator that
refuses what AWS refuses, and planned again without a difference. **What provider 6 alone can is type-checked against its bindings
and synthesized, and not applied**: no test has seen ECS move a request.

## What goes with it

What you ask for; each verdict leads to the page that says so:

${grid(true)}

What the service brings by itself, where AWS lets it:

${grid(false)}

${notes()}

## What makes a deployment go back

An alarm on the service's own tasks: answers above 499 and connections that failed, of a hundred requests, two minutes in a row.
With two target groups it looks at both together and at each alone, so that a canary whose requests all fail is seen although
most requests are well. Fewer than \`minimumRequests\` in a minute prove nothing. Waits and bake times under 3 minutes are over before it
can go off.

Scaling by requests asks the busier of both groups. ECS takes no task away while a deployment runs.

## Changing the strategy

| from | to | what happens |
| --- | --- | --- |
| \`rolling\` | \`blueGreen\`, \`canary\`, \`linear\` | in place: the rule gets its second group, no request moves |
| among these three | | in place |
| these three | \`rolling\` | in place, but the rule goes back to the first group: first release until that one has the requests |
| any of them | \`codeDeploy\`, or back | **the service is replaced, an outage of some minutes**: \`deploy\` and \`plan-gate\` refuse the plan unless it is named |

A release by CodeDeploy also brings changed capacity and network: Terraform leaves them alone until then.
`;
}
