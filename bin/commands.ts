import type { Command } from "./command";

/** All commands, in the order of the help. */
export const commands: Readonly<Record<string, Command>> = {
  new: {
    summary: "create a service, or a platform for several, and the AWS it runs on",
    load: async () => (await import("../generator/new")).runNew,
  },
  upgrade: {
    summary: "bring a repository to a newer version, and keep your edits",
    load: async () => (await import("../generator/upgrade/command")).runUpgrade,
  },
  add: {
    summary: "add a database, cache, queue or another need to a repository, and keep your edits",
    load: async () => (await import("../generator/upgrade/command")).runAdd,
  },
  remove: {
    summary: "remove a cache, queue, job or another need from a repository, and keep your edits",
    load: async () => (await import("../generator/upgrade/command")).runRemove,
  },
  synth: {
    summary: "synthesize the infrastructure of a repository to Terraform",
    load: async () => (await import("../operations/synth")).runSynth,
  },
  deploy: {
    summary: "deploy a service to an account, or run it on this machine with --local",
    load: async () => (await import("./deploy")).runDeploy,
  },
  destroy: {
    summary: "delete an environment, after a list of what is lost and what remains",
    load: async () => (await import("../operations/destroy-command")).runDestroy,
  },
  plan: {
    summary: "plan an environment and save the plans, for apply",
    load: async () => (await import("../operations/saved-plans-command")).runPlan,
  },
  apply: {
    summary: "apply the plans that plan has saved",
    load: async () => (await import("../operations/saved-plans-command")).runApply,
  },
  drift: {
    summary: "list the resources of an environment that differ from the code",
    onlyPrints: true,
    load: async () => (await import("../operations/drift-command")).runDrift,
  },
  doctor: {
    summary: "check what is missing before a repository can be deployed",
    onlyPrints: true,
    load: async () => (await import("./doctor")).runDoctor,
  },
  bootstrap: {
    summary: "prepare an account: state bucket and permissions boundary of an environment",
    load: async () => (await import("../operations/bootstrap-command")).runBootstrap,
  },
  alarms: {
    summary: "watch the alarms of an environment's services",
    load: async () => (await import("../operations/alarms-command")).runAlarms,
  },
  "plan-gate": {
    summary: "refuse a plan that deletes, replaces or weakens services, databases or keys",
    onlyPrints: true,
    load: async () => (await import("../operations/plan-gate-command")).runPlanGate,
  },
  release: {
    summary: "make an image live: migrate, then move workers, web and schedules, all or nothing",
    load: async () => (await import("../operations/release/commands")).runRelease,
  },
  ship: {
    summary: "build, push and release the files as they are, uncommitted changes included, for dev",
    load: async () => (await import("./ship")).runShip,
  },
  rollback: {
    summary: "make an earlier release live again",
    load: async () => (await import("../operations/release/commands")).runRollback,
  },
  releases: {
    summary: "list releases, and show which applied config is not live",
    onlyPrints: true,
    load: async () => (await import("../operations/release/commands")).runReleases,
  },
  migrate: {
    summary: "run the migrations of the live release, or of an image",
    load: async () => (await import("../operations/release/commands")).runMigrate,
  },
  admin: {
    summary: "run an admin process of the live release",
    load: async () => (await import("../operations/release/commands")).runAdminCommand,
  },
  secret: {
    summary: "store a secret, and print the reference that a service's program needs",
    load: async () => (await import("../operations/secret-command")).runSecret,
  },
  run: {
    summary: "start a job now, or run a command in a task of its own",
    load: async () => (await import("../operations/release/commands")).runRun,
  },
  exec: {
    summary: "open a shell, or run a command, in a running task",
    load: async () => (await import("../operations/release/commands")).runExec,
  },
  logs: {
    summary: "show what the services have logged",
    onlyPrints: true,
    load: async () => (await import("../operations/release/commands")).runLogs,
  },
  show: {
    summary: "show a service: URL, release, variables, secrets by name, roles, alarms",
    onlyPrints: true,
    load: async () => (await import("../operations/release/commands")).runShow,
  },
  status: {
    summary: "show the services of an account: tasks, release, deployment, alarms, scaling",
    onlyPrints: true,
    load: async () => (await import("../operations/status-command")).runStatus,
  },
  pipeline: {
    summary: "show a pipeline in CodePipeline: stages, commits, approvals, failed actions",
    onlyPrints: true,
    load: async () => (await import("../operations/pipeline-command")).runPipeline,
  },
  gameday: {
    summary: "kill, delay or starve one of two local instances under load; report what was lost",
    load: async () => (await import("../operations/gameday/command")).runGamedayCommand,
  },
  "stop-reasons": {
    summary: "show why a service's tasks stopped",
    onlyPrints: true,
    load: async () => (await import("../operations/stop-reasons-command")).runStopReasons,
  },
  completion: {
    summary: "print the completion script of a shell: bash, zsh or fish",
    onlyPrints: true,
    load: async () => (await import("./completion")).completionOf(commands),
  },
};
