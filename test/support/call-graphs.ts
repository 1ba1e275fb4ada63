/** A call of one service by another, both by their number. */
export type Call = readonly [from: number, to: number];

const each = (services: number, callees: (service: number) => number[]): Call[] =>
  Array.from({ length: services }, (_, from) => from).flatMap((from) =>
    [...new Set(callees(from))].filter((to) => to !== from && to >= 0 && to < services).map((to): Call => [from, to]),
  );
/** As good as random, and the same every time. */
const mixed = (from: number, n: number) => Math.imul(from * 31 + n * 17 + 7, 2_654_435_761) >>> 8;

/** Graphs of calls among any number of services. */
export const CALL_GRAPHS = {
  "a chain": (services: number) => each(services, (from) => [from + 1]),
  "a chain backwards": (services: number) => each(services, (from) => [from - 1]),
  "a chain, last call first": (services: number) => each(services, (from) => [from + 1]).reverse(),
  "the two before": (services: number) => each(services, (from) => [from - 1, from - 2]),
  "the five before": (services: number) => each(services, (from) => [1, 2, 3, 4, 5].map((n) => from - n)),
  "the five after": (services: number) => each(services, (from) => [1, 2, 3, 4, 5].map((n) => from + n)),
  "any three": (services: number) => each(services, (from) => [1, 2, 3].map((n) => mixed(from, n) % services)),
  "any five before": (services: number) =>
    each(services, (from) => [1, 2, 3, 4, 5].map((n) => mixed(from, n) % (from + 1))),
  "a circle": (services: number) => each(services, (from) => [(from + 1) % services]),
  "circles of two": (services: number) => each(services, (from) => [from ^ 1]),
} as const;

export const LAYOUTS = ["stacks of their own", "one stack", "platforms of ten"] as const;
export type Layout = (typeof LAYOUTS)[number];

/** Number of services on one platform of a layout. */
export const servicesPerPlatform = (layout: Layout, services: number): number =>
  layout === "platforms of ten" ? 10 : services;
