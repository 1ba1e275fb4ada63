import { type CommandContext, defineCommand } from "../contract/command-line";
import { badUsage, type ExitCode } from "../contract/user-error";
import { forUser } from "./aws-sdk";
import { describeStopReport, findStopReasons } from "./stop-reasons";

/** The command `antifragile stop-reasons`. */
export const runStopReasons = defineCommand(
  {
    name: "stop-reasons",
    operands: [],
    description:
      "Shows the deployments of a service, why its tasks stopped within the last hour, and the last lines they logged. Uses the AWS credentials of the shell; only reads.",
    flags: {
      region: { value: "REGION", help: "region of the service" },
      cluster: { value: "CLUSTER", help: "name of the cluster" },
      service: { value: "SERVICE", help: "name of the service" },
    },
  },
  async (line, { print }: CommandContext): Promise<ExitCode> => {
    const [region, cluster, service] = [line.value("region"), line.value("cluster"), line.value("service")];
    if (!region || !cluster || !service) {
      throw badUsage(
        ["--region, --cluster and --service are required"],
        "antifragile stop-reasons --help explains it.",
      );
    }
    const place = { region, cluster, service };
    print(describeStopReport(place, await forUser(() => findStopReasons(place))));
    return 0;
  },
);
