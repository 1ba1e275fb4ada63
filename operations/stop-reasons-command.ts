import { type Call, OperationError, type Outcome, readFlags, run } from "./command";
import { describeStopReport, findStopReasons } from "./stop-reasons";

const USAGE = `Usage: antifragile stop-reasons --region REGION --cluster CLUSTER --service SERVICE

Tells how the service's deployments stand, why its tasks stopped within the last hour, and their last lines. Uses the
credentials of the environment.
`;

/** The command `antifragile stop-reasons`. */
export function runStopReasons({ args, print }: Call): Promise<Outcome> {
  return run(async () => {
    if (args.includes("--help") || args.includes("-h")) {
      print(USAGE);
      return 0;
    }
    const { flags, operands } = readFlags(args, { region: {}, cluster: {}, service: {} }, USAGE);
    const [region, cluster, service] = [flags.region?.[0], flags.cluster?.[0], flags.service?.[0]];
    if (!region || !cluster || !service || operands.length > 0) {
      throw new OperationError(`--region, --cluster and --service are needed, and nothing else\n${USAGE}`, 2);
    }
    const place = { region, cluster, service };
    print(describeStopReport(place, await ask(place)));
    return 0;
  });
}

async function ask(place: { region: string; cluster: string; service: string }) {
  try {
    return await findStopReasons(place);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND") {
      const packages = "@aws-sdk/client-ecs @aws-sdk/client-cloudwatch-logs";
      throw new OperationError(`the AWS SDK is missing: npm install --save-dev ${packages}`, 1);
    }
    throw new OperationError(`AWS did not tell: ${message}`, 1);
  }
}
