import {
  CloudNativeService,
  Duration,
  every,
  existingQueue,
  Image,
  job,
  otlp,
  type ServiceStack,
  Telemetry,
  web,
  worker,
} from "../../../constructs";
import { grantOf, metricOf, type References, textOf } from "./references";

const IMAGE = `public.ecr.aws/nginx/nginx@sha256:${"a".repeat(64)}`;

/** Services that set every prop which takes a reference to one. */
export function services(stack: ServiceStack, references: References): void {
  const call = "new CloudNativeService";
  const text = textOf(references, call);
  const metric = metricOf(references, call);
  const orders = new CloudNativeService(stack, "Orders", {
    image: Image.digest(IMAGE),
    process: {
      ...web(),
      liveCommand: [text("process.liveCommand[0]")],
      command: [text("process.command[0]")],
    },
    scaling: {
      metrics: [{ name: "Sessions", metric: metric("metrics"), target: 100 }],
      steps: [{ name: "Backlog", metric: metric("steps"), out: [{ from: 50, add: 1 }] }],
    },
    environment: { GREETING: text("environment.key") },
    secrets: { API_KEY: text("secrets.key") },
  });
  orders.addAdminProcess("report", [references.text("CloudNativeService.addAdminProcess", "command[0]")]);
  orders.grant(grantOf(references, "CloudNativeService.grant"));
  const over = textOf(references, "CloudNativeService.overrideContainer");
  orders.overrideContainer("orders", {
    ulimits: [{ name: over("overrides.ulimits[0].name"), softLimit: 1, hardLimit: 2 }],
    mountPoints: [
      {
        sourceVolume: over("overrides.mountPoints[0].sourceVolume"),
        containerPath: over("overrides.mountPoints[0].containerPath"),
      },
    ],
    dockerLabels: { label: over("overrides.dockerLabels.key") },
    portMappings: [{ containerPort: 9000, name: over("overrides.portMappings[0].name") }],
    logConfiguration: {
      logDriver: over("overrides.logConfiguration.logDriver"),
      options: { group: over("overrides.logConfiguration.options.key") },
      secretOptions: [
        {
          name: over("overrides.logConfiguration.secretOptions[0].name"),
          valueFrom: over("overrides.logConfiguration.secretOptions[0].valueFrom"),
        },
      ],
    },
    firelensConfiguration: {
      type: "fluentbit",
      options: { file: over("overrides.firelensConfiguration.options.key") },
    },
    dependsOn: [{ containerName: over("overrides.dependsOn[0].containerName"), condition: "START" }],
    systemControls: [
      { namespace: over("overrides.systemControls[0].namespace"), value: over("overrides.systemControls[0].value") },
    ],
  });
  orders.add(
    new Telemetry({
      to: [
        otlp({
          url: `https://${references.text("otlp", "url")}`,
          authorizationArn: references.text("otlp", "authorizationArn"),
        }),
      ],
    }),
  );
  const telemetry = textOf(references, "new Telemetry");
  new CloudNativeService(stack, "Measured", {
    image: Image.digest(IMAGE),
    process: web({
      command: [references.text("web", "command[0]")],
      liveCommand: [references.text("web", "liveCommand[0]")],
    }),
  }).add(
    new Telemetry({
      image: telemetry("image"),
      to: [
        {
          kind: "otlp",
          url: `https://${telemetry("to[0].url")}/v1`,
          authorizationArn: telemetry("to[0].authorizationArn"),
        },
      ],
    }),
  );
  const queue = existingQueue(stack, "Mails", references.text("existingQueue", "queueArn"));
  new CloudNativeService(stack, "Mailer", {
    process: worker({ queue, command: [references.text("worker", "command[0]")] }),
  });
  new CloudNativeService(stack, "Report", {
    process: job({ schedule: every(Duration.hours(1)), command: [references.text("job", "command[0]")] }),
  });
  const calling = new CloudNativeService(stack, "Calling");
  calling.connections.allowTo("Orders", orders.connections, { port: references.number("Connections.allowTo", "port") });
  calling.connections.allowFrom("Orders", orders.connections, {
    port: references.number("Connections.allowFrom", "port"),
  });
}
