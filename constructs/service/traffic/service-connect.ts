import type { EcsServiceServiceConnectConfiguration } from "@cdktf/provider-aws/lib/ecs-service";
import type { ILogStream } from "../../logging/log-stream";
import type { ServiceSettings } from "../props";
import type { TaskSize } from "../task/task-size";

/** What the proxy takes of a task. @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts-deploy.html */
export const PROXY_SIZE: TaskSize = { cpu: 256, memoryMiB: 64 };

/**
 * How a service takes part in Service Connect: a proxy beside each task, by which it calls and, with a port, is called.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts.html
 */
export function serviceConnect(part: {
  readonly settings: Pick<ServiceSettings, "name" | "process" | "shutdown">;
  readonly namespaceArn: string;
  readonly region: string;
  readonly logs: ILogStream;
  /** Its name in DNS; empty for one without a port. */
  readonly dnsName: string;
}): EcsServiceServiceConnectConfiguration {
  const { name, process, shutdown } = part.settings;
  return {
    enabled: true,
    namespace: part.namespaceArn,
    logConfiguration: {
      logDriver: "awslogs",
      options: {
        "awslogs-group": part.logs.logGroupName,
        "awslogs-region": part.region,
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
              // Not the service's own name: that is taken in the namespace, by its name in DNS.
              discoveryName: `${name}-connect`,
              // The same name as in DNS, so that callers with and without the proxy use one URL.
              clientAlias: { dnsName: part.dnsName, port: process.port },
              timeout: { perRequestTimeoutSeconds: shutdown.deregistrationDelay.toSeconds() },
            },
          ],
  };
}
