import { Op } from "cdktf";
import type { Problems } from "../../core/errors";
import type { AuthenticatedRule, Authentication } from "../../load-balancer/authentication";
import { PATH_PATTERN } from "../../load-balancer/listener-rule";
import type { ILoadBalancer } from "../../load-balancer/load-balancer";
import { covers, EXPLICIT_PRIORITY, ruleBand, rulePriority } from "../../load-balancer/priority";

interface Guarded {
  readonly hosts?: readonly string[];
  readonly paths?: readonly string[];
  readonly priority?: number;
  readonly auth?: Authentication;
}

/** Priority of a rule for public paths: directly before an explicit priority, otherwise derived from its conditions. */
export function publicPriority({ hosts = [], priority, auth }: Guarded, owner: string): number {
  return priority === undefined ? rulePriority({ hosts, paths: auth?.publicPaths ?? [] }, owner) : priority - 1;
}

/** Records INGRESS_AUTH_HTTPS, INGRESS_AUTH_HOST, INGRESS_PUBLIC_PATH, and the errors of the authentication method. */
export function checkAuth(
  problems: Problems,
  { hosts = [], paths = [], priority, auth }: Guarded,
  service: Omit<AuthenticatedRule, "hosts"> & { readonly scheme: string | undefined },
): void {
  if (auth === undefined) return;
  auth.check(problems, { ...service, hosts });
  problems.check(service.scheme !== "http", {
    code: "INGRESS_AUTH_HTTPS",
    prop: "auth",
    problem:
      "needs HTTPS, but the platform's load balancer uses HTTP, which does not protect tokens and sessions in transit",
    remedy: "Use listener: https(...).",
  });
  problems.check(!auth.redirects || (hosts.length > 0 && hosts.every((name) => !name.includes("*"))), {
    code: "INGRESS_AUTH_HOST",
    prop: "hosts",
    problem: `must be at least one host without wildcards, which users return to after signing in, got ${JSON.stringify(hosts)}`,
    remedy: "List each host.",
  });
  const { publicPaths } = auth;
  if (publicPaths.length === 0) return;
  const own = paths.length === 0 ? ["/*"] : paths;
  problems.check(
    publicPaths.length <= 3 &&
      publicPaths.length + hosts.length <= 4 &&
      publicPaths.every((path) => PATH_PATTERN.test(path) && own.some((pattern) => covers(pattern, path))) &&
      !own.some((pattern) => publicPaths.some((path) => covers(path, pattern))),
    {
      code: "INGRESS_PUBLIC_PATH",
      prop: "auth.publicPaths",
      problem: `must be up to 3 path patterns, 4 together with the hosts, each within ${own.join(", ")}, got ${JSON.stringify(publicPaths)}`,
      remedy: "Start each with / and use paths within those of the Ingress.",
    },
  );
  problems.check(
    priority === undefined
      ? ruleBand({ hosts, paths: publicPaths }) < ruleBand({ hosts, paths })
      : priority > EXPLICIT_PRIORITY.min,
    {
      code: "INGRESS_PUBLIC_ORDER",
      prop: "auth.publicPaths",
      problem: `must have a rule before that of ${own.join(", ")}, which the derived order does not guarantee for ${JSON.stringify(publicPaths)}`,
      remedy: `Set the priority of the Ingress above ${EXPLICIT_PRIORITY.min}; the public paths get the one before it.`,
    },
  );
}

/** Fails the plan if a platform of another repository, which synth cannot inspect, uses HTTP. */
export function reachedByHttps(serviceName: string, platformName: string, { scheme }: ILoadBalancer) {
  return {
    condition: Op.eq(scheme, "https"),
    errorMessage: `The load balancer of platform ${platformName} uses HTTP, over which ${serviceName} cannot authenticate its callers: use listener https(...).`,
  };
}
