import { describe, expect, it } from "vitest";
import { exportsOf } from "./support/public-api";
import {
  accepted,
  attributes,
  codes,
  codesOf,
  constructClasses,
  constructors,
  defaults,
  docs,
  type Exception,
  enums,
  everyResource,
  imports,
  judged,
  props,
  references,
  undocumented,
  units,
  type Violation,
} from "./support/rules";
import { filesIn, madeUp, readSources, textOf } from "./support/sources";

/** Places that may break a rule, each with its reason. One that nothing needs any more fails. */
const EXCEPTIONS: readonly Exception[] = [
  {
    rule: "C2",
    where: "CloudNativeServiceProps",
    why: "the one construct that most users see: each prop alone has a default, none needs another to be set",
  },
  {
    rule: "C7",
    where: "ServiceHost.deregistrationSeconds",
    why: "read by add-ons, which write it into Terraform and into variables as it is",
  },
  {
    rule: "C8",
    where: "InstanceGroup.autoScalingGroupArn",
    why: "how a group of machines shows itself to its cluster; users pass the cluster to the group",
  },
  {
    rule: "C8",
    where: "Platform.existing",
    why: "its own method stack(...) creates the stacks of services, as that of a Platform does",
  },
  {
    rule: "C8",
    where: "UserPool.fromAttributes",
    why: "its own method signIn(...) returns the authentication that an Ingress takes",
  },
  { rule: "C8", where: "StateBucket.kmsKeyArn", why: "a key of others, which no construct of ours ever sees" },
  { rule: "C8", where: "Exec.keyArn", why: "a key of others, used and never changed" },
  { rule: "C7", where: "ServiceAlarms.latencyPercentile", why: "a percentile, as CloudWatch calls it; no percentage" },
  { rule: "C8", where: "OtlpExporter.authorizationArn", why: "a secret of others, only ever named" },
  { rule: "C8", where: "PrometheusExporter.workspaceArn", why: "a workspace of others, only ever named" },
  { rule: "C8", where: "AccountDestination.destinationArn", why: "a thing of another account, only ever named" },
  { rule: "C8", where: "HttpDestination.secretArn", why: "a secret of others, only ever named" },
  { rule: "C8", where: "KinesisDestination.streamArn", why: "a stream of others, only ever named" },
  { rule: "C8", where: "OpenSearchOptions.domainArn", why: "a domain of others, only ever named" },
  { rule: "C8", where: "SlackChannel.workspaceId", why: "a thing of Slack's, which has no constructs" },
  { rule: "C8", where: "SlackChannel.channelId", why: "a thing of Slack's, which has no constructs" },
  { rule: "C8", where: "TargetGroup.targetGroupArn", why: "what an add-on reports about what it made itself" },
  { rule: "C8", where: "TargetShift.listenerArn", why: "what an add-on reports about what it made itself" },
  { rule: "C8", where: "TargetShift.ruleArn", why: "what an add-on reports about what it made itself" },
  { rule: "C8", where: "IngressProps.zoneId", why: "a hosted zone of others, used and never changed" },
  { rule: "C8", where: "OidcSignInOptions.clientId", why: "what an issuer outside AWS calls the app" },
  {
    rule: "C8",
    where: "OidcSignInOptions.clientSecretArn",
    why: "a secret of others, read by Terraform and never changed",
  },
  { rule: "C8", where: "ConnectedSourceOptions.connectionArn", why: "a connection of others, used and never changed" },
  { rule: "C8", where: "IConnectable", why: "what a thing can do, not a thing: who can be connected has connections" },
  { rule: "C8", where: "IGrantable", why: "what a thing can do, not a thing: who can be granted something has a role" },
  { rule: "C8", where: "ICallee", why: "others' services are told by name: serviceNamed(name)" },
  {
    rule: "C9",
    where: "StackOnPlatform.loadBalancer",
    why: "whether a platform of another repo has a load balancer is not known at synth, so its type cannot say it",
  },
];

const sources = readSources("constructs");
const exported = exportsOf(sources, "constructs/index.ts");
const tests = filesIn("test")
  .filter((path) => path.endsWith(".test.ts") && !path.startsWith("test/contract/"))
  .map(textOf)
  .join("\n");

const found: Readonly<Record<string, readonly Violation[]>> = {
  "C1 constructors take (scope, id, props)": constructors(sources, exported),
  "C2 props are readonly and few": props(exported),
  "C3 what is optional tells its default": defaults(exported),
  "C6 there is no enum": enums(sources),
  "C7 units are types, or in the name": units(exported),
  "C8 things are referred to by interface, and can be imported": [
    ...references(exported),
    ...imports(exported),
    ...accepted(exported),
  ],
  "C9 attributes are readonly and never throw": attributes(sources, exported),
  "C11 whoever may touch everything says why": everyResource(sources),
  "C19 refusals have a code, of one family, that a test sees": codes(codesOf(sources), tests),
  "C21 docs say what it is, show it, name a source and what it costs": [
    ...docs(sources, exported),
    ...undocumented(exported),
  ],
};

describe("every exported construct", () => {
  it("is found", () => {
    const names = constructClasses(sources, exported).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["AutoScalingGroup", "CloudNativeService", "LogStream", "Platform"]));
    expect(codesOf(sources).size).toBeGreaterThan(100);
  });

  it.each(Object.keys(found))("%s", (title) => {
    const [rule] = title.split(" ");
    expect(
      judged(
        found[title]!,
        EXCEPTIONS.filter((each) => each.rule === rule),
      ),
    ).toEqual([]);
  });

  it("has exceptions only for checked rules", () => {
    const rules = Object.keys(found).map((title) => title.split(" ")[0]);
    expect(EXCEPTIONS.filter(({ rule, why }) => !rules.includes(rule) || why === "")).toEqual([]);
  });
});

describe("the checks", () => {
  const of = (text: string) => {
    const files = madeUp({ "constructs/a/a.ts": text });
    return [files, exportsOf(files, "constructs/a/a.ts")] as const;
  };
  const where = (violations: readonly Violation[]) => violations.map((each) => `${each.where} ${each.problem}`);

  it("C1 report another order and a missing = {}", () => {
    const [files, names] = of(`
      export interface AProps { readonly a?: number }
      interface BProps extends CProps { readonly b?: number }
      interface CProps { readonly c: number }
      export class A extends Construct { constructor(scope: Construct, id: string, props: AProps) {} }
      export class A2 extends A { constructor(scope: Construct, id: string, props: AProps = {}) {} }
      export class B extends Construct { constructor(id: string, scope: Construct, props: BProps) {} }
      export class C extends Construct { constructor(scope: Construct, id: string, props: BProps = {}) {} }
      export class D extends TerraformStack { constructor(scope: Construct, id: string, props: CProps) {} }
      export class E { constructor(x: number) {} }`);
    expect(where(constructors(files, names))).toEqual([
      "A nothing is required: props = {}",
      "B takes (id, scope, props), not (scope, id, props)",
      "C props have something required",
      "D takes (scope, id, props), not (scope, name, props)",
    ]);
  });

  it("C2 and C3 report props that are not readonly, too many, or without a default", () => {
    const many = Array.from({ length: 16 }, (_, index) => `readonly p${index}: number;`).join("");
    const [, names] = of(`
      export interface AProps {
        a: number;
        /** @default 1 */
        readonly b?: number;
        /** No. */
        readonly c?: number;
      }
      export interface BProps { ${many} }
      interface Hidden { a?: number }`);
    expect(where(props(names))).toEqual(["AProps.a is not readonly", "BProps has 16 props, more than 15"]);
    expect(where(defaults(names))).toEqual(["AProps.c is optional and tells no @default"]);
  });

  it("C6, C7 and C8 report enums, bare units, ids and ARNs", () => {
    const [files, names] = of(`
      enum Kind { A }
      export interface AProps { readonly waitSeconds: number; readonly percentOfAll?: number; readonly memoryGiB: number;
        readonly cpuPercent: number; readonly roleArn?: string; readonly subnetIds: readonly string[]; readonly days: Duration }
      export interface AAttributes { readonly aArn: string }
      export interface IA { readonly aId: string }`);
    expect(where(enums(files))).toEqual(["Kind is an enum, in constructs/a/a.ts: use a const array and its union"]);
    expect(units(names).map((each) => each.where)).toEqual([
      "AProps.waitSeconds",
      "AProps.percentOfAll",
      "AProps.memoryGiB",
    ]);
    expect(references(names).map((each) => each.where)).toEqual(["AProps.roleArn", "AProps.subnetIds"]);
    expect(where(imports(names))).toEqual(["IA nothing makes one of what others own"]);
    const [, importable] = of(`
      export interface IA {}
      export class A { static fromAttributes() {} }
      export interface IB {}
      export function existingB() {}
      export interface IC {}
      export class C { fromAttributes() {} }`);
    expect(where(imports(importable))).toEqual(["IC nothing makes one of what others own"]);
    const [, returned] = of(`
      export class A { static fromAttributes(): IA {} other(from: ID): ID {} }
      export function existingB(): ExistingB {}
      export interface BProps { readonly b?: BProps | ExistingB }
      export function existingC(name: string): ExistingC {}
      export class D { static fromName(name: string): ID {} }`);
    expect(where(accepted(returned))).toEqual([
      "A.fromAttributes nothing takes the IA that it returns",
      "existingC nothing takes the ExistingC that it returns",
    ]);
  });

  it("C9 and C11 report writable attributes, attributes that throw, and unjustified wildcards", () => {
    const [files, names] = of(`
      export class A extends Construct {
        b = 1; readonly c = 2; #d = 3; private e = 4;
        get f() { if (this.b) throw new Error(); return 1; }
        get g() { return 1; }
      }
      const all = { actions: ["a"], resources: ["*"] };
      const far = 1;
      const further = 2;
      // It takes no resource.
      const said = { actions: ["a"], resources: ["*"] };`);
    expect(where(attributes(files, names))).toEqual(["A.b is not readonly", "A.f is a getter that throws"]);
    expect(where(everyResource(files))).toEqual(['constructs/a/a.ts line 7 allows "*" and does not say why']);
  });

  it("C19 reports codes in every form, of two families, without a test", () => {
    const files = madeUp({
      "constructs/a/a.ts":
        'problems.check(x, { code: "A_B", remedy }); add({ code: "low_case", remedy: "" }); throw invalid(this, { code: "TWO", remedy });',
      "constructs/b/b.ts":
        'throw invalid(this, { code: "TWO", remedy }); const w = `x ${y}  [WARN_ME]`; set({ code: "OTHER" });',
    });
    expect(where(codes(codesOf(files), '"A_B p" TWO'))).toEqual([
      "low_case is not UPPER_SNAKE",
      "low_case is refused by no test (constructs/a/a.ts)",
      "TWO has a meaning in each of a, b",
      "WARN_ME is refused by no test (constructs/b/b.ts)",
    ]);
  });

  it("C21 report incomplete docs", () => {
    const [files, names] = of(`
      /**
       * A thing.
       *
       * Costs nothing.
       *
       * @example
       * x
       * @see y
       */
      export class A extends Construct {}
      /** lower case */
      export class B extends Construct {}
      export function c() {}`);
    expect(where([...docs(files, names), ...undocumented(names)])).toEqual([
      "B lacks a first sentence, @example, @see, what it costs",
      "c has no docs",
    ]);
  });

  it("of exceptions report one that is not needed", () => {
    const violation = { rule: "C3", where: "A.b", problem: "x" };
    const exception = { rule: "C3", where: "A.b", why: "y" };
    expect(judged([violation], [])).toEqual(["C3 A.b: x"]);
    expect(judged([violation], [exception])).toEqual([]);
    expect(judged([], [exception])).toEqual(["C3 A.b: the exception is not needed"]);
  });
});
