import type { IConstruct } from "constructs";
import { checkArguments } from "../../core/check-types";
import { warn } from "../../core/errors";
import { kebab } from "../../core/names";
import { Registry } from "../../core/registry";
import type { ServiceStack } from "../../platform/platform";
import type { Process } from "./process";

/**
 * Public Node.js image for amd64 and arm64, by digest, which a service runs until its first release, so that the first
 * `apply` works with an empty image repository.
 */
const BOOTSTRAP_IMAGE =
  "public.ecr.aws/docker/library/node@sha256:d32cdf619f63fe0471182d08996dd516c6275bb5fd31ae06e55a570bd9e1ad43";

/** Program that replaces a worker until the first release: it waits. */
const BOOTSTRAP_WORKER = "setInterval(()=>{},2147483647);";

/** Program that replaces a job until the first release: it logs a line and succeeds. */
const BOOTSTRAP_JOB = `console.log('{"level":"info","msg":"no release yet"}');`;

/**
 * Program that replaces a web process until the first release: returns 200 on the health paths, so that the deployment
 * becomes steady, and 503 on all others.
 */
const BOOTSTRAP_WEB = [
  "const healthy=process.env.BOOTSTRAP_HEALTHY.split(',');",
  "require('node:http').createServer((q,s)=>{",
  "s.statusCode=healthy.includes(q.url.split('?')[0])?200:503;s.end();",
  "}).listen(Number(process.env.PORT));",
].join("");

/** Image of a service's containers: see {@link Image.repository} and {@link Image.digest}. */
export class Image {
  /**
   * Image from the service's ECR repository, which is empty at first: a bootstrap image runs until the first release. From
   * then on, releases decide the running digest.
   *
   * @param options.name name of the ECR repository. Default: the stack's name
   */
  static repository(options: { readonly name?: string } = {}): Image {
    checkArguments("Image.repository", { options });
    return new Image("repository", BOOTSTRAP_IMAGE, options.name);
  }

  /**
   * Fixed image by digest: `public.ecr.aws/nginx/nginx@sha256:...`. Terraform decides the running digest.
   *
   * @throws RangeError when the URI has no digest, because tags are mutable
   */
  static digest(uri: string): Image {
    checkArguments("Image.digest", { uri });
    if (!/^[a-z0-9][a-z0-9.\-_/:]*@sha256:[0-9a-f]{64}$/.test(uri)) {
      throw new RangeError(
        `Image.digest(${JSON.stringify(uri)}): must be an image by digest, because tags are mutable. Use registry/name@sha256:<64 hex digits>.`,
      );
    }
    return new Image("digest", uri);
  }

  private constructor(
    readonly kind: "repository" | "digest",
    /** Image that Terraform starts the container with. */
    readonly uri: string,
    /** Name of the repository that releases use. */
    readonly repositoryName?: string,
  ) {}

  /** Name of its images without digest: a repository, or registry and name. */
  sourceIn(stackName: string): string {
    return this.kind === "digest" ? this.uri.replace(/@.*$/, "") : (this.repositoryName ?? stackName);
  }

  /** Command that Terraform starts the container of a process with; undefined for the image's own. */
  commandFor(process: Process): readonly string[] | undefined {
    if (this.kind === "digest") return process.command;
    const script = { web: BOOTSTRAP_WEB, worker: BOOTSTRAP_WORKER, job: BOOTSTRAP_JOB }[process.kind];
    return ["node", "-e", script];
  }
}

interface DefaultCommand {
  readonly service: IConstruct;
  readonly image: Image;
}

/** Services of a stack that run the own command of an image from a repository, by the repository. */
const DEFAULT_COMMANDS = () => new Map<string, DefaultCommand>();

/**
 * Warns where two processes of a stack run the same image with its own command: they are the same program, because neither
 * the image nor the command was chosen. Several processes of one image each set a command, or name the repository.
 */
export function warnOfSharedImage(stack: ServiceStack, service: IConstruct, image: Image, process: Process): void {
  if (image.kind !== "repository" || process.command !== undefined) return;
  const source = image.sourceIn(stack.stackName);
  const services = Registry.of(stack).get(DEFAULT_COMMANDS);
  const first = services.get(source);
  if (first === undefined) {
    services.set(source, { service, image });
    return;
  }
  if (first.image.repositoryName !== undefined && image.repositoryName !== undefined) return;
  warn(service, {
    code: "IMAGE_SHARED",
    prop: "image",
    problem: `is that of ${first.service.node.path} (repository ${JSON.stringify(source)}), with the same command: a release runs one program in both`,
    remedy: `Set image: Image.repository({ name: ${JSON.stringify(kebab(service.node.id))} }), or a command of its own: ${process.kind}({ command }).`,
  });
}
