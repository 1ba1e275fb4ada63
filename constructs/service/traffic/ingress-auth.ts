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

/** Priority of a rule for public paths: right before an explicit one, else from its match. */
export function publicPriority({ hosts = [], priority, auth }: Guarded): number {
  return priority === undefined ? rulePriority({ hosts, paths: auth?.publicPaths ?? [] }) : priority - 1;
}

/** Notes INGRESS_AUTH_HTTPS, INGRESS_AUTH_HOST, INGRESS_PUBLIC_PATH, and what the way to sign in itself finds. */
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
      "needs HTTPS, and the platform's load balancer is reached by HTTP, where tokens and sessions can be read on the way",
    remedy: "Use listener: https(...).",
  });
  problems.check(!auth.redirects || (hosts.length > 0 && hosts.every((name) => !name.includes("*"))), {
    code: "INGRESS_AUTH_HOST",
    prop: "hosts",
    problem: `${JSON.stringify(hosts)} tell no host that people come back to when they have signed in`,
    remedy: "Name each host, without wildcards.",
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
      problem: `${JSON.stringify(publicPaths)} are not up to 3 path patterns that are each a part of ${own.join(", ")}, 4 together with the hosts`,
      remedy: "Begin each with / and name a part of what comes here.",
    },
  );
  problems.check(
    priority === undefined
      ? ruleBand({ hosts, paths: publicPaths }) < ruleBand({ hosts, paths })
      : priority > EXPLICIT_PRIORITY.min,
    {
      code: "INGRESS_PUBLIC_ORDER",
      prop: "auth.publicPaths",
      problem: `${JSON.stringify(publicPaths)} have no rule that surely comes before that of ${own.join(", ")}`,
      remedy: `Give the Ingress a priority above ${EXPLICIT_PRIORITY.min}: the one before it is theirs.`,
    },
  );
}

/** Fails the plan where a platform of another repo, which synth cannot see, is reached by HTTP. */
export function reachedByHttps(serviceName: string, platformName: string, { scheme }: ILoadBalancer) {
  return {
    condition: Op.eq(scheme, "https"),
    errorMessage: `The load balancer of platform ${platformName} is reached by HTTP, where ${serviceName} cannot know its callers: use listener https(...).`,
  };
}
