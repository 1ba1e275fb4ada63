export const ARCHITECTURES = ["arm64", "x86_64"] as const;
/** Processor architectures: `arm64` is AWS Graviton, about 20 % cheaper; `x86_64` is Intel and AMD. */
export type Architecture = (typeof ARCHITECTURES)[number];
