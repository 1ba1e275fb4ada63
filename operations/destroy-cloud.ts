import { AwsClients, forUser, loadSdk } from "./aws-sdk";
import type { ContainerCloud, Obstacle } from "./obstacles";
import { knownServices, type Parameters, parametersBelow } from "./status-cloud";

/** Platform of an environment. */
interface PlatformPlace {
  readonly environment: string;
  readonly platform: string;
}

/** Destroyed part of a platform. */
interface Destroyed {
  /** Names of the parameters of the destroyed stacks. */
  readonly parameters: ReadonlySet<string>;
  /** True if the platform itself is destroyed. */
  readonly deleted: boolean;
}

/** AWS in a region, as far as it decides whether something can be deleted. */
export interface DestroyCloud extends ContainerCloud {
  /** Other services on a destroyed platform, and releases of the destroyed services that are under way. */
  readonly usersOf: (
    place: PlatformPlace,
    destroyed: Destroyed,
  ) => Promise<readonly Pick<Obstacle, "reason" | "remedy">[]>;
}

/** Clients of AWS for {@link DestroyCloud}. Needs `s3:ListBucketVersions`, `ecr:ListImages` and `ssm:GetParametersByPath`. */
export function destroyCloud(region: string | undefined): DestroyCloud {
  const clients = new AwsClients({ region });
  return {
    isEmpty: (kind, name) =>
      forUser(() => (kind === "bucket" ? isEmptyBucket(clients, name) : isEmptyRepository(clients, name))),
    usersOf: (place, destroyed) =>
      forUser(async () => describeUsers(await parametersBelow(clients, place), place, destroyed)),
    done: () => clients.destroy(),
  };
}

/** Reads from the parameters of a platform what prevents its destruction, or that of some of its services. */
export function describeUsers(
  parameters: Parameters,
  place: PlatformPlace,
  { parameters: own, deleted }: Destroyed,
  now = Date.now(),
): readonly Pick<Obstacle, "reason" | "remedy">[] {
  const known = (include: (name: string) => boolean) =>
    knownServices(new Map([...parameters].filter(([name]) => include(name))), place, now);
  const others = deleted ? known((name) => !own.has(name)) : [];
  const services = [...new Set(others.map(({ service }) => service))];
  const locks = known((name) => own.has(name) || name.endsWith("/lock")).flatMap(({ lock }) => lock ?? []);
  const running = [...new Set(locks.filter(({ silent }) => !silent).map(({ number }) => number))];
  return [
    ...(services.length === 0
      ? []
      : [
          {
            reason: `belongs to a platform with services of other stacks: ${services.join(", ")}`,
            remedy: `destroy ${place.environment} in the repositories of these services first`,
          },
        ]),
    ...running.map((number) => ({
      reason: `belongs to a service of which release ${number} is under way`,
      remedy: "wait for it to end, or interrupt it where it runs",
    })),
  ];
}

async function isEmptyBucket(clients: AwsClients, Bucket: string): Promise<boolean> {
  const { ListObjectVersionsCommand, S3Client } = await loadSdk(
    "@aws-sdk/client-s3",
    () => import("@aws-sdk/client-s3"),
  );
  const { Versions = [], DeleteMarkers = [] } = await clients
    .get(S3Client)
    .send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 1 }));
  return Versions.length + DeleteMarkers.length === 0;
}

async function isEmptyRepository(clients: AwsClients, repositoryName: string): Promise<boolean> {
  const { ECRClient, ListImagesCommand } = await loadSdk("@aws-sdk/client-ecr", () => import("@aws-sdk/client-ecr"));
  const { imageIds = [] } = await clients.get(ECRClient).send(new ListImagesCommand({ repositoryName, maxResults: 1 }));
  return imageIds.length === 0;
}
