import { BlockList, isIPv6 } from "node:net";

/** Condition of a listener rule, as DescribeRules returns it. */
export interface Condition {
  readonly Field?: string;
  readonly Values?: readonly string[];
  readonly PathPatternConfig?: { readonly Values?: readonly string[] };
  readonly HostHeaderConfig?: { readonly Values?: readonly string[] };
  readonly HttpHeaderConfig?: { readonly HttpHeaderName?: string; readonly Values?: readonly string[] };
  readonly HttpRequestMethodConfig?: { readonly Values?: readonly string[] };
  readonly QueryStringConfig?: { readonly Values?: readonly { readonly Key?: string; readonly Value?: string }[] };
  readonly SourceIpConfig?: { readonly Values?: readonly string[] };
}

/** Action of a listener rule. */
export interface Action {
  readonly Type: string;
  readonly Order?: number;
  readonly TargetGroupArn?: string;
  readonly ForwardConfig?: {
    readonly TargetGroups?: readonly { readonly TargetGroupArn: string; readonly Weight?: number }[];
  };
  readonly FixedResponseConfig?: {
    readonly StatusCode: string;
    readonly ContentType?: string;
    readonly MessageBody?: string;
  };
  readonly RedirectConfig?: {
    readonly StatusCode: string;
    readonly Protocol?: string;
    readonly Host?: string;
    readonly Port?: string;
    readonly Path?: string;
    readonly Query?: string;
  };
}

/** Rule of a listener, as DescribeRules returns it. */
export interface Rule {
  readonly Priority: string;
  readonly Conditions?: readonly Condition[];
  readonly Actions: readonly Action[];
}

/** Parts of a request that rules look at. */
export interface RuledRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly address: string;
}

/** Actions of the first rule, by priority, whose conditions all hold; in their order. */
export function actionsFor(rules: readonly Rule[], request: RuledRequest): readonly Action[] {
  const order = ({ Priority }: Rule) => (Priority === "default" ? Number.POSITIVE_INFINITY : Number(Priority));
  const rule = [...rules]
    .sort((a, b) => order(a) - order(b))
    .find(({ Conditions = [] }) => Conditions.every((condition) => holds(condition, request)));
  return [...(rule?.Actions ?? [])].sort((a, b) => (a.Order ?? 0) - (b.Order ?? 0));
}

/** Returns whether a condition holds: one of its values matches. */
function holds(condition: Condition, { method, url, headers, address }: RuledRequest): boolean {
  const { Field, Values = [] } = condition;
  const valuesOf = (config: { readonly Values?: readonly string[] } | undefined) => config?.Values ?? Values;
  const [path = "", query = ""] = splitOnce(url, "?");
  switch (Field) {
    case "path-pattern":
      return valuesOf(condition.PathPatternConfig).some((pattern) => matches(pattern, path));
    case "host-header": {
      const host = String(headers.host ?? "").replace(/:\d+$/, "");
      return valuesOf(condition.HostHeaderConfig).some((pattern) => matches(pattern, host, "i"));
    }
    case "http-header": {
      const { HttpHeaderName = "" } = condition.HttpHeaderConfig ?? {};
      const value = headers[HttpHeaderName.toLowerCase()];
      return valuesOf(condition.HttpHeaderConfig).some(
        (pattern) => value !== undefined && matches(pattern, String(value), "i"),
      );
    }
    case "http-request-method":
      return valuesOf(condition.HttpRequestMethodConfig).includes(method);
    case "query-string": {
      const pairs = [...new URLSearchParams(query)];
      return (condition.QueryStringConfig?.Values ?? []).some((wanted) =>
        pairs.some(
          ([key, value]) =>
            (wanted.Key === undefined || matches(wanted.Key, key, "i")) && matches(wanted.Value ?? "*", value, "i"),
        ),
      );
    }
    case "source-ip": {
      const list = new BlockList();
      for (const range of valuesOf(condition.SourceIpConfig)) {
        const [network = "", prefix = ""] = splitOnce(range, "/");
        list.addSubnet(network, Number(prefix), isIPv6(network) ? "ipv6" : "ipv4");
      }
      return list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
    }
    default:
      return false;
  }
}

/** Matches a pattern of a load balancer: `*` stands for any characters, `?` for one. */
function matches(pattern: string, text: string, flags = ""): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${expression}$`, `s${flags}`).test(text);
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** Location of a redirect, with the parts of the request in place of `#{protocol}`, `#{host}`, `#{port}`, `#{path}`, `#{query}`. */
export function redirectLocation(
  {
    Protocol = "#{protocol}",
    Host = "#{host}",
    Port = "#{port}",
    Path = "/#{path}",
    Query = "#{query}",
  }: NonNullable<Action["RedirectConfig"]>,
  request: RuledRequest,
  listener: { readonly protocol: string; readonly port: number },
): { readonly protocol: string; readonly host: string; readonly port: number; readonly path: string } {
  const [path, query] = splitOnce(request.url, "?");
  const parts: Record<string, string> = {
    protocol: listener.protocol,
    host: String(request.headers.host ?? "").replace(/:\d+$/, ""),
    port: String(listener.port),
    path: path.replace(/^\//, ""),
    query,
  };
  const fill = (text: string) => text.replace(/#\{(\w+)\}/g, (_, name: string) => parts[name] ?? "");
  const filled = fill(Query);
  return {
    protocol: fill(Protocol).toLowerCase(),
    host: fill(Host),
    port: Number(fill(Port)),
    path: `${fill(Path)}${filled === "" ? "" : `?${filled}`}`,
  };
}

/** Target group that receives a request: chosen by the weights, at random. */
export function forwardedTo({ TargetGroupArn, ForwardConfig }: Action, random: number): string | undefined {
  const groups = ForwardConfig?.TargetGroups ?? [];
  const total = groups.reduce((sum, { Weight = 1 }) => sum + Weight, 0);
  let left = random * total;
  for (const { TargetGroupArn: arn, Weight = 1 } of groups) {
    left -= Weight;
    if (left < 0) return arn;
  }
  return groups.length === 0 ? TargetGroupArn : undefined;
}
