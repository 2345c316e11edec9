import { parseSync } from "oxc-parser";

/** A node of the syntax tree, as far as the checks look at it. */
export interface SyntaxNode {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** The nodes directly below `node`. */
export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  return Object.values(node).flatMap((value) =>
    Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [],
  );
}

/** Every node below `node`, itself included, each with its ancestors, the nearest first. */
export function* walk(node: SyntaxNode, ancestors: SyntaxNode[] = []): Generator<[SyntaxNode, SyntaxNode[]]> {
  yield [node, ancestors];
  const below = [node, ...ancestors];
  for (const child of childrenOf(node)) yield* walk(child, below);
}

/** The name of an identifier, or of the last part of `a.b.c`. */
export function nameOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "Identifier") return String(node.name);
  return node.type === "MemberExpression" ? nameOf(node.property) : undefined;
}

/** Arguments of a call; none for anything else. */
export function argumentsOf(node: SyntaxNode): SyntaxNode[] {
  return Array.isArray(node.arguments) ? node.arguments.filter(isNode) : [];
}

/** The syntax tree of one file. */
export function parseFile(file: string, text: string): SyntaxNode {
  const { program, errors } = parseSync(file, text);
  const [error] = errors;
  if (error) throw new Error(`${file}: ${error.message}`);
  if (!isNode(program)) throw new Error(`${file}: no syntax tree`);
  return program;
}
