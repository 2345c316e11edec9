/** A place in an input that takes an id. */
export interface IdSlot {
  path: (string | number)[];
  /** The prefix of the ids that it takes; null where any text will do: a cursor, a filter. */
  prefix: string | null;
}

/** A zod schema, as far as the walk looks into it. */
interface Schema {
  _zod: {
    def: {
      type: string;
      shape?: Record<string, Schema>;
      innerType?: Schema;
      element?: Schema;
      in?: Schema;
      options?: Schema[];
      valueType?: Schema;
      checks?: { _zod: { def: { pattern?: RegExp } } }[];
    };
  };
}

const idPattern = /^\^([a-z]+(?:_[a-z]+)*)_\[0-7\]/;
const idName = /^(id|cursor|target|.*Ids?)$/;

/** Every id-shaped slot of a procedure's inputs. */
export function idSlots(schemas: readonly unknown[]): IdSlot[] {
  return schemas.flatMap((schema) => walk(schema as Schema, []));
}

function walk(schema: Schema, path: (string | number)[]): IdSlot[] {
  const { def } = schema._zod;
  if (def.type === "string") return slotOf(def.checks ?? [], path);
  if (def.shape) return Object.entries(def.shape).flatMap(([key, inner]) => walk(inner, [...path, key]));
  if (def.element) return walk(def.element, [...path, 0]);
  const inside = [def.innerType, def.in, ...(def.options ?? [])].filter((inner) => inner !== undefined);
  return inside.flatMap((inner) => walk(inner, path));
}

function slotOf(checks: { _zod: { def: { pattern?: RegExp } } }[], path: (string | number)[]): IdSlot[] {
  for (const { _zod } of checks) {
    const prefix = _zod.def.pattern?.source.match(idPattern)?.[1];
    if (prefix) return [{ path, prefix }];
  }
  const name = path.findLast((key) => typeof key === "string");
  return typeof name === "string" && idName.test(name) ? [{ path, prefix: null }] : [];
}

/** A copy of `input` with `value` at `path`. */
export function withValue(input: unknown, [key, ...rest]: (string | number)[], value: unknown): unknown {
  if (key === undefined) return value;
  const inner = input === null || typeof input !== "object" ? undefined : Reflect.get(input, key);
  const next = withValue(inner, rest, value);
  if (typeof key === "number") return Object.assign(Array.isArray(input) ? [...input] : [], { [key]: next });
  return { ...(input as object | undefined), [key]: next };
}
