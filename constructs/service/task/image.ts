import type { Process } from "./process";

/**
 * A public node image for amd64 and arm64, by digest: what a service runs until its first release, so that the first
 * `apply` works with an empty image repository.
 */
const BOOTSTRAP_IMAGE =
  "public.ecr.aws/docker/library/node@sha256:d32cdf619f63fe0471182d08996dd516c6275bb5fd31ae06e55a570bd9e1ad43";

/** What runs in place of a worker until the first release: it waits. */
const BOOTSTRAP_WORKER = "setInterval(()=>{},2147483647);";

/** What runs in place of a job until the first release: it says so and ends well. */
const BOOTSTRAP_JOB = `console.log('{"level":"info","msg":"no release yet"}');`;

/** Answers 200 on the health paths, so that the deployment is steady, and 503 elsewhere, since there is no service yet. */
const BOOTSTRAP_WEB = [
  "const healthy=process.env.BOOTSTRAP_HEALTHY.split(',');",
  "require('node:http').createServer((q,s)=>{",
  "s.statusCode=healthy.includes(q.url.split('?')[0])?200:503;s.end();",
  "}).listen(Number(process.env.PORT));",
].join("");

/** What a service's containers are made from: see {@link Image.repository} and {@link Image.digest}. */
export class Image {
  /**
   * The service's own repository, which starts empty: a bootstrap image runs until the first release, and releases decide
   * from then on which digest runs.
   *
   * @param options.name name of the ECR repository. Default: the stack's name
   */
  static repository(options: { readonly name?: string } = {}): Image {
    return new Image("repository", BOOTSTRAP_IMAGE, options.name);
  }

  /**
   * One image, by digest: `public.ecr.aws/nginx/nginx@sha256:...`. Terraform decides which digest runs.
   *
   * @throws RangeError when the URI has no digest: a tag can be moved, so it says nothing of what runs
   */
  static digest(uri: string): Image {
    if (!/^[a-z0-9][a-z0-9.\-_/:]*@sha256:[0-9a-f]{64}$/.test(uri)) {
      throw new RangeError(
        `Image.digest(${JSON.stringify(uri)}): use registry/name@sha256:<64 hex digits>; a tag can be moved`,
      );
    }
    return new Image("digest", uri);
  }

  private constructor(
    readonly kind: "repository" | "digest",
    /** What the container runs when Terraform starts it. */
    readonly uri: string,
    /** Name of the repository that releases come from. */
    readonly repositoryName?: string,
  ) {}

  /** What images of it are called, without digest: a repository, or registry and name. */
  sourceIn(stackName: string): string {
    return this.kind === "digest" ? this.uri.replace(/@.*$/, "") : (this.repositoryName ?? stackName);
  }

  /** What the container of a process runs when Terraform starts it; undefined for the image's own. */
  commandFor(process: Process): readonly string[] | undefined {
    if (this.kind === "digest") return process.command;
    const script = { web: BOOTSTRAP_WEB, worker: BOOTSTRAP_WORKER, job: BOOTSTRAP_JOB }[process.kind];
    return ["node", "-e", script];
  }
}
