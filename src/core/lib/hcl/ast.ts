// What HCL 1 and its JSON form are read into. An object is a list of items in the order in which they were written,
// because names may be repeated; `service "web" { … }` is one item with two keys.

/** 1-based, in characters. */
export interface HclPosition {
  line: number;
  column: number;
}

export type HclValue = HclLiteral | HclList | HclObject;

export interface HclLiteral {
  kind: "string" | "number" | "float" | "bool" | "null";
  /** What a string stands for; for the rest as it was written. */
  text: string;
  /** Null in JSON. */
  at: HclPosition | null;
}

export interface HclList {
  kind: "list";
  items: HclValue[];
  at: HclPosition | null;
}

export interface HclObject {
  kind: "object";
  items: HclItem[];
  at: HclPosition | null;
}

export interface HclItem {
  /** At least one. */
  keys: HclKey[];
  value: HclValue;
}

export interface HclKey {
  /** As it was written, with its quotes. */
  source: string;
  name: string;
  at: HclPosition | null;
}

/** A text that is not HCL. The message says where, in the words of Consul's parser. */
export class HclError extends Error {
  override name = "HclError";

  constructor(message: string, at: HclPosition | null = null) {
    super(at ? `At ${at.line}:${at.column}: ${message}` : message);
  }
}

/** What a text may ask of whoever reads it. */
export const hclLimits = { depthMax: 64, charactersMax: 1024 * 1024 };

/** How the parser that Consul uses names a value's type. */
export function typeName({ kind }: HclValue): string {
  if (kind === "list") return "*ast.ListType";
  return kind === "object" ? "*ast.ObjectList" : "*ast.LiteralType";
}

/** Where a value begins; of an object, where its first item does. */
export function positionOf(value: HclValue): HclPosition | null {
  const [first] = value.kind === "object" ? value.items : [];
  return first?.keys[0]?.at ?? value.at;
}
