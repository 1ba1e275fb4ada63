/** Makes references, each for one prop of a call. */
export interface References {
  text(call: string, prop: string): string;
  number(call: string, prop: string): number;
  list(call: string, prop: string): string[];
}

/** References for one call, as texts. */
export const textOf = (references: References, call: string) => (prop: string) => references.text(call, prop);

/** Metric of a call's scaling by `metrics` or `steps`. */
export function metricOf(references: References, call: string) {
  const text = textOf(references, call);
  return (of: string) => ({
    namespace: text(`scaling.${of}[0].metric.namespace`),
    metricName: text(`scaling.${of}[0].metric.metricName`),
    dimensions: { Queue: text(`scaling.${of}[0].metric.dimensions.key`) },
  });
}

/** Statement that a call grants. */
export function grantOf(references: References, call: string) {
  const text = textOf(references, call);
  return {
    actions: ["s3:GetObject"],
    resources: [text("statement.resources[0]")],
    conditions: {
      StringEquals: {
        "s3:prefix": text("statement.conditions.key.key"),
        "s3:delimiter": [text("statement.conditions.key.key[0]")],
      },
    },
  };
}
