import { dirname } from "node:path/posix";
import { type Finding, lineAt, listFiles, readText, report } from "./project.ts";
import { argumentsOf, isNode, nameOf, parseFile, type SyntaxNode, walk } from "./syntax.ts";

const filters = ["notDeleted", "withDeleted"];
const readers = /^(from|\$count|(inner|left|right|full|cross)Join(Lateral)?)$/;

interface Source {
  file: string;
  text: string;
  tree: SyntaxNode;
  /** Local names that stand for a table with soft delete: itself, renamed imports, aliases. */
  tables: Set<string>;
  /** What each declared name is made of. */
  declared: Map<string, SyntaxNode>;
}

interface Read {
  table: string;
  node: SyntaxNode;
  ancestors: SyntaxNode[];
}

function declaratorsOf(tree: SyntaxNode): { name: string; init: SyntaxNode }[] {
  return [...walk(tree)].flatMap(([node]) => {
    const name = nameOf(node.id);
    if (!name) return [];
    if (node.type === "VariableDeclarator" && isNode(node.init)) return [{ name, init: node.init }];
    return node.type === "FunctionDeclaration" ? [{ name, init: node }] : [];
  });
}

/** Names of the schema's tables that have `deletedAt`. */
function softDeletedTables(): Set<string> {
  const found = new Set<string>();
  for (const file of listFiles("db/schema/**/*.ts")) {
    for (const { name, init } of declaratorsOf(parseFile(file, readText(file)))) {
      if (init.type !== "CallExpression" || nameOf(init.callee) !== "pgTable") continue;
      const columns = argumentsOf(init)[1];
      if (columns && [...walk(columns)].some(([node]) => isSoftDelete(node))) found.add(name);
    }
  }
  return found;
}

function isSoftDelete(node: SyntaxNode): boolean {
  if (node.type === "CallExpression") return nameOf(node.callee) === "softDelete";
  return node.type === "Property" && nameOf(node.key) === "deletedAt";
}

function readSource(file: string, softDeleted: Set<string>): Source {
  const text = readText(file);
  const tree = parseFile(file, text);
  const declarators = declaratorsOf(tree);
  const tables = new Set(softDeleted);
  for (const [node] of walk(tree)) {
    const imported = node.type === "ImportSpecifier" ? nameOf(node.imported) : undefined;
    const local = nameOf(node.local);
    if (imported && local && softDeleted.has(imported)) tables.add(local);
  }
  for (const { name, init } of declarators) {
    const isAlias = init.type === "CallExpression" && ["alias", "aliasedTable"].includes(nameOf(init.callee) ?? "");
    if (isAlias && tables.has(nameOf(argumentsOf(init)[0]) ?? "")) tables.add(name);
  }
  return { file, text, tree, tables, declared: new Map(declarators.map(({ name, init }) => [name, init])) };
}

/** Tables that one node reads: `.from(x)`, joins, `$count(x)`, `query.x.find…()`, and `from ${x}` in an sql template. */
function tablesReadBy(node: SyntaxNode): string[] {
  if (node.type === "TemplateLiteral") return tablesOfTemplate(node);
  if (node.type !== "CallExpression" || !isNode(node.callee)) return [];
  const method = nameOf(node.callee) ?? "";
  if (readers.test(method)) return [nameOf(argumentsOf(node)[0]) ?? ""];
  const table = node.callee.object;
  if (!/^find(Many|First)$/.test(method) || !isNode(table) || !isNode(table.object)) return [];
  return nameOf(table.object) === "query" ? [nameOf(table) ?? ""] : [];
}

function tablesOfTemplate(node: SyntaxNode): string[] {
  const quasis = Array.isArray(node.quasis) ? node.quasis.filter(isNode) : [];
  const expressions = Array.isArray(node.expressions) ? node.expressions.filter(isNode) : [];
  return expressions.flatMap((expression, index) => {
    const quasi = quasis[index];
    const before = quasi ? JSON.stringify(quasi.value) : "";
    return /\b(from|join)(\s|\\n)+"/i.test(before.replace(/","cooked.*/, '"')) ? [nameOf(expression) ?? ""] : [];
  });
}

function readsOf({ tree, tables }: Source): Read[] {
  return [...walk(tree)].flatMap(([node, ancestors]) =>
    tablesReadBy(node).flatMap((table) => (tables.has(table) ? [{ table, node, ancestors }] : [])),
  );
}

/** The whole statement that a call belongs to: `db.select().from(x).where(…).limit(1)`. */
function chainOf({ node, ancestors }: Read): SyntaxNode {
  let chain = node;
  for (const parent of ancestors) {
    const goesOn = parent.type === "MemberExpression" ? parent.object === chain : parent.callee === chain;
    const isSql = parent.type === "TaggedTemplateExpression" && parent.quasi === chain;
    if (!goesOn && !isSql) break;
    chain = parent;
  }
  return chain;
}

/** Whether a filter for `table` stands in `node` itself or in what it names, near or in a file of the same module. */
function isFiltered(node: SyntaxNode, table: string, scopes: Map<string, SyntaxNode>[]): boolean {
  const visited = new Set<SyntaxNode>();
  const search = (from: SyntaxNode): boolean => {
    if (visited.has(from)) return false;
    visited.add(from);
    for (const [below, [parent]] of walk(from)) {
      if (below.type === "CallExpression" && filters.includes(nameOf(below.callee) ?? "")) {
        if (nameOf(argumentsOf(below)[0]) === table) return true;
      }
      if (below.type !== "Identifier" || parent?.property === below) continue;
      const meant = scopes.map((scope) => scope.get(String(below.name))).find((found) => found !== undefined);
      if (meant && search(meant)) return true;
    }
    return false;
  };
  return search(node);
}

function findingsOf(source: Source, neighbours: Map<string, SyntaxNode>): Finding[] {
  return readsOf(source).flatMap((read) => {
    if (isFiltered(chainOf(read), read.table, [source.declared, neighbours])) return [];
    return [
      {
        file: source.file,
        line: lineAt(source.text, read.node.end),
        problem: `reads ${read.table}, which has soft delete, and says nothing of its deleted rows`,
        mend: `add notDeleted(${read.table}) to its where, or withDeleted(${read.table}) where deleted rows are meant too.`,
      },
    ];
  });
}

const softDeleted = softDeletedTables();
const files = listFiles(["api/**/*.{ts,tsx}", "db/**/*.ts"]).filter(
  (file) => !/\.test\.tsx?$|^(api|db)\/test\/|^db\/schema\//.test(file),
);
const sources = files.map((file) => readSource(file, softDeleted));

function folderOf(file: string): string {
  return file.match(/^api\/modules\/[^/]+/)?.[0] ?? dirname(file);
}

const byFolder = Map.groupBy(sources, ({ file }) => folderOf(file));
const findings = [...byFolder.values()].flatMap((folder) => {
  const neighbours = new Map(folder.flatMap(({ declared }) => [...declared]));
  return folder.flatMap((source) => findingsOf(source, neighbours));
});
const reads = sources.flatMap(readsOf).length;
report("soft delete", findings, `${reads} reads of ${softDeleted.size} tables with deletedAt`);
