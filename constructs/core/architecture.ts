export const ARCHITECTURES = ["arm64", "x86_64"] as const;
/** Processors: `arm64` is AWS's Graviton, about 20 % cheaper; `x86_64` is Intel's and AMD's. */
export type Architecture = (typeof ARCHITECTURES)[number];
