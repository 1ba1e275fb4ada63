import { choice, defineOptions, flag, text } from "../../../generator/option-table";

/** A table with a row of every kind, so that the derivations are tested whatever the real table holds. */
export const sampleTable = defineOptions({
  name: text({
    ask: "Name?",
    help: "The name.",
    example: "orders",
    rule: { pattern: /^[a-z]{2,8}$/, allowed: "2 to 8 of a-z" },
    known: ({ folder }) => (folder !== undefined && /^[a-z]{2,8}$/.test(folder) ? folder : undefined),
  }),
  description: text({
    ask: "What for?",
    help: "The purpose.",
    example: "Orders",
    rule: { pattern: /^[^\n]{1,40}$/, allowed: "one line" },
    default: ({ name }) => `The ${name} service`,
  }),
  capacity: choice({
    ask: "Where?",
    help: "Where containers run.",
    values: { fargate: "Fargate", ec2: "EC2" },
    default: "fargate",
  }),
  instanceType: text({
    ask: "Which instances?",
    help: "The instances.",
    example: "t3.small",
    rule: { pattern: /^[a-z0-9]+\.[a-z0-9]+$/, allowed: "an instance type" },
    default: "t3.small",
    when: ({ capacity }) => capacity === "ec2",
    otherwise: "needs --capacity ec2",
  }),
  region: text({
    help: "The region.",
    example: "eu-west-1",
    rule: { pattern: /^[a-z]+-[a-z]+-\d$/, allowed: "a region" },
    default: "eu-central-1",
  }),
  chaos: flag({ ask: "Chaos?", help: "Adds experiments.", default: false }),
});
