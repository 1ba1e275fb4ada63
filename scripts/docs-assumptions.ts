import { table } from "./markdown";
import { ANSWERS_FILE, readAnswers } from "./verify-aws/answers";
import { ASSUMPTIONS } from "./verify-aws/assumptions";

/** The page of all assumptions about AWS, with the answers that are recorded. */
export function assumptionsPage(answers = readAnswers(ANSWERS_FILE)): string {
  const rows = ASSUMPTIONS.map(({ id, statement, source, dependsOn, settledBy }) => {
    const answer = answers[id];
    return [
      `\`${id}\``,
      `${statement} ([source](${source}))`,
      dependsOn.map(({ file }) => `[${file.replace(/^.*\//, "")}](../${file})`).join(", "),
      "deployment" in settledBy ? `deployment: ${settledBy.deployment}` : `by hand: ${settledBy.steps}`,
      answer === undefined
        ? "not verified yet"
        : `${answer.answer}, ${answer.date} in ${answer.region}${answer.detail === undefined ? "" : `: ${answer.detail.replaceAll("|", "\\|")}`}`,
    ];
  });
  return `<!-- Written by npm run docs from scripts/verify-aws. -->

# Assumptions about AWS

The tests run against service models and an emulator. They cannot settle the assumptions on this page, which are taken from the
documentation of AWS and from reports of others. The last column holds what an AWS account has answered.

In a clone of this repository, \`npm run verify:aws -- --account ID --region R\` settles the rows that a deployment can settle. It shows
the resources, the cost and the duration, asks, deploys, records the answers in \`${ANSWERS_FILE}\`, and destroys everything, also after
Ctrl-C or a failed apply. At its start it looks for resources of an interrupted run by their tag, and offers to remove them. Use an
account without production workloads. Run \`npm run docs\` afterwards.

${table(["assumption", "statement", "used by", "settled by", "answer"], rows)}
`;
}
