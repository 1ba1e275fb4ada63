import { type AnswersOf, choice, defineOptions, type Earlier, flag, text } from "./option-table";

const NAME = {
  pattern: /^(?!(?:con|prn|aux|nul|com[0-9]|lpt[0-9])$)(?=.{2,31}$)[a-z](?:-?[a-z0-9])+$/,
  allowed: "2 to 31 of a-z, 0-9 and single hyphens, a letter first, and no device name of Windows (con, nul, com1 ...)",
};

// QUEUE_URL and REDIS_URL are taken.
const CALLED_SERVICE = {
  pattern: new RegExp(NAME.pattern.source.replace("^", "^(?!(?:queue|redis)$)")),
  allowed: `${NAME.allowed}; not queue or redis`,
};

/** Rows that make no sense for a platform alone. */
const OF_A_SERVICE = {
  when: ({ platform }: Earlier) => platform !== true,
  otherwise: "not with --platform, which writes no service",
};

// "${" and "%{" would be evaluated wherever the sentence ends up in Terraform or in a CI file.
const SENTENCE = {
  pattern: /^(?!\s)(?!.*[$%]\{)[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]{1,200}(?<!\s)$/u,
  allowed: "one line of 1 to 200 characters without a space at an end, without control characters, ${ and %{",
};

/**
 * Every choice a user has, in the order of the questions. To add one, add a row, and use it in a template or in the
 * manifest: flag, question, help, schema, reference and type follow (`UPDATE=1 npm test` writes docs and golden trees).
 */
export const options = defineOptions({
  name: text({
    ask: "What is it called?",
    help: "Name of the service or platform: of its repository and its image, and the prefix of its AWS names.",
    example: "orders",
    rule: NAME,
    known: ({ folder }) => (folder !== undefined && NAME.pattern.test(folder) ? folder : undefined),
  }),
  platform: flag({
    help: "Write a platform alone, which services of other repositories join: network, cluster and shared balancer.",
    default: false,
  }),
  description: text({
    ask: "What does it do?",
    help: "What it does, in one sentence.",
    example: "Takes orders and tells payments about them",
    rule: SENTENCE,
    default: ({ name, platform }) => `The ${name} ${platform === true ? "platform" : "service"}`,
  }),
  joins: text({
    help: "Platform of another repository that the service stands on, by its name; none: it has a platform of its own.",
    example: "shop",
    rule: NAME,
    default: "none",
    ...OF_A_SERVICE,
  }),
  database: choice({
    ask: "Where does it keep data?",
    help: "Database that the service is attached to.",
    values: { none: "Nowhere: it computes", postgres: "PostgreSQL" },
    default: "none",
    ...OF_A_SERVICE,
  }),
  cache: choice({
    help: "Cache that the service is attached to.",
    values: { none: "None", valkey: "Valkey (speaks the protocol of Redis)" },
    default: "none",
    ...OF_A_SERVICE,
  }),
  queue: choice({
    help: "Queue that the service writes to, with a worker process that handles its messages.",
    values: { none: "None", sqs: "Amazon SQS" },
    default: "none",
    ...OF_A_SERVICE,
  }),
  job: flag({
    help: "Add a process that runs on a schedule.",
    default: false,
    ...OF_A_SERVICE,
  }),
  auth: choice({
    ask: "Who may call it?",
    help: "Who may call the service.",
    values: { oidc: "Holders of a token from an OIDC issuer", none: "Everybody who can reach it" },
    default: "oidc",
    ...OF_A_SERVICE,
  }),
  calls: text({
    help: "Another service that this one calls.",
    example: "payments",
    rule: CALLED_SERVICE,
    default: "none",
    ...OF_A_SERVICE,
  }),
  capacity: choice({
    help: "What containers run on.",
    values: { fargate: "Fargate: no machines of one's own", ec2: "EC2 machines in an Auto Scaling group" },
    default: "fargate",
  }),
  chaos: flag({
    help: "Add an experiment to staging: half of the tasks are stopped, and the alarms say whether it held. With --ci codepipeline production waits for it; otherwise it runs each week.",
    default: false,
    ...OF_A_SERVICE,
  }),
  ci: choice({
    ask: "Who builds it?",
    help: "Who tests it, builds its image, and brings it into staging and production.",
    values: {
      codepipeline: "AWS CodePipeline",
      "github-actions": "GitHub Actions",
      gitlab: "GitLab CI",
      jenkins: "Jenkins",
      travis: "Travis CI",
      teamcity: "TeamCity",
      none: "Nobody yet",
    },
    default: "codepipeline",
    ...OF_A_SERVICE,
  }),
  region: text({
    help: "AWS region that it runs in.",
    example: "eu-west-1",
    rule: { pattern: /^[a-z]{2,4}(-[a-z]{2,12}){1,2}-[0-9]{1,2}$/, allowed: "the code of an AWS region" },
    default: "eu-central-1",
  }),
  license: choice({
    help: "Licence of the code in the new repository.",
    values: { none: "None: all rights stay with you", "mit-0": "MIT No Attribution" },
    default: "none",
  }),
});

/** The answers that a repository is rendered from. */
export type Answers = AnswersOf<typeof options>;
