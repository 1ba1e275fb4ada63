import type { Contract } from "./contract";

const escapeHtml = (text: unknown): string =>
  String(text ?? "").replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Renders the contract as an HTML page without scripts or external resources. */
export function docsPage({ document }: Contract): string {
  const { info, paths, components } = document as unknown as {
    info: { title: string; description?: string; version: string };
    paths: Record<string, Record<string, { operationId?: string; summary?: string; responses?: object }>>;
    components?: { schemas?: Record<string, object> };
  };
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, operation]) => operation.operationId)
      .map(
        ([method, operation]) =>
          `<h2><code>${escapeHtml(method.toUpperCase())} ${escapeHtml(path)}</code></h2><p>${escapeHtml(operation.summary)}</p>
<details><summary>${escapeHtml(operation.operationId)}</summary><pre>${escapeHtml(JSON.stringify(operation, null, 2))}</pre></details>`,
      ),
  );
  const schemas = Object.entries(components?.schemas ?? {}).map(
    ([name, schema]) =>
      `<details id="${escapeHtml(name)}"><summary>${escapeHtml(name)}</summary><pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre></details>`,
  );
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escapeHtml(info.title)}</title>
<style>body{font:16px/1.5 system-ui;max-width:52rem;margin:2rem auto;padding:0 1rem}pre{overflow:auto}</style>
<h1>${escapeHtml(info.title)} ${escapeHtml(info.version)}</h1>
<p>${escapeHtml(info.description)}</p>
<p>The contract itself: <a href="openapi.yaml">openapi.yaml</a></p>
${operations.join("\n")}
<h2>Schemas</h2>
${schemas.join("\n")}
</html>
`;
}
