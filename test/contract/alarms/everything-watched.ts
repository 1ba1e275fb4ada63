import { TerraformStack } from "cdktf";
import { PROFILES, type Profile } from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { everything } from "../support/everything";
import { decisionsOf, type SynthesizedScaling, watchingOf } from "./program";
import type { Watched } from "./timeline";

/** Something that watches, with what its state decides. */
export interface Decider extends Watched {
  readonly decides: readonly ("rolls back" | "stops experiments" | "scales")[];
}

export interface Stack {
  readonly profile: Profile;
  readonly name: string;
  readonly alarms: readonly Decider[];
  readonly scalings: readonly SynthesizedScaling[];
}

/** Every alarm and every scaling policy of one of everything, in each profile, as synthesized. */
export function everythingWatched(): Stack[] {
  return PROFILES.flatMap((profile) =>
    everything(profile)
      .node.findAll()
      .filter((node) => node instanceof TerraformStack)
      .map((stack) => stackOf(profile, stack.node.path, synthesize(stack))),
  );
}

function stackOf(profile: Profile, name: string, program: object): Stack {
  const { alarms, composites, scalings } = watchingOf(program);
  const { rollsBack, stops } = decisionsOf(program);
  const titled = (address: string) =>
    `${profile} ${name} ${address.replace(/_[0-9A-F]{8}$/, "").replace(/^aws_cloudwatch_/, "")}`;
  const decidesOf = (address: string): Decider["decides"] => [
    ...(rollsBack.has(address) ? (["rolls back"] as const) : []),
    ...(stops.has(address) ? (["stops experiments"] as const) : []),
  ];
  const combined = composites.map(({ address, rule }): Decider => {
    const members = alarms.filter((alarm) => rule.includes(`"${alarm.name}"`));
    return { title: titled(address), members, rule, decides: decidesOf(address) };
  });
  const parts = new Set(combined.flatMap(({ members }) => members.map(({ address }) => address)));
  const single = alarms
    // A part of another notifies nobody; what starts a policy is looked at with what it scales.
    .filter(({ address, policies }) => !parts.has(address) && policies.length === 0)
    .map((alarm): Decider => ({ title: titled(alarm.address), members: [alarm], decides: decidesOf(alarm.address) }));
  return { profile, name, alarms: [...single, ...combined], scalings };
}
