// The JSON form of HCL: each member of an object is an item, and so is each object of a list of objects; names may be
// repeated. A comma may follow the last member, as in Consul. Anything else that is not JSON is refused, where Consul's
// parser drops the rest of the text.

import { HclError, hclLimits } from "./ast.ts";
import type { HclItem, HclObject, HclValue } from "./ast.ts";

const word =
  /\s*(?:([{}[\],:])|("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null))/suy;

/** Throws HclError. */
export function parseHclJson(text: string): HclObject {
  return new JsonParser(text).document();
}

class JsonParser {
  readonly #text: string;
  #end = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): HclObject {
    this.#expect("{");
    const object = this.#object();
    if (this.#text.slice(this.#end).trim() !== "") this.#fail("unexpected text after the object");
    return object;
  }

  /** After its brace. */
  #object(): HclObject {
    const items: HclItem[] = [];
    this.#deeper();
    while (!this.#accept("}")) {
      const source = this.#take();
      if (!source.startsWith('"')) this.#fail(`expected a name, got ${source}`);
      const key = { source, name: this.#string(source), at: null };
      this.#expect(":");
      for (const value of spread(this.#value(this.#take()))) items.push({ keys: [key], value });
      if (!this.#accept(",")) {
        this.#expect("}");
        break;
      }
    }
    this.#depth -= 1;
    return { kind: "object", items, at: null };
  }

  #list(): HclValue {
    const items: HclValue[] = [];
    this.#deeper();
    while (!this.#accept("]")) {
      items.push(this.#value(this.#take()));
      if (!this.#accept(",")) {
        this.#expect("]");
        break;
      }
    }
    this.#depth -= 1;
    return { kind: "list", items, at: null };
  }

  #value(source: string): HclValue {
    if (source === "{") return this.#object();
    if (source === "[") return this.#list();
    if (source.startsWith('"')) return { kind: "string", text: this.#string(source), at: null };
    if (source === "true" || source === "false") return { kind: "bool", text: source, at: null };
    if (source === "null") return { kind: "null", text: "", at: null };
    if (/^-?\d+$/.test(source)) return { kind: "number", text: source, at: null };
    if (/^-?\d/.test(source)) return { kind: "float", text: source, at: null };
    return this.#fail(`expected a value, got ${source}`);
  }

  #string(source: string): string {
    try {
      return JSON.parse(source) as string;
    } catch {
      return this.#fail("illegal string");
    }
  }

  #deeper(): void {
    this.#depth += 1;
    if (this.#depth <= hclLimits.depthMax) return;
    this.#fail(`nested deeper than ${hclLimits.depthMax} levels`);
  }

  #accept(sign: string): boolean {
    const before = this.#end;
    if (this.#take() === sign) return true;
    this.#end = before;
    return false;
  }

  #expect(sign: string): void {
    const found = this.#take();
    if (found !== sign) this.#fail(`expected ${sign}, got ${found}`);
  }

  #take(): string {
    word.lastIndex = this.#end;
    const found = word.exec(this.#text);
    if (!found) {
      const isEnd = this.#text.slice(this.#end).trim() === "";
      return this.#fail(isEnd ? "the text ends too early" : "illegal char");
    }
    this.#end = word.lastIndex;
    return found[0].trimStart();
  }

  #fail(message: string): never {
    const lines = this.#text.slice(0, this.#end).split("\n");
    throw new HclError(`${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}: ${message}`);
  }
}

/** A list of objects is as many items of one name. */
function spread(value: HclValue): HclValue[] {
  const { kind } = value;
  if (kind !== "list" || value.items.length === 0) return [value];
  return value.items.every((each) => each.kind === "object") ? value.items : [value];
}
