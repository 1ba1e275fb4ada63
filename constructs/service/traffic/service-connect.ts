import type { EcsService } from "@cdktf/provider-aws/lib/ecs-service";
import type { ILogStream } from "../../logging/log-stream";
import { brings } from "../deployment/strategy-support";
import type { ServiceContext } from "../props";
import type { TaskSize } from "../task/task-size";

/** Share of the task that the proxy uses. @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts-deploy.html */
export const PROXY_SIZE: TaskSize = { cpu: 256, memoryMiB: 64 };

interface ServiceConnectProps {
  /** ECS service; undefined for a job, which cannot take part. */
  readonly service: EcsService | undefined;
  readonly logs: ILogStream;
  /** DNS name of the service; empty for a process without a port. */
  readonly dnsName: string;
  /** The user's choice; undefined to join only if calls need it. */
  readonly connect: boolean | undefined;
}

/**
 * Service Connect of a service: a proxy in each task, through which the service calls others and, with a port, receives
 * calls.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts.html
 */
export class ServiceConnect {
  readonly #context: ServiceContext;
  readonly #props: ServiceConnectProps;
  #joined = false;

  constructor(context: ServiceContext, props: ServiceConnectProps) {
    this.#context = context;
    this.#props = props;
    if (props.connect === true) this.#join();
  }

  /** True if the proxy runs in the tasks. */
  get joined(): boolean {
    return this.#joined;
  }

  /** True if the deployment strategy supports Service Connect. */
  get supported(): boolean {
    return brings(this.#context.settings.deployment.kind, "serviceConnect");
  }

  /** Joins because the service calls or is called, unless the user has decided otherwise. */
  joinForCall(): void {
    if (this.#props.connect === undefined) this.#join();
  }

  #join(): void {
    const { service, logs, dnsName } = this.#props;
    if (this.#joined || service === undefined) return;
    this.#joined = true;
    const { stack, settings } = this.#context;
    const { name, process, shutdown } = settings;
    service.putServiceConnectConfiguration({
      enabled: true,
      namespace: stack.namespace.namespaceArn,
      logConfiguration: {
        logDriver: "awslogs",
        options: {
          "awslogs-group": logs.logGroupName,
          "awslogs-region": stack.environment.region,
          "awslogs-stream-prefix": "service-connect",
          mode: "non-blocking",
          "max-buffer-size": "25m",
        },
      },
      service:
        process.kind !== "web"
          ? undefined
          : [
              {
                portName: name,
                // The service's own name is already taken in the namespace, by its DNS name.
                discoveryName: `${name}-connect`,
                // The DNS name, so that callers with and without the proxy use one URL.
                clientAlias: { dnsName, port: process.port },
                timeout: { perRequestTimeoutSeconds: shutdown.deregistrationDelay.toSeconds() },
              },
            ],
    });
  }
}
