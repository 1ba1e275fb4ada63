/** Step of a CI system's setup that a person does once, outside of the repository. */
export interface SetupStep {
  readonly what: string;
  /** Commands, or the place of a setting. */
  readonly how: string;
}

/** Data of a generated repository on which the setup depends. */
export interface CiSetup {
  /** Answer to `--ci`. */
  readonly ci: string;
  readonly name: string;
  readonly branch: string;
  /** `npm` or `pnpm`. */
  readonly packageManager: string;
  /** Folder of the git repository that the service is in, or none for the root. */
  readonly directory: string;
  /** Environments that the CI system deploys. */
  readonly environments: readonly {
    readonly name: string;
    /** @default - not known yet */
    readonly account?: string | undefined;
  }[];
  /** Complete export `delivery` of infra/environments.ts. */
  readonly delivery: {
    readonly account?: string;
    readonly region?: string;
    readonly repository?: unknown;
    readonly project?: string;
    readonly principal?: string;
  };
}

/** Path from the root of the git repository. */
const fromRoot = (path: string, { directory }: CiSetup) => (directory === "none" ? path : `${directory}/${path}`);

type Steps = (setup: CiSetup) => readonly SetupStep[];

/** Environments in another account than the images. */
const elsewhere = ({ environments, delivery }: CiSetup) =>
  environments.filter(({ account = delivery.account }) => account !== delivery.account);

/** Variables that the CI file reads the accounts from, with their values. */
const accountVariables = (
  setup: CiSetup,
): (readonly [variable: string, account: string | undefined, what: string])[] => [
  ["AWS_ACCOUNT_ID", setup.delivery.account, "the account that is deployed to"],
  ...elsewhere(setup).map(
    ({ name, account }) => [`AWS_ACCOUNT_ID_${name.toUpperCase()}`, account, `the account of ${name}`] as const,
  ),
];

const gitHub: Steps = (setup) => {
  const { branch, delivery, environments } = setup;
  const { owner, name } = delivery.repository as { readonly owner: string; readonly name: string };
  const repository = `${owner}/${name}`;
  const environment = (environmentName: string, more = "") =>
    [
      `gh api --method PUT repos/${repository}/environments/${environmentName}${more}`,
      "-F 'deployment_branch_policy[protected_branches]=false' -F 'deployment_branch_policy[custom_branch_policies]=true'",
      `&& gh api --method POST repos/${repository}/environments/${environmentName}/deployment-branch-policies -f name=${branch}`,
    ].join(" ");
  return [
    ...accountVariables(setup).map(([variable, account, what]) => ({
      what,
      how: `gh variable set ${variable} --body ${account} --repo ${repository}`,
    })),
    ...environments
      .filter(({ name }) => name !== "production")
      .map(({ name }) => ({ what: `the environment ${name}, for ${branch} alone`, how: environment(name) })),
    {
      what: `the environment production, for ${branch} alone, with a reviewer: here you`,
      how: environment("production", ` -F 'reviewers[][type]=User' -F "reviewers[][id]=$(gh api user --jq .id)"`),
    },
    {
      what: `reviews for ${branch}: who may push to it may plan production and deploy to staging`,
      how: `https://github.com/${repository}/settings/rules`,
    },
  ];
};

const gitLab: Steps = (setup) => {
  const { branch, delivery, directory, name } = setup;
  const { project = "" } = delivery;
  const production = directory === "none" ? "production" : `${name}/production`;
  const api = `glab api --method POST projects/${encodeURIComponent(project)}`;
  return [
    ...accountVariables(setup).map(([variable, account, what]) => ({
      what,
      how: `glab variable set ${variable} ${account} --repo ${project}`,
    })),
    {
      what: "maintainers alone may start production (Premium; without it, everyone who may merge may)",
      how: `${api}/protected_environments -f name=${production} -f 'deploy_access_levels[][access_level]=40'`,
    },
    {
      what: `only maintainers push to ${branch}: AWS trusts each of its jobs`,
      how: `${api}/protected_branches -f name=${branch} -f push_access_level=40 -f merge_access_level=40`,
    },
    {
      what: "a schedule of the job drift, which compares each environment with the code",
      how: `${api}/pipeline_schedules -f description=drift -f ref=${branch} -f 'cron=0 6 * * 1-5'`,
    },
    {
      what: "a runner with the tag delivery, for protected branches alone, with Node.js, Git, Terraform and Docker for arm64",
      how: "Settings, CI/CD, Runners",
    },
  ];
};

const agents = ({ principal }: CiSetup["delivery"]): SetupStep => ({
  what: `agents that deploy run on instances with the role ${principal}; those that test have no role`,
  how: `aws ec2 associate-iam-instance-profile --instance-id <id> --iam-instance-profile Name=${principal?.split("/").at(-1)}`,
});

const jenkins: Steps = (setup) => [
  { what: "two plugins", how: "jenkins-plugin-cli --plugins lockable-resources pipeline-milestone-step" },
  agents(setup.delivery),
  { what: "the labels delivery and test of these agents", how: "Manage Jenkins, Nodes" },
  ...accountVariables(setup).map(([variable, account, what]) => ({
    what: `${what}, as global variable ${variable}: ${account}`,
    how: "Manage Jenkins, System, Global properties, Environment variables",
  })),
  {
    what: "a multibranch pipeline that trusts no pull requests of forks",
    how: `New Item, Multibranch Pipeline, Script Path ${fromRoot("Jenkinsfile", setup)}`,
  },
];

const teamCity: Steps = (setup) => [
  agents(setup.delivery),
  {
    what: "the parameter delivery of agents that deploy",
    how: "echo delivery=yes >> conf/buildAgent.properties, on the agent",
  },
  ...accountVariables(setup).map(([variable, account, what]) => ({
    what: `${what}, as project parameter env.${variable}: ${account}`,
    how: "Edit project, Parameters",
  })),
  { what: "who approves production", how: "approvalRules in .teamcity/settings.kts, by default user:admin" },
  {
    what: "settings from version control",
    how: `Edit project, Versioned Settings, Kotlin, Settings path in VCS ${fromRoot(".teamcity", setup)}`,
  },
];

const travis: Steps = (setup) => {
  const { branch, delivery } = setup;
  const user = delivery.principal?.split("/").at(-1);
  return [
    {
      what: "a user that has no permissions of its own: the roles trust it",
      how: `aws iam create-user --user-name ${user}`,
    },
    { what: "its access keys, to be replaced regularly", how: `aws iam create-access-key --user-name ${user}` },
    ...["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map((variable) => ({
      what: `${variable}, for ${branch} alone`,
      how: `travis env set ${variable} <value> --private --branch ${branch}`,
    })),
    ...accountVariables(setup).map(([variable, account, what]) => ({
      what,
      how: `travis env set ${variable} ${account} --public --branch ${branch}`,
    })),
  ];
};

const codePipeline: Steps = ({ delivery }) => [
  {
    what: `approve the pending connection to ${String(delivery.repository)}`,
    how: `https://${delivery.region}.console.aws.amazon.com/codesuite/settings/connections`,
  },
  { what: "confirm the subscription of each address in notify", how: "the email that AWS sends" },
];

const SYSTEMS: Readonly<Record<string, { readonly title: string; readonly steps: Steps } | undefined>> = {
  codepipeline: { title: "CodePipeline", steps: codePipeline },
  "github-actions": { title: "GitHub", steps: gitHub },
  gitlab: { title: "GitLab", steps: gitLab },
  jenkins: { title: "Jenkins", steps: jenkins },
  teamcity: { title: "TeamCity", steps: teamCity },
  travis: { title: "Travis CI", steps: travis },
};

/** Steps that remain to be done by a person, in order, with the name of the CI system; undefined without one. */
export function ciSetup(setup: CiSetup): { readonly title: string; readonly steps: readonly SetupStep[] } | undefined {
  const system = SYSTEMS[setup.ci];
  if (system === undefined) return undefined;
  const command = (script: string, argument: string) =>
    setup.packageManager === "pnpm" ? `pnpm run ${script} ${argument}` : `npm run ${script} -- ${argument}`;
  const first = [
    { what: "the bucket for the state of Terraform", how: command("bootstrap", "delivery") },
    { what: "the image repository, and the roles or the pipeline", how: command("deploy", "delivery") },
  ];
  const others = elsewhere(setup).map(({ name }) => ({
    what: `the bucket and the roles in the account of ${name}, with its credentials`,
    how: command("bootstrap", `delivery-${name}`),
  }));
  return { title: system.title, steps: [...first, ...others, ...system.steps(setup)] };
}
