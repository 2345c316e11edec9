/** The paths of the endpoints, those with parameters as what they match. */
interface Endpoints {
  exact: Set<string>;
  patterns: [RegExp, string][];
}

const known = new WeakMap<object, Endpoints>();

function endpointsOf(api: Record<string, unknown>): Endpoints {
  const paths = Object.values(api).flatMap((endpoint) =>
    typeof endpoint === "function" && "path" in endpoint && typeof endpoint.path === "string" ? endpoint.path : [],
  );
  const patterns = paths
    .filter((path) => path.includes(":"))
    .map((path): [RegExp, string] => [new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}$`), path]);
  return { exact: new Set(paths), patterns };
}

/** Which endpoint answers the path, its parameters by name; undefined when none does. */
export function endpointOf(api: Record<string, unknown>, path: string): string | undefined {
  const endpoints = known.get(api) ?? endpointsOf(api);
  known.set(api, endpoints);
  if (endpoints.exact.has(path)) return path;
  return endpoints.patterns.find(([pattern]) => pattern.test(path))?.[1];
}
