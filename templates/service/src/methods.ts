import type { FastifyInstance } from "fastify";

/**
 * Collects the routes of an app as they are added.
 *
 * @returns the methods that a URL supports, for 405 responses and OPTIONS; empty for an unknown path
 */
export function methodsOf(app: FastifyInstance): (url: string) => string[] {
  const routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];
  app.addHook("onRoute", ({ url, method }) => {
    const pattern = url.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/:\w+/g, "[^/]+");
    routes.push({ pattern: new RegExp(`^${pattern}$`), methods: [method].flat() });
  });
  return (url) => {
    // As the router does: /v1/%71uotes is /v1/quotes.
    const path = decodeURI(url.split(/[?#]/)[0] ?? "");
    const methods = new Set(routes.flatMap(({ pattern, methods }) => (pattern.test(path) ? methods : [])));
    return methods.size === 0 ? [] : [...methods.add("OPTIONS")].sort();
  };
}
